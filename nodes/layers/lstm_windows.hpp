#pragma once
/// Long short-term memory with one input, over several stretches of sound side by side.

#include "nodes/kernels/aligned.hpp"
#include "nodes/kernels/lstm_step.hpp"
#include "nodes/kernels/rows.hpp"
#include "nodes/layers/cell_weights.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

/// The cell of lstm_cell.hpp with one input. If the weights do not fit into the nearest cache, the steps walk
/// them to and fro, so that each step finds there the weights that the step before read last. Immutable once
/// built. Every sequence keeps its own h and c, rows of row() floats whose padding stays 0. The result of a
/// sequence never depends on the others: each sum is one chain in the order of the units.
class LstmWindows {
public:
    LstmWindows() = default;
    /// Control thread. REQUIRES: the sizes of the views fit, one input. Throws SimdError.
    explicit LstmWindows(const CellWeights&);

    int units() const noexcept { return units_; }
    int row() const noexcept { return padded(units_); }

    /// Audio thread. Takes `steps` steps of each sequence s, with the samples in[s][0 .. steps). `hidden`,
    /// `cell` and `scratch`: [sequence][row()]; the first two are updated. `position`: number of steps taken
    /// before, so that the walk continues in its direction; it does not affect the result.
    void run(const float* const* in, float* hidden, float* cell, float* scratch, int sequences, int steps,
             int position) const noexcept GAINSTAGE_REALTIME;

private:
    const LstmWindowKernels* kernels_ = nullptr;  ///< for the SIMD level in use
    int units_ = 0;
    AlignedFloats weight_, input_weight_, bias_;
};

}  // namespace gainstage
