#pragma once
/// One layer of long short-term memory.

#include <span>

#include "nodes/kernels/gated_steps.hpp"
#include "nodes/layers/cell_weights.hpp"
#include "nodes/layers/dense.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

/// As PyTorch and Keras define it (rows in the order i, f, g, o; sig the logistic function):
///
///     i = sig(Wi x + Ri h + bi)     f = sig(Wf x + Rf h + bf)     g = tanh(Wg x + Rg h + bg)
///     o = sig(Wo x + Ro h + bo)     c = f c + i g                 h = o tanh(c)
///
/// Immutable once built. Every sequence keeps its own h and c, rows of row() floats whose padding stays 0.
/// First project() computes the inputs' part of a whole tile as one product, then run() takes the steps one
/// after another. For sequences that step together: lstm_windows.hpp.
class LstmCell {
public:
    static constexpr int gates = 4;

    LstmCell() = default;
    /// Control thread. REQUIRES: the sizes of the views fit.
    explicit LstmCell(const CellWeights&);

    int units() const noexcept { return recurrent_.inputs(); }
    /// Inputs that project() reads: all but a sample that the steps add (CellWeights).
    int inputs() const noexcept { return input_.inputs(); }
    /// Floats of a row of h or c.
    int row() const noexcept { return padded(units()); }
    /// Floats of a row of gates.
    int gates_row() const noexcept { return gates * row(); }
    /// Floats of the state of a sequence for run(): h, then c. All 0 at the start.
    int state_floats() const noexcept { return 2 * row(); }

    /// Audio thread. gates[k][0 .. gates_row()) = the part of the gates that comes from the input
    /// in[k][0 .. inputs()).
    void project(const float* in, int in_stride, float* gate_rows,
                 int frames) const noexcept GAINSTAGE_REALTIME;
    /// Audio thread. Runs each sequence over `frames` rows of projected gates, adds its samples to them if
    /// the steps add the sample, and updates its state. Two sequences, such as the channels of stereo, run
    /// side by side: one works while the other waits. The result of a sequence never depends on the others.
    /// REQUIRES: frames >= 1.
    void run(std::span<const GatedSequence>, int frames) const noexcept GAINSTAGE_REALTIME;

private:
    const GatedKernels* kernels_ = nullptr;  ///< for the SIMD level in use
    Dense input_, recurrent_;                ///< to gates in the order i, f, o, g, the first three halved
    AlignedFloats sample_weight_;            ///< the same for a sample that the steps add
};

}  // namespace gainstage
