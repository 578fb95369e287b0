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

struct Keep {
    HWY_INLINE Sum Of(std::ptrdiff_t, std::ptrdiff_t, int, Sum y) const { return y; }
};
struct Bend {
    const AffinePrelu& a;
    HWY_INLINE Sum Of(std::ptrdiff_t f, std::ptrdiff_t, int o, Sum y) const { return Bent<true>(a, f, o, y); }
};

/// `Modes` of one vector of channels, their states in registers. The first group begins the sums, the last
/// one finishes them.
template <int Modes, bool First, bool Last, class Finish>
HWY_INLINE void ScanGroup(const DiagonalScan& s, int mode, int o, const Finish& finish) {
    const Channels d;
    Sum r[Modes], m[Modes];
    GAINSTAGE_UNROLL
    for (int n = 0; n < Modes; ++n) {
        const float* state = s.state + 2 * (mode + n) * s.row + o;
        r[n] = hn::LoadU(d, state), m[n] = hn::LoadU(d, state + s.row);
    }
    const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(mode) * s.row + o;
    for (std::ptrdiff_t f = 0; f < s.frames; ++f) {
        const std::ptrdiff_t at = f * s.row + o;
        const Sum u = hn::LoadU(d, s.in + at);
        Sum even = First ? hn::Mul(hn::LoadU(d, s.direct + o), u) : hn::LoadU(d, s.sums + at);
        Sum odd = hn::Zero(d);
        GAINSTAGE_UNROLL
        for (int n = 0; n < Modes; ++n) {
            const std::ptrdiff_t k = first + n * s.row;
            const Sum change =
                hn::MulAdd(hn::LoadU(d, s.p + k), r[n], hn::MulAdd(hn::LoadU(d, s.q + k), m[n], u));
            m[n] = hn::Add(m[n], r[n]);
            r[n] = hn::Add(r[n], change);
            Sum& y = n % 2 ? odd : even;
            y = hn::MulAdd(hn::LoadU(d, s.c1 + k), r[n], y);
            y = hn::MulAdd(hn::LoadU(d, s.c2 + k), m[n], y);
        }
        const Sum y = hn::Add(even, odd);
        if (Last)
            hn::StoreU(finish.Of(f, at, o, y), d, s.out + at);
        else
            hn::StoreU(y, d, s.sums + at);
    }
    GAINSTAGE_UNROLL
    for (int n = 0; n < Modes; ++n) {
        float* state = s.state + 2 * (mode + n) * s.row + o;
        hn::StoreU(r[n], d, state), hn::StoreU(m[n], d, state + s.row);
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

void RunScan(const DiagonalScan& s) noexcept {
    Scan(s, Keep{});
}
void RunScanAffinePrelu(const DiagonalScan& s, const AffinePrelu& a) noexcept {
    Scan(s, Bend{a});
}
void ScanAffinePrelu(const DiagonalScan& s, const AffinePrelu& a) noexcept {
    const Channels d;
    for (int o = 0; o < s.row; o += Width())
        for (std::ptrdiff_t f = 0; f < s.frames; ++f)
            hn::StoreU(Bent<true>(a, f, o, hn::LoadU(d, s.sums + f * s.row + o)), d, s.out + f * s.row + o);
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
