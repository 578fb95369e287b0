#include "nodes/kernels/small_cells.hpp"

#include "nodes/kernels/simd.hpp"
#include "nodes/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nodes/kernels/small_cells.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "nodes/kernels/small_cells-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace gainstage::HWY_NAMESPACE {

template <class Cell>
void RunCell(const SmallCell& weights, float* state, const float* in, float* out, int frames) noexcept {
    Cell cell(weights, state);
    for (int k = 0; k < frames; ++k) out[k] = cell.Step(in[k]);
    cell.Store(state);
}

const SmallCellKernels* SmallCellKernelsHere() {
    static constexpr SmallCellKernels kernels{
        .elman = {RunCell<SmallElman<4>>, RunCell<SmallElman<8>>, RunCell<SmallElman<16>>,
                  RunCell<SmallElman<32>>},
        .gru = {RunCell<SmallGru<4>>, RunCell<SmallGru<8>>, RunCell<SmallGru<16>>, RunCell<SmallGru<32>>}};
    return &kernels;
}

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gainstage {

HWY_EXPORT(SmallCellKernelsHere);

const SmallCellKernels& small_cell_kernels() {
    simd_level();
    return *HWY_DYNAMIC_DISPATCH(SmallCellKernelsHere)();
}

}  // namespace gainstage
#endif
