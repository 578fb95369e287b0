#include "nodes/kernels/diagonal_scan.hpp"

#include "nodes/kernels/simd.hpp"
#include "nodes/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nodes/kernels/diagonal_scan.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "nodes/kernels/product-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace gainstage::HWY_NAMESPACE {

/// A finish that leaves y as it is.
struct Keep {
    HWY_INLINE Keep At(int) const { return {}; }
    HWY_INLINE Sum Of(std::ptrdiff_t, Sum y) const { return y; }
};
/// A finish that applies `a` to y.
template <bool Glides>
struct BendColumns {
    const AffinePrelu& a;
    HWY_INLINE Bend<true, Glides> At(int o) const { return {a, o}; }
};

/// Runs `Modes` modes of one vector of channels with their states in registers. The first group of modes
/// begins the sums, the last one finishes them.
template <int Modes, bool First, bool Last, class Finish>
HWY_INLINE void ScanGroup(const DiagonalScan& s, int mode, int o, const Finish& finish) {
    const Channels d;
    const std::ptrdiff_t row = s.row, frames = s.frames;
    Sum r[Modes], m[Modes];
    // No struct: ARM's g++ makes its constructor outside of what this target allows.
    Sum p[Modes], q[Modes], c1[Modes], c2[Modes];
    GAINSTAGE_UNROLL
    for (int n = 0; n < Modes; ++n) {
        const std::ptrdiff_t k = (mode + n) * row + o;
        const float* state = s.state + 2 * (mode + n) * row + o;
        r[n] = hn::LoadU(d, state), m[n] = hn::LoadU(d, state + row);
        p[n] = hn::LoadU(d, s.p + k), q[n] = hn::LoadU(d, s.q + k);
        c1[n] = hn::LoadU(d, s.c1 + k), c2[n] = hn::LoadU(d, s.c2 + k);
    }
    const Sum direct = hn::LoadU(d, s.direct + o);
    const auto column = finish.At(o);
    const float* in = s.in + o;
    float *sums = s.sums + o, *out = s.out + o;
    for (std::ptrdiff_t f = 0; f < frames; ++f) {
        const Sum u = hn::LoadU(d, in + f * row);
        Sum even = First ? hn::Mul(direct, u) : hn::LoadU(d, sums + f * row);
        Sum odd = hn::Zero(d);
        GAINSTAGE_UNROLL
        for (int n = 0; n < Modes; ++n) {
            const Sum change = hn::MulAdd(p[n], r[n], hn::MulAdd(q[n], m[n], u));
            m[n] = hn::Add(m[n], r[n]);
            r[n] = hn::Add(r[n], change);
            Sum& y = n % 2 ? odd : even;
            y = hn::MulAdd(c1[n], r[n], y);
            y = hn::MulAdd(c2[n], m[n], y);
        }
        const Sum y = hn::Add(even, odd);
        if (Last)
            hn::StoreU(column.Of(f, y), d, out + f * row);
        else
            hn::StoreU(y, d, sums + f * row);
    }
    GAINSTAGE_UNROLL
    for (int n = 0; n < Modes; ++n) {
        float* state = s.state + 2 * (mode + n) * row + o;
        hn::StoreU(r[n], d, state), hn::StoreU(m[n], d, state + row);
    }
}

template <int Modes, class Finish>
HWY_INLINE void ScanModes(const DiagonalScan& s, int mode, int o, const Finish& finish) {
    const bool first = mode == 0, last = mode + Modes == s.modes;
    if (first && last)
        ScanGroup<Modes, true, true>(s, mode, o, finish);
    else if (first)
        ScanGroup<Modes, true, false>(s, mode, o, finish);
    else if (last)
        ScanGroup<Modes, false, true>(s, mode, o, finish);
    else
        ScanGroup<Modes, false, false>(s, mode, o, finish);
}

template <class Finish>
HWY_INLINE void Scan(const DiagonalScan& s, const Finish& finish) {
    for (int o = 0; o < s.row; o += Width()) {
        int mode = 0;
        for (; mode + 4 <= s.modes; mode += 4) ScanModes<4>(s, mode, o, finish);
        for (; mode + 2 <= s.modes; mode += 2) ScanModes<2>(s, mode, o, finish);
        for (; mode < s.modes; ++mode) ScanModes<1>(s, mode, o, finish);
    }
}

void RunScan(const DiagonalScan& s) noexcept GAINSTAGE_REALTIME {
    Scan(s, Keep{});
}
void RunScanAffinePrelu(const DiagonalScan& s, const AffinePrelu& a) noexcept GAINSTAGE_REALTIME {
    if (a.glides)
        Scan(s, BendColumns<true>{a});
    else
        Scan(s, BendColumns<false>{a});
}
void ScanAffinePrelu(const DiagonalScan& s, const AffinePrelu& a) noexcept GAINSTAGE_REALTIME {
    const Channels d;
    for (int o = 0; o < s.row; o += Width()) {
        const Bend<true, true> column(a, o);
        for (std::ptrdiff_t f = 0; f < s.frames; ++f)
            hn::StoreU(column.Of(f, hn::LoadU(d, s.sums + f * s.row + o)), d, s.out + f * s.row + o);
    }
}

const DiagonalScanKernels* DiagonalScanKernelsHere() {
    static constexpr DiagonalScanKernels kernels{
        .run = RunScan, .run_affine_prelu = RunScanAffinePrelu, .affine_prelu = ScanAffinePrelu};
    return &kernels;
}

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gainstage {

HWY_EXPORT(DiagonalScanKernelsHere);

const DiagonalScanKernels& diagonal_scan_kernels() {
    simd_level();
    return *HWY_DYNAMIC_DISPATCH(DiagonalScanKernelsHere)();
}

}  // namespace gainstage
#endif
