#include "nodes/kernels/gated_steps.hpp"

#include "nodes/kernels/simd.hpp"
#include "nodes/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nodes/kernels/gated_steps.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "nodes/kernels/gates-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace gainstage::HWY_NAMESPACE {

using Floats = hn::CappedTag<float, 16>;
using V = hn::Vec<Floats>;

HWY_INLINE constexpr int Lanes16() {
    return static_cast<int>(hn::MaxLanes(Floats()));
}

/// Where one step of one sequence reads and writes.
struct OneStep {
    const float *gates, *samples, *hidden;
    float *cell, *out;
};

/// Start of the sum of gate `g` for the units from `u` on: the part that comes from the inputs.
HWY_INLINE V Begin(const GatedSteps& s, const OneStep& step, int g, int u) {
    const Floats d;
    const int at = g * s.row + u;
    const V gate = hn::LoadU(d, step.gates + at);
    return step.samples ? hn::MulAdd(hn::Set(d, *step.samples), hn::LoadU(d, s.sample_weight + at), gate)
                        : gate;
}

/// Units of h are read in pairs. A sum is two chains, one of even and one of odd units. It is one chain where
/// there are enough sums to hide the latency of an addition, and two chains each would not fit into 16
/// registers.
template <int Sums>
HWY_INLINE constexpr bool OneChain() {
    return Sums > 6 && Lanes16() == 8;
}
HWY_INLINE constexpr int AtATime() {
    return Lanes16() >= 8 ? 2 : 1;
}

/// Sums of the gates `Which`, for `Vectors` vectors of units from `u` on. `Gates`: all gates that depend on
/// h.
template <int... Which, int Gates, int Vectors>
HWY_INLINE void SumOf(const GatedSteps& s, const OneStep& step, int u, V (&sum)[Vectors][Gates]) {
    constexpr int which[] = {Which...};
    constexpr bool one_chain = OneChain<Vectors * sizeof...(Which)>();
    const Floats d;
    V odd[Vectors][Gates];
    GAINSTAGE_UNROLL
    for (int v = 0; v < Vectors; ++v) {
        GAINSTAGE_UNROLL
        for (const int g : which) {
            sum[v][g] = Begin(s, step, g, u + v * Lanes16());
            odd[v][g] = hn::Zero(d);
        }
    }
    const float* weight = s.weight + u;
    const int stride = Gates * s.row;
    int k = 0;
    for (; k + 2 <= s.units; k += 2, weight += 2 * stride) {
        const V h0 = hn::Set(d, step.hidden[k]), h1 = hn::Set(d, step.hidden[k + 1]);
        GAINSTAGE_UNROLL
        for (int v = 0; v < Vectors; ++v) {
            GAINSTAGE_UNROLL
            for (const int g : which) {
                const float* at = weight + g * s.row + v * Lanes16();
                V& second = one_chain ? sum[v][g] : odd[v][g];
                sum[v][g] = hn::MulAdd(h0, hn::LoadU(d, at), sum[v][g]);
                second = hn::MulAdd(h1, hn::LoadU(d, at + stride), second);
            }
        }
    }
    GAINSTAGE_UNROLL
    for (int v = 0; v < Vectors; ++v) {
        GAINSTAGE_UNROLL
        for (const int g : which) {
            if (k < s.units)
                sum[v][g] = hn::MulAdd(hn::Set(d, step.hidden[k]),
                                       hn::LoadU(d, weight + g * s.row + v * Lanes16()), sum[v][g]);
            if (!one_chain) sum[v][g] = hn::Add(sum[v][g], odd[v][g]);
        }
    }
}

struct LstmStep {
    template <int Vectors>
    static HWY_INLINE void Part(const GatedSteps& s, const OneStep& step, int u) {
        V sum[Vectors][4];
        if (OneChain<4 * Vectors>() && s.row <= Vectors * Lanes16()) {
            // o comes last: its sums fill the time that the tanh of the others take
            SumOf<0, 1, 3>(s, step, u, sum);
            SumOf<2>(s, step, u, sum);
        } else {
            SumOf<0, 1, 2, 3>(s, step, u, sum);
        }
        GAINSTAGE_UNROLL
        for (int v = 0; v < Vectors; ++v)
            FinishLstm(Floats(), sum[v], step.cell + u + v * Lanes16(), step.out + u + v * Lanes16());
    }
};
struct GruStep {
    template <int Vectors>
    static HWY_INLINE void Part(const GatedSteps& s, const OneStep& step, int u) {
        V sum[Vectors][3];
        SumOf<0, 1, 2>(s, step, u, sum);
        GAINSTAGE_UNROLL
        for (int v = 0; v < Vectors; ++v) {
            const int at = u + v * Lanes16();
            const V h =
                FinishGru(Floats(), sum[v], Begin(s, step, 3, at), hn::LoadU(Floats(), step.hidden + at));
            hn::StoreU(h, Floats(), step.out + at);
        }
    }
};

template <class Step>
HWY_INLINE void Take(const GatedSteps& s, const OneStep& step) {
    const Floats d;
    int u = 0;
    for (; u + AtATime() * Lanes16() <= s.row && u + Lanes16() < s.units; u += AtATime() * Lanes16())
        Step::template Part<AtATime()>(s, step, u);
    for (; u < s.units; u += Lanes16()) Step::template Part<1>(s, step, u);
    for (; u < s.row; u += Lanes16()) hn::StoreU(hn::Zero(d), d, step.out + u);
}

/// Takes a step of each sequence in turn. While one waits for its own previous step, the processor works on
/// the other.
template <class Step, int Sequences>
HWY_INLINE void RunSideBySide(const GatedSteps& s, const GatedSequence* sequences) {
    const Floats d;
    OneStep steps[Sequences];
    for (int q = 0; q < Sequences; ++q) {
        const GatedSequence& one = sequences[q];
        steps[q] = {.gates = one.gates,
                    .samples = one.samples,
                    .hidden = one.state,
                    .cell = one.state + s.row,
                    .out = one.out};
    }
    for (int f = 0; f < s.frames; ++f) {
        GAINSTAGE_UNROLL
        for (int q = 0; q < Sequences; ++q) {
            OneStep& step = steps[q];
            Take<Step>(s, step);
            step.gates += sequences[q].gates_stride;
            if (step.samples) ++step.samples;
            step.hidden = step.out;
            step.out += s.row;
        }
    }
    for (int q = 0; q < Sequences; ++q)
        for (int u = 0; u < s.row; u += Lanes16())
            hn::StoreU(hn::LoadU(d, steps[q].hidden + u), d, sequences[q].state + u);
}

template <class Step>
HWY_INLINE void Run(const GatedSteps& s) {
    std::size_t q = 0;
    for (; q + 2 <= s.sequences.size(); q += 2) RunSideBySide<Step, 2>(s, s.sequences.data() + q);
    if (q < s.sequences.size()) RunSideBySide<Step, 1>(s, s.sequences.data() + q);
}

void RunLstm(const GatedSteps& s) noexcept GAINSTAGE_REALTIME {
    Run<LstmStep>(s);
}
void RunGru(const GatedSteps& s) noexcept GAINSTAGE_REALTIME {
    Run<GruStep>(s);
}

void FinishGrus(const GatedSums& s) noexcept GAINSTAGE_REALTIME {
    const Floats d;
    for (int q = 0; q < s.sequences; ++q)
        for (int u = 0; u < s.row; u += Lanes16()) {
            const float* gates = s.gates + q * 4 * s.row + u;
            V sum[3];
            GAINSTAGE_UNROLL
            for (int g = 0; g < 3; ++g) sum[g] = hn::LoadU(d, gates + g * s.row);
            const V h =
                FinishGru(d, sum, hn::LoadU(d, gates + 3 * s.row), hn::LoadU(d, s.hidden + q * s.row + u));
            hn::StoreU(h, d, s.next_hidden + q * s.row + u);
        }
}

const GatedKernels* GatedKernelsHere() {
    static constexpr GatedKernels kernels{.run_lstm = RunLstm, .run_gru = RunGru, .finish_gru = FinishGrus};
    return &kernels;
}

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gainstage {

HWY_EXPORT(GatedKernelsHere);

const GatedKernels& gated_kernels() {
    simd_level();
    return *HWY_DYNAMIC_DISPATCH(GatedKernelsHere)();
}

}  // namespace gainstage
#endif
