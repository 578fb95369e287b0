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
HWY_INLINE void RunOne(const SmallCell& weights, const SmallSequence& s, int frames) {
    Cell cell(weights, s.state);
    for (int k = 0; k < frames; ++k) s.out[k] = cell.Step(s.in[k]);
    cell.Store(s.state);
}

template <class Cell>
HWY_INLINE void RunTwo(const SmallCell& weights, const SmallSequence& s, const SmallSequence& t, int frames) {
    Cell one(weights, s.state), other(weights, t.state);
    for (int k = 0; k < frames; ++k) {
        s.out[k] = one.Step(s.in[k]);
        t.out[k] = other.Step(t.in[k]);
    }
    one.Store(s.state);
    other.Store(t.state);
}

template <class Cell>
void RunCell(const SmallCell& weights, std::span<const SmallSequence> sequences,
             int frames) noexcept GAINSTAGE_REALTIME {
    const SmallSequence* s = sequences.data();
    const SmallSequence* const end = s + sequences.size();
    for (; end - s >= 2; s += 2) RunTwo<Cell>(weights, s[0], s[1], frames);
    if (s < end) RunOne<Cell>(weights, *s, frames);
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
