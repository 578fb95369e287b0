#include "nodes/kernels/sliding_spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "nodes/kernels/dense.hpp"
#include "nodes/kernels/simd.hpp"
#include "nodes/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nodes/kernels/sliding_spectrum.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gainstage::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// One vector of bins, from `at` on within the group.
HWY_INLINE void SlideVector(const Slide& s, int at) {
    const hn::CappedTag<float, vector_channels> d;
    constexpr int part = vector_channels, wave = 2 * vector_channels;
    auto re = hn::LoadU(d, s.sums + at), im = hn::LoadU(d, s.sums + part + at);
    auto old_re = hn::LoadU(d, s.sums + 2 * part + at), old_im = hn::LoadU(d, s.sums + 3 * part + at);
    for (int k = 0; k < s.frames; ++k) {
        const float *enters = s.enters + wave * k + at, *leaves = s.leaves - wave * k + at;
        const auto in = hn::Set(d, s.entering[k]), out = hn::Set(d, s.leaving[k]);
        re = hn::MulAdd(in, hn::LoadU(d, enters), re);
        im = hn::NegMulAdd(in, hn::LoadU(d, enters + part), im);
        old_re = hn::NegMulAdd(out, hn::LoadU(d, leaves), old_re);
        old_im = hn::NegMulAdd(out, hn::LoadU(d, leaves + part), old_im);
        const auto all_re = hn::Add(re, old_re), all_im = hn::Add(im, old_im);
        const auto power = hn::MulAdd(all_re, all_re, hn::Mul(all_im, all_im));
        hn::StoreU(hn::Sqrt(power), d, s.magnitudes + k * s.stride + at);
    }
    hn::StoreU(re, d, s.sums + at);
    hn::StoreU(im, d, s.sums + part + at);
    hn::StoreU(old_re, d, s.sums + 2 * part + at);
    hn::StoreU(old_im, d, s.sums + 3 * part + at);
}

void SlideGroup(const Slide& s) noexcept {
    const int lanes = static_cast<int>(hn::Lanes(hn::CappedTag<float, vector_channels>()));
    for (int at = 0; at < vector_channels; at += lanes) SlideVector(s, at);
}

using SlideFunction = void (*)(const Slide&) noexcept;
SlideFunction SlideHere() {
    return SlideGroup;
}

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gainstage {

HWY_EXPORT(SlideHere);

namespace {
constexpr int sums_of_group = 4 * vector_channels, wave = 2 * vector_channels;
}

SlidingSpectrum::SlidingSpectrum(int window, int bins)
    : window_(window),
      bins_(bins),
      groups_(padded(bins) / vector_channels),
      waves_(groups_ * (window + 1) * wave) {
    simd_level();
    slide_ = HWY_DYNAMIC_DISPATCH(SlideHere)();
    const int points = 2 * bins - 1;
    for (int bin = 0; bin < bins; ++bin)
        for (int s = 0; s <= window; ++s) {
            // the product taken modulo a turn in whole numbers: exact however long the window
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

void SlidingSpectrum::clear(State& state, int position) noexcept {
    std::fill(state.sums.begin(), state.sums.end(), 0.f);
    state.position = position;
}

/// A new stretch: what entered in the last one is old now, seen from an origin `window` samples later.
void SlidingSpectrum::turn(State& state) const noexcept {
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
                          int stride, int frames) const noexcept {
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
#endif
