#include "nodes/kernels/product.hpp"

#include "nodes/kernels/simd.hpp"
#include "nodes/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nodes/kernels/product.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "nodes/kernels/product-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace gainstage::HWY_NAMESPACE {

void RunProduct(const Product& p) noexcept GAINSTAGE_REALTIME {
    if (p.goes_on)
        Multiply<true>(p, ToOut{p});
    else
        Multiply<false>(p, ToOut{p});
}
void PreluProduct(const Product& p, const float* slope) noexcept GAINSTAGE_REALTIME {
    Multiply<false>(p, PreluToOut{p, slope});
}

template <bool Skips, bool Glides>
HWY_INLINE void AffinePreluOf(const Product& p, const AffinePrelu& a) {
    const AffinePreluToOut<Skips, Glides> finish{p, a};
    if (p.goes_on) {  // few of many taps are left; the pass over their sums is short
        RunProduct(p);
        FinishOut(p, finish);
    } else {
        Multiply<false>(p, finish);
    }
}
void AffinePreluProduct(const Product& p, const AffinePrelu& a) noexcept GAINSTAGE_REALTIME {
    if (a.glides)
        a.skip ? AffinePreluOf<true, true>(p, a) : AffinePreluOf<false, true>(p, a);
    else
        a.skip ? AffinePreluOf<true, false>(p, a) : AffinePreluOf<false, false>(p, a);
}

void DotProduct(const float* rows, const float* weight, float bias, int width, float* out,
                int frames) noexcept GAINSTAGE_REALTIME {
    const Channels d;
    for (int f = 0; f < frames; ++f, rows += width) {
        Sum sum = hn::Zero(d);
        for (int i = 0; i < width; i += Width())
            sum = hn::MulAdd(hn::LoadU(d, rows + i), hn::LoadU(d, weight + i), sum);
        out[f] = hn::GetLane(hn::SumOfLanes(d, sum)) + bias;
    }
}

const ProductKernels* ProductKernelsHere() {
    static constexpr ProductKernels kernels{
        .run = RunProduct, .prelu = PreluProduct, .affine_prelu = AffinePreluProduct, .dot = DotProduct};
    return &kernels;
}

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gainstage {

HWY_EXPORT(ProductKernelsHere);

const ProductKernels& product_kernels() {
    simd_level();
    return *HWY_DYNAMIC_DISPATCH(ProductKernelsHere)();
}

}  // namespace gainstage
#endif
