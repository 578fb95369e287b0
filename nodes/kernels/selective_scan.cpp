#include "nodes/kernels/selective_scan.hpp"

#include "nodes/kernels/simd.hpp"
#include "nodes/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nodes/kernels/selective_scan.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "nodes/kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace gainstage::HWY_NAMESPACE {

using Floats = hn::CappedTag<float, 16>;

/// Scans `States` states from `first` on, of one vector of channels from `at` on, with the states in
/// registers. The first group of states begins the sums, the others add to them.
template <int States, bool Remembers>
HWY_INLINE void ScanGroup(const SelectiveScan& s, int first, int at) {
    const Floats d;
    using V = hn::Vec<Floats>;
    V h[States], decay[States];
    GAINSTAGE_UNROLL
    for (int n = 0; n < States; ++n) {
        h[n] = hn::LoadU(d, s.hidden + (first + n) * s.row + at);
        decay[n] = hn::LoadU(d, s.decay + (first + n) * s.row + at);
    }
    const V skip = hn::LoadU(d, s.skip + at);
    for (int k = 0; k < s.frames; ++k) {
        const V in = hn::LoadU(d, s.in + k * s.row + at), delta = hn::LoadU(d, s.delta + k * s.row + at);
        const V drive = hn::Mul(delta, in);
        float* const out = s.out + k * s.row + at;
        V even = first == 0 ? hn::Mul(skip, in) : hn::LoadU(d, out), odd = hn::Zero(d);
        GAINSTAGE_UNROLL
        for (int n = 0; n < States; ++n) {
            const V added = hn::Mul(drive, hn::Set(d, s.b[k * s.map_row + first + n]));
            h[n] = Remembers ? hn::MulAdd(Exp2OfNegative(d, hn::Mul(delta, decay[n])), h[n], added) : added;
            V& sum = n % 2 ? odd : even;
            sum = hn::MulAdd(h[n], hn::Set(d, s.c[k * s.map_row + first + n]), sum);
        }
        hn::StoreU(hn::Add(even, odd), d, out);
    }
    GAINSTAGE_UNROLL
    for (int n = 0; n < States; ++n) hn::StoreU(h[n], d, s.hidden + (first + n) * s.row + at);
}

template <bool Remembers>
void Scan(const SelectiveScan& s) noexcept GAINSTAGE_REALTIME {
    const int lanes = static_cast<int>(hn::Lanes(Floats()));
    for (int at = 0; at < s.channels; at += lanes) {
        int n = 0;
        for (; n + 4 <= s.states; n += 4) ScanGroup<4, Remembers>(s, n, at);
        for (; n + 2 <= s.states; n += 2) ScanGroup<2, Remembers>(s, n, at);
        for (; n < s.states; ++n) ScanGroup<1, Remembers>(s, n, at);
    }
}

const SelectiveScanKernels* SelectiveScanKernelsHere() {
    static constexpr SelectiveScanKernels kernels{.run = Scan<true>, .run_forgetting = Scan<false>};
    return &kernels;
}

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gainstage {

HWY_EXPORT(SelectiveScanKernelsHere);

const SelectiveScanKernels& selective_scan_kernels() {
    simd_level();
    return *HWY_DYNAMIC_DISPATCH(SelectiveScanKernelsHere)();
}

}  // namespace gainstage
#endif
