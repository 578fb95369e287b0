#include "nodes/kernels/slide.hpp"

#include "nodes/kernels/rows.hpp"
#include "nodes/kernels/simd.hpp"
#include "nodes/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nodes/kernels/slide.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gainstage::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Slides one vector of bins, from `at` on within the group.
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

void SlideGroup(const Slide& s) noexcept GAINSTAGE_REALTIME {
    const int lanes = static_cast<int>(hn::Lanes(hn::CappedTag<float, vector_channels>()));
    for (int at = 0; at < vector_channels; at += lanes) SlideVector(s, at);
}

SlideFunction SlideHere() {
    return SlideGroup;
}

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gainstage {

HWY_EXPORT(SlideHere);

SlideFunction slide_kernel() {
    simd_level();
    return HWY_DYNAMIC_DISPATCH(SlideHere)();
}

}  // namespace gainstage
#endif
