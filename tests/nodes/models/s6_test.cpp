#include "nodes/models/s6/s6.hpp"

#include <cmath>
#include <complex>
#include <iostream>
#include <memory>
#include <numbers>

#include "nodes/layers/layer_reader.hpp"
#include "tests/nodes/contract.hpp"
#include "tests/support/double_twin.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/reference.hpp"

namespace gainstage::test::s6_test {

namespace {

const char* const fixture_names[] = {"recurrent", "as-trained", "plain"};

std::string complaint_of(const std::shared_ptr<const Model>& model) {
    return complaint(S6::type(), model);
}

/// One stage: `window` samples, 3 channels, 12 inner channels, `out` outputs of the state-space layer, `mix`
/// of the layer after it.
std::shared_ptr<const Model> small_model(int window, int out, int mix) {
    auto model = std::make_shared<Model>();
    model->architecture = "s6", model->sample_rate_hz = 48'000.;
    model->controls = {{.name = "knob", .unit = "", .start = 0.3f}};
    const auto add = [&](const std::string& name, const std::vector<std::int64_t>& shape, float most) {
        std::int64_t size = 1;
        for (const std::int64_t n : shape) size *= n;
        const auto seed = static_cast<std::uint32_t>(model->tensors.size() + 1);
        model->tensors.push_back({name, shape, white_noise(static_cast<int>(size), seed, most)});
    };
    const auto layer = [&](const std::string& name, std::int64_t outputs, std::int64_t inputs) {
        add(name + ".weight", {outputs, inputs}, 0.5f), add(name + ".bias", {outputs}, 0.3f);
    };
    layer("input", 3, window), layer("mix.0", mix, out), layer("film", 2 * mix, 1);
    layer("film.glu", 8, mix), layer("output", 1, 4), layer("ssm.0.dt", 12, 1), layer("ssm.0.out", out, 12);
    add("ssm.0.in.weight", {24, 3}, 0.5f), add("ssm.0.conv.weight", {12, 4}, 0.5f);
    add("ssm.0.conv.bias", {12}, 0.3f), add("ssm.0.x.weight", {5, 12}, 0.5f);
    add("ssm.0.a_log", {12, 2}, 0.5f), add("ssm.0.skip", {12}, 0.5f);
    return model;
}

}  // namespace

TEST_CASE("s6: joined and separate layers match their formulas") {
    struct Case {
        int window, out, mix;
        bool keeps_input, keeps_mix;
    };
    for (const auto& [window, out, mix, keeps_input, keeps_mix] :
         {Case{1, 2, 4, false, false}, Case{1, 2, 17, false, true}, Case{64, 2, 4, true, false},
          Case{64, 2, 17, true, true}}) {
        INFO(window << ", " << out << ", " << mix);
        const auto model = small_model(window, out, mix);
        const S6Weights weights(*model);
        CHECK(weights.input.has_value() == keeps_input);
        CHECK(weights.mix[0].has_value() == keeps_mix);
        NodeRunner runner(S6::type(), {.sample_rate_hz = model->sample_rate_hz, .model = model});
        const auto twin = double_twin(model);
        const Channel in = white_noise(2'000, 9, 0.5f), played = runner.run(mono(in), {37})[0];
        double farthest = 0., loudest = 0.;
        for (std::size_t k = 0; k < in.size(); ++k) {
            const double expected = twin->play(double{in[k]});
            farthest = std::max(farthest, std::abs(double{played[k]} - expected));
            loudest = std::max(loudest, std::abs(expected));
        }
        CHECK(loudest > 0.01);
        CHECK(farthest < 1e-6);  // as above
    }
}

TEST_CASE("s6: its output matches the formulas while knobs step, glide and turn back") {
    for (const char* name : fixture_names) {
        const Fixture fixture("s6", name);
        NodeRunner runner(S6::type(), fixture.config());
        const Sound out = runner.run(mono(fixture.input), {}, fixture.moves);
        double farthest = 0.;
        for (std::size_t k = 0; k < fixture.expected.size(); ++k)
            farthest = std::max(farthest, std::abs(double{out[0][k]} - double{fixture.expected[k]}));
        INFO(name << ": " << farthest);
        // float32 sums of about a dozen products of numbers near 1; measured: 6e-8
        CHECK(farthest < 1e-6);
    }
}

TEST_CASE("s6: it keeps the promises of a node") {
    for (const char* name : fixture_names) {
        const Fixture fixture("s6", name);
        INFO(name);
        CHECK(broken_promise(S6::type(), fixture.config(), {mono(fixture.input)}, fixture.moves) == "");
        NodeConfig wide = fixture.config();
        wide.channels = 2;
        const Sound both =
            stereo(fixture.input, white_noise(static_cast<int>(fixture.input.size()), 3, 0.3f));
        CHECK(broken_promise(S6::type(), wide, {both}, fixture.moves) == "");
    }
}

TEST_CASE("s6: a published checkpoint plays like its reference") {
    const auto reference = import_reference("s6/cl1b-recurrent", "s6", nlohmann::json::object(), "numpy");
    if (!reference) return;
    const Parity parity = parity_of(S6::type(), *reference);
    std::cout << "s6 cl1b-recurrent: max error " << parity.max_error << ", RMS " << parity.rms_error << '\n';
    CHECK(parity.broken == "");
    // measured: 1.5e-7, like a float32 run of the formulas; the fixture allows 5e-6
    CHECK(parity.max_error < 1e-6);
}

TEST_CASE("s6: published weights that run away on loud sound recover after a reset") {
    const auto reference = import_reference("s6/cl1b-recurrent", "s6", nlohmann::json::object(), "numpy");
    if (!reference) return;
    NodeRunner loud(S6::type(), {.model = reference->model}), fresh(S6::type(), {.model = reference->model});
    CHECK(peak(loud.run(mono(white_noise(24'000, 5, 1.f)))[0]) > 16.);  // beyond +24 dBFS
    loud.reset();
    fresh.follow(loud);
    CHECK(bit_difference(loud.run(reference->input), fresh.run(reference->input)) == "");
}

// -------- laws

TEST_CASE("s6: a layer with a constant step is a diagonal linear recurrence") {
    // Two channels without convolution and gate. The first is always 1, so B and C, which are linear in the
    // channels, are constant. The step depends on nothing. This leaves an S4D for the second channel.
    const std::vector<float> b{0.5f, -1.f, 2.f}, c{1.f, 0.25f, -0.5f}, a_log{-1.f, 0.f, 2.f};
    const float dt_bias = -3.f, skip = 0.75f;
    Model model;
    std::vector<float> map{0.f, 0.f};  // the step's input
    for (const auto* part : {&b, &c})
        for (const float value : *part) map.insert(map.end(), {value, 0.f});
    std::vector<float> both(a_log);
    both.insert(both.end(), a_log.begin(), a_log.end());
    model.tensors = {{"ssm.a_log", {2, 3}, both},
                     {"ssm.skip", {2}, {0.f, skip}},
                     {"ssm.x.weight", {7, 2}, map},
                     {"ssm.dt.weight", {2, 1}, {0.f, 0.f}},
                     {"ssm.dt.bias", {2}, {dt_bias, dt_bias}},
                     {"ssm.out.weight", {1, 2}, {0.f, 1.f}},
                     {"ssm.out.bias", {1}, {0.f}}};
    LayerReader read(model);
    const SelectiveSsm layer(read, "ssm", 2, true);
    constexpr int frames = 400, impulse_at = 3;
    AlignedFloats in(16 * frames), out(16 * frames);
    for (int k = 0; k < frames; ++k) in[16 * k] = 1.f;
    in[16 * impulse_at + 1] = 1.f;
    SelectiveSsm::State state = layer.make_state();
    SelectiveSsm::Scratch scratch;
    layer.fit(scratch, frames);
    layer.run(state, in.data(), 16, out.data(), 16, frames, scratch);
    const double delta = std::log1p(std::exp(double{dt_bias}));
    for (int k = 0; k < frames; ++k) {
        double expected = k == impulse_at ? double{skip} : 0.;
        for (int n = 0; n < 3 && k >= impulse_at; ++n)
            expected +=
                delta * b[n] * c[n] * std::exp(-delta * std::exp(double{a_log[n]}) * (k - impulse_at));
        // rounding of a pole near 1 over its memory; measured: 2e-7
        CHECK(double{out[16 * k]} == Approx(expected).margin(1e-6));
    }
}

TEST_CASE("s6: the sliding spectrum is that of the window, also when loud sound has just left it") {
    constexpr int window = 24, bins = 19, points = 2 * bins - 1, frames = 200;
    Channel sound = white_noise(frames + window, 4, 1.f);
    std::fill_n(sound.begin(), window, 0.f);
    for (int k = 100; k < frames + window; ++k) sound[k] *= 1e-3f;
    for (const int position : {0, 7, 23}) {
        const SlidingSpectrum spectrum(window, bins);
        SlidingSpectrum::State state = spectrum.make_state();
        SlidingSpectrum::clear(state, position);
        constexpr int row = padded(bins);
        AlignedFloats magnitudes(row * frames);
        spectrum.run(state, sound.data() + window, sound.data(), magnitudes.data(), row, frames);
        double farthest = 0.;
        for (int k = 0; k < frames; ++k)
            for (int bin = 0; bin < bins; ++bin) {
                std::complex<double> sum = 0.;
                for (int s = 0; s < window; ++s)
                    sum +=
                        double{sound[k + 1 + s]} * std::polar(1., -2. * std::numbers::pi * bin * s / points);
                farthest = std::max(farthest, std::abs(double{magnitudes[row * k + bin]} - std::abs(sum)));
            }
        // 2 window rounding errors in sums of up to 10; measured: 2.1e-6
        CHECK(farthest < 1e-5);
    }
}

TEST_CASE("s6: two windows of equal sound make the spectrum's state equal to the bit") {
    constexpr int window = 24, bins = 19, row = padded(bins);
    const SlidingSpectrum spectrum(window, bins);
    const Channel same = white_noise(4 * window, 6);
    std::vector<SlidingSpectrum::State> states;
    for (const float before : {0.f, 1.f}) {
        Channel sound(2 * window, before);
        sound.insert(sound.end(), same.begin(), same.end());
        states.push_back(spectrum.make_state());
        AlignedFloats magnitudes(row * sound.size());
        spectrum.run(states.back(), sound.data() + window, sound.data(), magnitudes.data(), row,
                     static_cast<int>(sound.size()) - window);
    }
    CHECK(states[0].sums == states[1].sums);
}

TEST_CASE("s6: without latency, silence stays silent where the network outputs a gain") {
    const Fixture fixture("s6", "recurrent");
    NodeRunner runner(S6::type(), fixture.config());
    CHECK(runner.node().latency_samples() == 0);
    CHECK(peak(runner.run(mono(silence(500)))[0]) == 0.);
    CHECK(runner.run(mono(constant(1, 0.5f)))[0][0] != 0.f);
}

TEST_CASE("s6: the memory is what the file says, at most 10 s") {
    const Fixture fixture("s6", "recurrent");
    CHECK(NodeRunner(S6::type(), fixture.config()).node().memory_samples() == 12'000);
    const auto model = spoilable(fixture.model);
    model->memory_samples = 0;
    CHECK(NodeRunner(S6::type(), {.model = model}).node().memory_samples() == 480'000);
}

// -------- files that don't fit

TEST_CASE("s6: a tensor that is missing or misshapen is refused by name") {
    const Fixture fixture("s6", "recurrent");
    for (const Tensor& tensor : fixture.model->tensors) {
        // an optional part without its first tensor counts as absent
        if (tensor.name == "features.weight" || tensor.name == "temporal.weight_hh") continue;
        const auto model = spoilable(fixture.model);
        std::erase_if(model->tensors, [&](const Tensor& other) { return other.name == tensor.name; });
        INFO(tensor.name);
        CHECK(complaint_of(model) != "");
        if (tensor.name.find(".in.weight") == std::string::npos) check_says(complaint_of(model), tensor.name);
        const auto bent = spoilable(fixture.model);
        tensor_of(*bent, tensor.name).shape = {7, 1, 1};
        check_says(complaint_of(bent), "tensor \"" + tensor.name + "\" has shape (7, 1, 1); expected");
    }
}

TEST_CASE("s6: absurd sizes are refused before they are used") {
    const auto with_shape = [](const std::string& name, std::vector<std::int64_t> shape) {
        const auto model = spoilable(Fixture("s6", "recurrent").model);
        std::int64_t count = 1;
        for (const std::int64_t size : shape) count *= size;
        Tensor& tensor = tensor_of(*model, name);
        tensor.shape = std::move(shape);
        tensor.data.assign(count, 0.f);
        return complaint_of(model);
    };
    check_says(with_shape("input.weight", {3, 5000}),
               "tensor \"input.weight\" has 5000 columns; expected 1 to 1024");
    check_says(with_shape("input.weight", {0, 24}), "tensor \"input.weight\" has 0 rows; expected 1 to");
    check_says(with_shape("ssm.0.a_log", {5, 65}), "tensor \"ssm.0.a_log\" has 65 columns; expected 1 to 64");
    check_says(with_shape("ssm.0.conv.weight", {5, 17}),
               "tensor \"ssm.0.conv.weight\" has 17 columns; expected 1 to 16");
    check_says(with_shape("features.weight", {2, 12}),
               "tensor \"features.weight\" has 12 columns; expected 13 at least");
    check_says(with_shape("film.weight", {4, 1}),
               "tensor \"film.weight\" has 1 columns; expected 2 at least");
    check_says(with_shape("film.weight", {4, 4}),
               "3 controls are declared, but tensor \"film.weight\" takes 2 and tensor");
}

TEST_CASE("s6: a config that contradicts the tensors or asks for the impossible is refused by key") {
    const auto with_config = [](const std::string& config) {
        const auto model = spoilable(Fixture("s6", "recurrent").model);
        model->config = ModelConfig(config, "config");
        return complaint_of(model);
    };
    CHECK(with_config("{}") == "");
    CHECK(with_config(R"({"window": 24})") == "");
    check_says(with_config(R"({"window": 64})"),
               "config.window is 64, but tensor \"input.weight\" has 24 columns");
    check_says(with_config(R"({"meaning": "batch"})"),
               "config.meaning is \"batch\"; expected \"recurrent\" or \"as_trained\"");
    check_says(with_config(R"({"meaning": "as_trained", "batch": 0})"),
               "config.batch is 0; expected a whole number");
    check_says(with_config(R"({"meaning": "as_trained", "batch": 1e9})"),
               "config.batch is 1000000000; expected");
    check_says(with_config(R"({"activation": "relu"})"), "config.activation is \"relu\"");
    check_says(with_config(R"({"product": 1})"), "config.product: expected true or false");
}

TEST_CASE("s6: another sample rate is refused, extra tensors are noted") {
    const Fixture fixture("s6", "plain");
    check_knows_one_rate(S6::type(), fixture.model);
    const auto model = spoilable(fixture.model);
    CHECK(notes_on(S6::type(), *model).empty());
    model->tensors.push_back({"optimizer.step", {1}, {3.f}});
    CHECK(complaint_of(model) == "");
    REQUIRE(notes_on(S6::type(), *model).size() == 1);
    check_says(notes_on(S6::type(), *model)[0], "\"optimizer.step\" (1)");
}

}  // namespace gainstage::test::s6_test
