#include "nodes/kernels/simd.hpp"
#include "nodes/kernels/simd_targets.hpp"
#include "tools/bench/machine.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tools/bench/fma_peak.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gainstage::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Two multiply-adds can start in a cycle, and each takes four or five cycles: twelve chains keep the units
/// busy.
double MultiplyAdd(int rounds) {
    constexpr int chains = 12;
    const hn::ScalableTag<float> d;
    hn::Vec<decltype(d)> sum[chains];
    GAINSTAGE_UNROLL
    for (int c = 0; c < chains; ++c) sum[c] = hn::Set(d, static_cast<float>(c));
    const auto factor = hn::Set(d, 0.999f), addend = hn::Set(d, 0.001f);
    for (int round = 0; round < rounds; ++round) {
        GAINSTAGE_UNROLL
        for (int c = 0; c < chains; ++c) sum[c] = hn::MulAdd(sum[c], factor, addend);
    }
    auto all = sum[0];
    GAINSTAGE_UNROLL
    for (int c = 1; c < chains; ++c) all = hn::Add(all, sum[c]);
    volatile float kept = hn::GetLane(all);
    (void)kept;
    return 2. * chains * static_cast<double>(hn::Lanes(d)) * rounds;
}

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gainstage {

HWY_EXPORT(MultiplyAdd);

double multiply_add(int rounds) {
    simd_level();
    return HWY_DYNAMIC_DISPATCH(MultiplyAdd)(rounds);
}

}  // namespace gainstage
#endif
