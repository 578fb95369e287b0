#include "nodes/layers/dense.hpp"

#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test::dense_test {

namespace {

/// W x + b (+ y) in double.
std::vector<double> product(int outputs, int inputs, const Channel& w, const Channel& b, const float* x,
                            const float* y = nullptr) {
    std::vector<double> out(static_cast<std::size_t>(outputs));
    for (int o = 0; o < outputs; ++o) {
        double sum = double{b[o]} + (y ? double{y[o]} : 0.);
        for (int i = 0; i < inputs; ++i) sum += double{w[o * inputs + i]} * double{x[i]};
        out[o] = sum;
    }
    return out;
}

}  // namespace

TEST_CASE("dense: it is the matrix product, at any size, and the padding stays zero") {
    for (const auto& [outputs, inputs] :
         std::vector<std::pair<int, int>>{{1, 1}, {1, 32}, {5, 3}, {16, 16}, {33, 7}, {64, 40}}) {
        const int frames = 5, in_stride = padded(inputs), out_stride = padded(outputs);
        const Channel w = white_noise(outputs * inputs, 1), b = white_noise(outputs, 2);
        const Channel x = white_noise(frames * in_stride, 3);
        const Dense dense(outputs, inputs, w, b);
        Channel y(frames * out_stride, 7.f), sum = white_noise(frames * out_stride, 4), before = sum;
        dense.run(x.data(), in_stride, y.data(), out_stride, frames);
        dense.add(x.data(), in_stride, sum.data(), out_stride, frames);
        for (int f = 0; f < frames; ++f) {
            const auto plain = product(outputs, inputs, w, b, x.data() + f * in_stride);
            const auto added =
                product(outputs, inputs, w, b, x.data() + f * in_stride, before.data() + f * out_stride);
            for (int o = 0; o < outputs; ++o) {
                // up to 41 float additions of numbers below 1: each rounds by less than 41 * 2^-24 / 2
                CHECK(y[f * out_stride + o] == Approx(plain[o]).margin(1e-5));
                CHECK(sum[f * out_stride + o] == Approx(added[o]).margin(1e-5));
            }
            for (int o = outputs; o < out_stride; ++o) CHECK(y[f * out_stride + o] == 0.f);
        }
    }
}

TEST_CASE("dense: two layers with nothing between them are one") {
    const Channel w1 = white_noise(6 * 21, 1), b1 = white_noise(6, 2), w2 = white_noise(33 * 6, 3);
    const Channel b2 = white_noise(33, 4), x = white_noise(padded(21), 5);
    const Dense first(6, 21, w1, b1), next(33, 6, w2, b2), both = first.then(next);
    REQUIRE(both.inputs() == 21);
    REQUIRE(both.outputs() == 33);
    Channel y(padded(33), 7.f);
    both.run(x.data(), 0, y.data(), 0, 1);
    const std::vector<double> between = product(6, 21, w1, b1, x.data());
    for (int o = 0; o < 33; ++o) {
        double expected = double{b2[o]};
        for (int i = 0; i < 6; ++i) expected += double{w2[o * 6 + i]} * between[i];
        CHECK(y[o] == Approx(expected).margin(1e-5));  // 22 additions of numbers below 6
    }
    for (int o = 33; o < padded(33); ++o) CHECK(y[o] == 0.f);
}

TEST_CASE("dense: two layers are joined where that is less work, with rows padded") {
    const auto layer = [](int outputs, int inputs) {
        return Dense(outputs, inputs, Channel(static_cast<std::size_t>(outputs * inputs)));
    };
    CHECK(layer(16, 16).pays_to_join(layer(16, 16)));
    CHECK(layer(8, 1).pays_to_join(layer(32, 8)));
    CHECK(!layer(8, 64).pays_to_join(layer(32, 8)));  // 2,048 instead of 1,024 and 256
}

TEST_CASE("dense: numbers below 0 are multiplied by the slope of their output") {
    const int outputs = 33, inputs = 21, frames = 9, width = padded(outputs);
    const Channel w = white_noise(outputs * inputs, 1), b = white_noise(outputs, 2);
    const Channel x = white_noise(frames * padded(inputs), 3), slope = white_noise(width, 4);
    const Dense dense(outputs, inputs, w, b);
    Channel plain(frames * width), bent(plain.size());
    dense.run(x.data(), padded(inputs), plain.data(), width, frames);
    dense.run_prelu(x.data(), padded(inputs), slope.data(), bent.data(), width, frames);
    for (int i = 0; i < frames * width; ++i)
        CHECK(bent[i] == (plain[i] > 0.f ? plain[i] : plain[i] * slope[i % width]));
}

TEST_CASE("dense: the result of a frame does not depend on how many frames come with it") {
    const int outputs = 33, inputs = 21, frames = 25;  // tiles of every height
    const Channel w = white_noise(outputs * inputs, 1), b = white_noise(outputs, 2);
    const Channel x = white_noise(frames * padded(inputs), 3);
    const Dense dense(outputs, inputs, w, b);
    Channel together(frames * padded(outputs)), alone(together.size());
    dense.run(x.data(), padded(inputs), together.data(), padded(outputs), frames);
    for (int f = 0; f < frames; ++f)
        dense.run(x.data() + f * padded(inputs), padded(inputs), alone.data() + f * padded(outputs),
                  padded(outputs), 1);
    CHECK(together == alone);
}

}  // namespace gainstage::test::dense_test
