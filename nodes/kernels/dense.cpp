#include "nodes/kernels/dense.hpp"

#include <algorithm>

#include "runtime/realtime/four.hpp"

namespace gainstage {

namespace {

constexpr int fours = vector_channels / 4;

/// `Frames` rows by one vector of outputs: the weights are loaded once for all of them, and each row is
/// summed in the order of its inputs, however many rows there are.
template <int Frames, bool Adding>
void tile(const float* weight, int weight_stride, const float* bias, int inputs, const float* in,
          int in_stride, float* out, int out_stride) noexcept {
    Four sum[Frames][fours];
    for (int f = 0; f < Frames; ++f)
        for (int v = 0; v < fours; ++v) {
            sum[f][v] = load_four(bias + 4 * v);
            if constexpr (Adding) sum[f][v] += load_four(out + f * out_stride + 4 * v);
        }
    for (int i = 0; i < inputs; ++i) {
        const float* w = weight + i * weight_stride;
        for (int f = 0; f < Frames; ++f) {
            const float x = in[f * in_stride + i];
            const Four xs = {x, x, x, x};
            for (int v = 0; v < fours; ++v) sum[f][v] += load_four(w + 4 * v) * xs;
        }
    }
    for (int f = 0; f < Frames; ++f)
        for (int v = 0; v < fours; ++v) store_four(out + f * out_stride + 4 * v, sum[f][v]);
}

template <bool Adding>
void product(const std::vector<float>& weight, const std::vector<float>& bias, int inputs, const float* in,
             int in_stride, float* out, int out_stride, int frames) noexcept {
    const int width = static_cast<int>(bias.size());
    for (int o = 0; o < width; o += vector_channels) {
        int f = 0;
        for (; f + 2 <= frames; f += 2)
            tile<2, Adding>(weight.data() + o, width, bias.data() + o, inputs, in + f * in_stride, in_stride,
                            out + f * out_stride + o, out_stride);
        if (f < frames)
            tile<1, Adding>(weight.data() + o, width, bias.data() + o, inputs, in + f * in_stride, in_stride,
                            out + f * out_stride + o, out_stride);
    }
}

}  // namespace

Dense::Dense(int outputs, int inputs, std::span<const float> weight, std::span<const float> bias)
    : inputs_(inputs),
      outputs_(outputs),
      weight_(static_cast<std::size_t>(inputs) * static_cast<std::size_t>(padded(outputs))),
      bias_(static_cast<std::size_t>(padded(outputs))) {
    std::copy(bias.begin(), bias.end(), bias_.begin());
    for (int o = 0; o < outputs; ++o)
        for (int i = 0; i < inputs; ++i)
            weight_[static_cast<std::size_t>(i * padded(outputs) + o)] =
                weight[static_cast<std::size_t>(o * inputs + i)];
}

void Dense::run(const float* in, int in_stride, float* out, int out_stride, int frames) const noexcept {
    product<false>(weight_, bias_, inputs_, in, in_stride, out, out_stride, frames);
}

void Dense::add(const float* in, int in_stride, float* out, int out_stride, int frames) const noexcept {
    product<true>(weight_, bias_, inputs_, in, in_stride, out, out_stride, frames);
}

}  // namespace gainstage
