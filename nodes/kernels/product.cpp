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

void RunProduct(const Product& p) noexcept {
    Multiply(p, FromBias{p}, ToOut{p});
}
void AddProduct(const Product& p) noexcept {
    Multiply(p, FromBiasAndOut{p}, ToOut{p});
}
void PreluProduct(const Product& p, const float* slope) noexcept {
    Multiply(p, FromBias{p}, PreluToOut{p, slope});
}

const ProductKernels* ProductKernelsHere() {
    static constexpr ProductKernels kernels{.run = RunProduct, .add = AddProduct, .prelu = PreluProduct};
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
