#include "nodes/kernels/sliding_spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "nodes/kernels/row_maths.hpp"
#include "runtime/realtime/four.hpp"

namespace gainstage {

namespace {

constexpr int sums_of_group = 16, wave = 8;

/// One group of four bins over `frames` samples. `enters`: its waves from the stretch's position on;
/// `leaves`: those of as many samples before the stretch, going back towards it.
void slide(float* sums, const float* enters, const float* leaves, const float* entering, const float* leaving,
           float* magnitudes, int stride, int frames) noexcept {
    Four re = load_four(sums), im = load_four(sums + 4);
    Four old_re = load_four(sums + 8), old_im = load_four(sums + 12);
    for (int k = 0; k < frames; ++k) {
        const Four in = {entering[k], entering[k], entering[k], entering[k]};
        const Four out = {leaving[k], leaving[k], leaving[k], leaving[k]};
        re += in * load_four(enters + wave * k);
        im -= in * load_four(enters + wave * k + 4);
        old_re -= out * load_four(leaves - wave * k);
        old_im -= out * load_four(leaves - wave * k + 4);
        const Four all_re = re + old_re, all_im = im + old_im;
        store_four(magnitudes + k * stride, all_re * all_re + all_im * all_im);
    }
    store_four(sums, re);
    store_four(sums + 4, im);
    store_four(sums + 8, old_re);
    store_four(sums + 12, old_im);
}

}  // namespace

SlidingSpectrum::SlidingSpectrum(int window, int bins)
    : window_(window),
      bins_(bins),
      groups_(fours_of(bins) / 4),
      waves_(static_cast<std::size_t>(groups_ * (window + 1) * wave)) {
    const int points = 2 * bins - 1;
    for (int bin = 0; bin < bins; ++bin)
        for (int s = 0; s <= window; ++s) {
            // the product taken modulo a turn in whole numbers: exact however long the window
            const auto part = static_cast<double>(static_cast<long long>(bin) * s % points) / points;
            const auto at = static_cast<std::size_t>((bin / 4 * (window + 1) + s) * wave + bin % 4);
            waves_[at] = static_cast<float>(std::cos(2. * std::numbers::pi * part));
            waves_[at + 4] = static_cast<float>(std::sin(2. * std::numbers::pi * part));
        }
}

SlidingSpectrum::State SlidingSpectrum::make_state() const {
    return {std::vector<float>(static_cast<std::size_t>(groups_ * sums_of_group)), 0};
}

void SlidingSpectrum::clear(State& state, int position) noexcept {
    std::fill(state.sums.begin(), state.sums.end(), 0.f);
    state.position = position;
}

/// A new stretch: what entered in the last one is old now, seen from an origin `window` samples later.
void SlidingSpectrum::turn(State& state) const noexcept {
    for (int g = 0; g < groups_; ++g) {
        float* sums = state.sums.data() + g * sums_of_group;
        const float* last = waves_.data() + (g * (window_ + 1) + window_) * wave;
        const Four re = load_four(sums), im = load_four(sums + 4);
        const Four c = load_four(last), s = load_four(last + 4);
        store_four(sums + 8, re * c - im * s);
        store_four(sums + 12, im * c + re * s);
        store_four(sums, Four{});
        store_four(sums + 4, Four{});
    }
    state.position = 0;
}

void SlidingSpectrum::run(State& state, const float* entering, const float* leaving, float* magnitudes,
                          int stride, int frames) const noexcept {
    for (int done = 0; done < frames;) {
        if (state.position == window_) turn(state);
        const int run = std::min(frames - done, window_ - state.position);
        for (int g = 0; g < groups_; ++g) {
            const float* waves = waves_.data() + g * (window_ + 1) * wave;
            slide(state.sums.data() + g * sums_of_group, waves + state.position * wave,
                  waves + (window_ - state.position) * wave, entering + done, leaving + done,
                  magnitudes + done * stride + 4 * g, stride, run);
        }
        state.position += run;
        done += run;
    }
    each_four(magnitudes, stride, bins_, frames,
              [](const FourChannels& x) -> FourChannels { return x.sqrt(); });
}

}  // namespace gainstage
