#include "nodes/kernels/lstm_step.hpp"

#include "nodes/kernels/simd.hpp"
#include "nodes/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nodes/kernels/lstm_step.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "nodes/kernels/gates-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace gainstage::HWY_NAMESPACE {

using Floats = hn::CappedTag<float, 16>;

HWY_INLINE constexpr int UnitLanes() {
    return static_cast<int>(hn::MaxLanes(Floats()));
}
/// Two vectors of units by four gates: enough chains of sums to hide the latency of an addition.
HWY_INLINE constexpr int PanelLanes() {
    return 2 * UnitLanes();
}
/// Sequences whose sums fit into the registers, with one vector of units each.
HWY_INLINE constexpr int SequencesAtATime() {
    return UnitLanes() == 16 ? 4 : 2;
}

/// Takes one step of `Vectors` vectors of units from `unit` on, for `Sequences` sequences from `first` on.
template <int Sequences, int Vectors>
HWY_INLINE void StepUnits(const LstmStep& s, int first, int unit) {
    const Floats d;
    using V = hn::Vec<Floats>;
    const int panel = unit - unit % PanelLanes(), width = HWY_MIN(PanelLanes(), s.row - panel);
    const int lane = unit - panel;
    V sum[Sequences][Vectors][4];
    GAINSTAGE_UNROLL
    for (int q = 0; q < Sequences; ++q) {
        const V x = hn::Set(d, s.in[first + q][s.at]);
        GAINSTAGE_UNROLL
        for (int v = 0; v < Vectors; ++v) {
            GAINSTAGE_UNROLL
            for (int g = 0; g < 4; ++g) {
                const int at = 4 * panel + g * width + lane + v * UnitLanes();
                sum[q][v][g] = hn::MulAdd(x, hn::LoadU(d, s.input_weight + at), hn::LoadU(d, s.bias + at));
            }
        }
    }
    const float* weight = s.weight + 4 * panel * s.units + lane;
    const float* const hidden = s.hidden + first * s.row;
    for (int k = 0; k < s.units; ++k, weight += 4 * width) {
        V h[Sequences];
        GAINSTAGE_UNROLL
        for (int q = 0; q < Sequences; ++q) h[q] = hn::Set(d, hidden[q * s.row + k]);
        GAINSTAGE_UNROLL
        for (int v = 0; v < Vectors; ++v) {
            GAINSTAGE_UNROLL
            for (int g = 0; g < 4; ++g) {
                const V w = hn::LoadU(d, weight + g * width + v * UnitLanes());
                GAINSTAGE_UNROLL
                for (int q = 0; q < Sequences; ++q) sum[q][v][g] = hn::MulAdd(h[q], w, sum[q][v][g]);
            }
        }
    }
    GAINSTAGE_UNROLL
    for (int q = 0; q < Sequences; ++q) {
        GAINSTAGE_UNROLL
        for (int v = 0; v < Vectors; ++v) {
            const int at = (first + q) * s.row + unit + v * UnitLanes();
            FinishLstm(d, sum[q][v], s.cell + at, s.next_hidden + at);
        }
    }
}

/// Takes one step of all vectors of a panel, for `Sequences` sequences. Few sequences make too few chains, so
/// they take two vectors at a time.
template <int Sequences>
HWY_INLINE void StepPanel(const LstmStep& s, int first, int panel) {
    constexpr int at_once = 2 * Sequences <= SequencesAtATime() ? 2 : 1;
    const int end = HWY_MIN(panel + PanelLanes(), s.row);
    int unit = panel;
    for (; at_once == 2 && unit + PanelLanes() <= end; unit += PanelLanes())
        StepUnits<Sequences, at_once>(s, first, unit);
    for (; unit < end; unit += UnitLanes()) StepUnits<Sequences, 1>(s, first, unit);
}

void StepOfAll(const LstmStep& s) noexcept GAINSTAGE_REALTIME {
    const int panels = (s.row + PanelLanes() - 1) / PanelLanes();
    for (int p = 0; p < panels; ++p) {
        const int panel = (s.backwards ? panels - 1 - p : p) * PanelLanes();
        int q = 0;
        for (; SequencesAtATime() >= 4 && q + 4 <= s.sequences; q += 4) StepPanel<4>(s, q, panel);
        for (; q + 2 <= s.sequences; q += 2) StepPanel<2>(s, q, panel);
        if (q < s.sequences) StepPanel<1>(s, q, panel);
    }
}

const LstmWindowKernels* LstmWindowKernelsHere() {
    static constexpr LstmWindowKernels kernels{.panel = PanelLanes(), .step = StepOfAll};
    return &kernels;
}

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gainstage {

HWY_EXPORT(LstmWindowKernelsHere);

const LstmWindowKernels& lstm_window_kernels() {
    simd_level();
    return *HWY_DYNAMIC_DISPATCH(LstmWindowKernelsHere)();
}

}  // namespace gainstage
#endif
