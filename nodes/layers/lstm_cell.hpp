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
/// Immutable once built; every sequence keeps its own h and c, rows of row() floats whose padding stays 0.
/// The inputs' share of a whole tile is one product (project), then come the steps, one after the other.
/// Sequences that step together: lstm_windows.hpp.
class LstmCell {
public:
    static constexpr int gates = 4;

    LstmCell() = default;
    /// Control thread. REQUIRES: the sizes of the views fit.
    explicit LstmCell(const CellWeights&);

    int units() const noexcept { return recurrent_.inputs(); }
    /// That project() reads: all but a sample that is kept apart (CellWeights).
    int inputs() const noexcept { return input_.inputs(); }
    /// Floats of a row of h or c.
    int row() const noexcept { return padded(units()); }
    /// Floats of a row of gates.
    int gates_row() const noexcept { return gates * row(); }
    /// Floats of a sequence's state as run() keeps it: h, then c. All 0 at the start.
    int state_floats() const noexcept { return 2 * row(); }

    /// Audio thread. gates[k][0 .. gates_row()) = what the input in[k][0 .. inputs()) adds to the gates.
    void project(const float* in, int in_stride, float* gate_rows,
                 int frames) const noexcept GAINSTAGE_REALTIME;
    /// Audio thread. Each sequence over `frames` rows of projected gates, to which its samples are added
    /// where they are kept apart; its state goes on. Of two, such as the channels of stereo, one fills the
    /// time that the other waits. A sequence's numbers never depend on the company it comes in. REQUIRES:
    /// frames >= 1.
    void run(std::span<const GatedSequence>, int frames) const noexcept GAINSTAGE_REALTIME;

private:
    const GatedKernels* kernels_ = nullptr;  ///< of the level in use
    Dense input_, recurrent_;                ///< to gates in the order i, f, o, g, the first three halved
    AlignedFloats sample_weight_;            ///< likewise, of a sample that is kept apart
};

}  // namespace gainstage
