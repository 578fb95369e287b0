/// The part of a gated cell's step that follows its sums. For kernels that are compiled once per SIMD level:
/// include it inside the loop of hwy/foreach_target.h.

#include <hwy/highway.h>

#if defined(GAINSTAGE_GATES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef GAINSTAGE_GATES_INL
#undef GAINSTAGE_GATES_INL
#else
#define GAINSTAGE_GATES_INL
#endif

#include "nodes/kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace gainstage::HWY_NAMESPACE {

/// sigmoid(2 x). The weights of the gates are stored halved, so this is the sigmoid of the full sum.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Gate(D d, V x) {
    const V half = hn::Set(d, 0.5f);
    return hn::MulAdd(half, Tanh(d, x), half);
}

/// Finishes an LSTM's step for one vector of units, from the sums of its gates i, f, o, g. A gate is
/// (1 + tanh) / 2. The half is applied to the operand, so that little is left to do after the last tanh.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void FinishLstm(D d, const V (&sum)[4], float* cell, float* hidden) {
    const V half = hn::Set(d, 0.5f), held = hn::Mul(half, hn::LoadU(d, cell));
    const V keep = QuickTanh(d, sum[1]), take = QuickTanh(d, sum[0]), fresh = Tanh(d, sum[3], 0.5f),
            show = Gate(d, sum[2]);
    const V c = hn::MulAdd(take, fresh, hn::Add(hn::MulAdd(keep, held, held), fresh));
    hn::StoreU(c, d, cell);
    hn::StoreU(TimesTanh(d, show, c), d, hidden);
}

/// Finishes a GRU's step, from the sums of r, z and n's recurrent part, n's input part and the previous h.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V FinishGru(D d, const V (&sum)[3], V input_part, V before) {
    // r times the recurrent part is half of that part, plus tanh times the same half. All that does not need
    // a tanh, and z times the previous h, is ready before the tanh is.
    const V half = hn::Mul(hn::Set(d, 0.5f), sum[2]);
    const V fresh = QuickTanh(d, hn::MulAdd(half, QuickTanh(d, sum[0]), hn::Add(half, input_part)));
    const V keep = Gate(d, sum[1]), kept = hn::Mul(keep, before);
    return hn::MulAdd(hn::Sub(hn::Set(d, 1.f), keep), fresh, kept);
}

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
