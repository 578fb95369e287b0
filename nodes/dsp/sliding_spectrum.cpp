#include "nodes/dsp/sliding_spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "nodes/kernels/rows.hpp"

namespace gainstage {

namespace {
constexpr int sums_of_group = 4 * vector_channels, wave = 2 * vector_channels;
}

SlidingSpectrum::SlidingSpectrum(int window, int bins)
    : window_(window),
      bins_(bins),
      groups_(padded(bins) / vector_channels),
      waves_(groups_ * (window + 1) * wave),
      slide_(slide_kernel()) {
    const int points = 2 * bins - 1;
    for (int bin = 0; bin < bins; ++bin)
        for (int s = 0; s <= window; ++s) {
            // the angle is reduced to one turn in whole numbers: exact however long the window is
            const double turns = static_cast<double>(static_cast<long long>(bin) * s % points) / points;
            const int group = bin / vector_channels;
            float* const at = waves_.data() + (group * (window + 1) + s) * wave + bin % vector_channels;
            at[0] = static_cast<float>(std::cos(2. * std::numbers::pi * turns));
            at[vector_channels] = static_cast<float>(std::sin(2. * std::numbers::pi * turns));
        }
}

SlidingSpectrum::State SlidingSpectrum::make_state() const {
    return {AlignedFloats(groups_ * sums_of_group), 0};
}

void SlidingSpectrum::clear(State& state, int position) noexcept GAINSTAGE_REALTIME {
    std::fill(state.sums.begin(), state.sums.end(), 0.f);
    state.position = position;
}

/// Begins a stretch: the samples that entered in the last one become the old ones, seen from an origin
/// `window` samples later.
void SlidingSpectrum::turn(State& state) const noexcept GAINSTAGE_REALTIME {
    for (int g = 0; g < groups_; ++g) {
        const float* const last = waves_.data() + (g * (window_ + 1) + window_) * wave;
        float* const re = state.sums.data() + g * sums_of_group;
        float* const im = re + vector_channels;
        for (int b = 0; b < vector_channels; ++b) {
            const float c = last[b], s = last[vector_channels + b];
            re[2 * vector_channels + b] = re[b] * c - im[b] * s;
            im[2 * vector_channels + b] = im[b] * c + re[b] * s;
            re[b] = im[b] = 0.f;
        }
    }
    state.position = 0;
}

void SlidingSpectrum::run(State& state, const float* entering, const float* leaving, float* magnitudes,
                          int stride, int frames) const noexcept GAINSTAGE_REALTIME {
    for (int done = 0; done < frames;) {
        if (state.position == window_) turn(state);
        const int run = std::min(frames - done, window_ - state.position);
        for (int g = 0; g < groups_; ++g) {
            const float* const waves = waves_.data() + g * (window_ + 1) * wave;
            slide_({.sums = state.sums.data() + g * sums_of_group,
                    .enters = waves + state.position * wave,
                    .leaves = waves + (window_ - state.position) * wave,
                    .entering = entering + done,
                    .leaving = leaving + done,
                    .magnitudes = magnitudes + done * stride + g * vector_channels,
                    .stride = stride,
                    .frames = run});
        }
        state.position += run;
        done += run;
    }
}

}  // namespace gainstage
