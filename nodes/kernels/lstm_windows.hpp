#pragma once
/// Long short-term memory of one input over several stretches of sound side by side.

#include "nodes/kernels/aligned.hpp"
#include "nodes/kernels/cell_weights.hpp"
#include "runtime/realtime/nonblocking.hpp"

namespace gainstage {

/// What a kernel is told of one step of some sequences.
struct LstmStep {
    const float* weight = nullptr;        ///< [panel][unit of h][gate][lane of the panel]
    const float* input_weight = nullptr;  ///< [panel][gate][lane]
    const float* bias = nullptr;          ///< likewise
    int units = 0, row = 0;
    const float* const* in = nullptr;  ///< [sequence]: the step's sample
    const float* hidden = nullptr;     ///< [sequence][row]: before
    float* next_hidden = nullptr;      ///< after; elsewhere
    float* cell = nullptr;             ///< renewed in place
    int sequences = 0, at = 0;         ///< `at`: of the sample, from `in` on
    bool backwards = false;            ///< from the last panel to the first: the same numbers
};

struct LstmWindowKernels {
    int panel = 0;  ///< units whose gates lie together
    void (*step)(const LstmStep&) noexcept;
};

/// Of the level in use. Control thread; keep the reference. Throws SimdError.
const LstmWindowKernels& lstm_window_kernels();

/// The cell of lstm_cell.hpp with one input. Weights that fill more than the nearest cache are walked to and
/// fro, so that each step finds there what the one before read last. Immutable once built; every sequence
/// keeps its own h and c, rows of row() floats whose padding stays 0. A sequence's numbers never depend on
/// the company it comes in: each sum is one chain in the order of the units.
class LstmWindows {
public:
    LstmWindows() = default;
    /// Control thread. REQUIRES: the sizes of the views fit, one input. Throws SimdError.
    explicit LstmWindows(const CellWeights&);

    int units() const noexcept { return units_; }
    int row() const noexcept { return padded(units_); }

    /// Audio thread. `steps` steps of each sequence s, whose samples are in[s][0 .. steps). `hidden`, `cell`
    /// and `scratch`: [sequence][row()]; the first two go on. `position`: steps taken before, so that the
    /// walk goes on as it was; no number depends on it.
    void run(const float* const* in, float* hidden, float* cell, float* scratch, int sequences, int steps,
             int position) const noexcept GAINSTAGE_REALTIME;

private:
    const LstmWindowKernels* kernels_ = nullptr;  ///< of the level in use
    int units_ = 0;
    AlignedFloats weight_, input_weight_, bias_;
};

}  // namespace gainstage
