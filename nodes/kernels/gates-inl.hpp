/// What follows the sums of a gated cell's step, for kernels that are compiled once per level: included
/// inside the loop of hwy/foreach_target.h.

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

/// sig(2 x): the gates' weights are halved already.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Gate(D d, V x) {
    const V half = hn::Set(d, 0.5f);
    return hn::MulAdd(half, Tanh(d, x), half);
}

/// The rest of an LSTM's step for one vector of units, from the sums of its gates i, f, o, g. Halves of the
/// gates are taken of what they multiply, so that little is left to do after the last tanh.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void FinishLstm(D d, const V (&sum)[4], float* cell, float* hidden) {
    const V half = hn::Set(d, 0.5f), held = hn::Mul(half, hn::LoadU(d, cell));
    const V keep = QuickTanh(d, sum[1]), take = QuickTanh(d, sum[0]), fresh = Tanh(d, sum[3], 0.5f),
            show = Gate(d, sum[2]);
    const V c = hn::MulAdd(take, fresh, hn::Add(hn::MulAdd(keep, held, held), fresh));
    hn::StoreU(c, d, cell);
    hn::StoreU(TimesTanh(d, show, c), d, hidden);
}

/// A GRU's, from the sums of r, z and n's recurrent part, n's input part, and h before.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V FinishGru(D d, const V (&sum)[3], V input_part, V before) {
    // r of the recurrent part is half of it and tanh of the other half; that, and what z is to weigh, is
    // ready when tanh is
    const V half = hn::Mul(hn::Set(d, 0.5f), sum[2]);
    const V fresh = QuickTanh(d, hn::MulAdd(half, QuickTanh(d, sum[0]), hn::Add(half, input_part)));
    const V keep = Gate(d, sum[1]), kept = hn::Mul(keep, before);
    return hn::MulAdd(hn::Sub(hn::Set(d, 1.f), keep), fresh, kept);
}

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
