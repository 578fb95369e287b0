#pragma once
/// Long short-term memory of one input over several stretches of sound side by side.

#include "nodes/kernels/aligned.hpp"
#include "nodes/kernels/lstm_step.hpp"
#include "nodes/kernels/rows.hpp"
#include "nodes/layers/cell_weights.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

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
