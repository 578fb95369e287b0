/// One step of small recurrent cells (recurrence.hpp). For kernels that are compiled once per SIMD level:
/// include it inside the loop of hwy/foreach_target.h. The path from h to the next h is kept short, because
/// it decides how long a step takes.

#include <hwy/highway.h>

#if defined(GAINSTAGE_SMALL_CELLS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef GAINSTAGE_SMALL_CELLS_INL
#undef GAINSTAGE_SMALL_CELLS_INL
#else
#define GAINSTAGE_SMALL_CELLS_INL
#endif

#include "nodes/kernels/gates-inl.hpp"
#include "nodes/kernels/simd_targets.hpp"
#include "nodes/kernels/small_cells.hpp"

HWY_BEFORE_NAMESPACE();
namespace gainstage::HWY_NAMESPACE {

/// `Units` numbers in as few registers as possible.
template <int Units>
struct UnitVector {
    using D = hn::CappedTag<float, HWY_MIN(Units, 16)>;
    using V = hn::Vec<D>;
    static constexpr int lanes = static_cast<int>(hn::MaxLanes(D()));
    static constexpr int vectors = Units / lanes;
    /// Four units in one register are broadcast from there and do not go through memory.
    static constexpr bool in_register = Units == 4 && lanes == 4;

    V v[vectors];
    HWY_ALIGN float kept[Units];

    // Written out: ARM's g++ makes its own constructors outside of what this target allows.
    HWY_INLINE UnitVector() {}

    HWY_INLINE void Load(const float* from) {
        for (int i = 0; i < vectors; ++i) v[i] = hn::LoadU(D(), from + i * lanes);
        Keep();
    }
    HWY_INLINE void Store(float* to) const {
        for (int i = 0; i < vectors; ++i) hn::StoreU(v[i], D(), to + i * lanes);
    }
    HWY_INLINE void Keep() {
        if constexpr (!in_register) Store(kept);
    }
    /// Dot product with a row of weights.
    HWY_INLINE float Dot(const float* weight) const {
        V sum = hn::Mul(v[0], hn::LoadU(D(), weight));
        GAINSTAGE_UNROLL
        for (int i = 1; i < vectors; ++i) sum = hn::MulAdd(v[i], hn::LoadU(D(), weight + i * lanes), sum);
        return hn::GetLane(hn::SumOfLanes(D(), sum));
    }
};

/// sum[g] += W h for `Gates` gates, in two chains, of even and of odd units. weight: [unit of h][gate][unit].
template <int Gates, int Units, class V = typename UnitVector<Units>::V>
HWY_INLINE void AddHidden(const float* weight, const UnitVector<Units>& h,
                          V (&sum)[Gates][UnitVector<Units>::vectors]) {
    using U = UnitVector<Units>;
    constexpr int stride = Gates * Units;
    const typename U::D d;
    if constexpr (U::in_register) {
        const V h0 = hn::Broadcast<0>(h.v[0]), h1 = hn::Broadcast<1>(h.v[0]);
        const V h2 = hn::Broadcast<2>(h.v[0]), h3 = hn::Broadcast<3>(h.v[0]);
        GAINSTAGE_UNROLL
        for (int g = 0; g < Gates; ++g) {
            const float* const w = weight + g * Units;
            const V odd = hn::MulAdd(h3, hn::LoadU(d, w + 3 * stride), hn::Mul(h1, hn::LoadU(d, w + stride)));
            const V even = hn::MulAdd(h0, hn::LoadU(d, w), sum[g][0]);
            sum[g][0] = hn::Add(hn::MulAdd(h2, hn::LoadU(d, w + 2 * stride), even), odd);
        }
    } else {
        V odd[Gates][U::vectors];
        for (auto& gate : odd)
            for (V& v : gate) v = hn::Zero(d);
        for (int j = 0; j < Units; j += 2, weight += 2 * stride) {
            const V h0 = hn::Set(d, h.kept[j]), h1 = hn::Set(d, h.kept[j + 1]);
            GAINSTAGE_UNROLL
            for (int g = 0; g < Gates; ++g) {
                GAINSTAGE_UNROLL
                for (int i = 0; i < U::vectors; ++i) {
                    const float* const w = weight + g * Units + i * U::lanes;
                    sum[g][i] = hn::MulAdd(h0, hn::LoadU(d, w), sum[g][i]);
                    odd[g][i] = hn::MulAdd(h1, hn::LoadU(d, w + stride), odd[g][i]);
                }
            }
        }
        for (int g = 0; g < Gates; ++g)
            for (int i = 0; i < U::vectors; ++i) sum[g][i] = hn::Add(sum[g][i], odd[g][i]);
    }
}

/// A cell's weights, and its state while it runs.
template <int Units>
struct RunningCell {
    using U = UnitVector<Units>;
    const SmallCell& cell;
    U h;

    HWY_INLINE RunningCell(const SmallCell& c, const float* state) : cell(c) { h.Load(state); }
    HWY_INLINE void Store(float* state) const { h.Store(state); }
    /// The output of the cell. Call it each time that h has changed.
    HWY_INLINE float Output() {
        h.Keep();
        return h.Dot(cell.out) + cell.out_bias;
    }
};

/// h = tanh(Wi u + b + Wh h)
template <int Units>
struct SmallElman : RunningCell<Units> {
    using U = UnitVector<Units>;
    using RunningCell<Units>::cell, RunningCell<Units>::h;

    HWY_INLINE SmallElman(const SmallCell& c, const float* state) : RunningCell<Units>(c, state) {}
    HWY_INLINE float Step(float in) {
        const typename U::D d;
        typename U::V sum[1][U::vectors];
        for (int i = 0; i < U::vectors; ++i)
            sum[0][i] = hn::MulAdd(hn::Set(d, in), hn::LoadU(d, cell.input + i * U::lanes),
                                   hn::LoadU(d, cell.bias + i * U::lanes));
        AddHidden<1, Units>(cell.hidden, h, sum);
        for (int i = 0; i < U::vectors; ++i) h.v[i] = QuickTanh(d, sum[0][i]);
        return this->Output();
    }
};

/// As PyTorch defines it. The weights and biases of r and z are stored halved (gates-inl.hpp).
template <int Units>
struct SmallGru : RunningCell<Units> {
    using U = UnitVector<Units>;
    using RunningCell<Units>::cell, RunningCell<Units>::h;

    HWY_INLINE SmallGru(const SmallCell& c, const float* state) : RunningCell<Units>(c, state) {}
    HWY_INLINE float Step(float in) {
        using V = typename U::V;
        const typename U::D d;
        const V x = hn::Set(d, in);
        V sum[3][U::vectors], fresh[U::vectors];
        for (int i = 0; i < U::vectors; ++i) {
            const int at = i * U::lanes;
            for (int g = 0; g < 2; ++g)
                sum[g][i] = hn::MulAdd(x, hn::LoadU(d, cell.input + g * Units + at),
                                       hn::LoadU(d, cell.bias + g * Units + at));
            sum[2][i] = hn::LoadU(d, cell.bias + 3 * Units + at);
            fresh[i] = hn::MulAdd(x, hn::LoadU(d, cell.input + 2 * Units + at),
                                  hn::LoadU(d, cell.bias + 2 * Units + at));
        }
        AddHidden<3, Units>(cell.hidden, h, sum);
        for (int i = 0; i < U::vectors; ++i) {
            const V gates[3] = {sum[0][i], sum[1][i], sum[2][i]};
            h.v[i] = FinishGru(d, gates, fresh[i], h.v[i]);
        }
        return this->Output();
    }
};

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
