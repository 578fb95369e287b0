#pragma once
/// One layer of gated recurrent units, of any size. (Small ones inside other models: recurrence.hpp.)

#include <span>

#include "nodes/kernels/gated_steps.hpp"
#include "nodes/layers/cell_weights.hpp"
#include "nodes/layers/dense.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

/// As PyTorch defines it, and Keras with reset_after (rows in the order r, z, n; sig the logistic function):
///
///     r = sig(Wr x + br + Rr h + cr)     z = sig(Wz x + bz + Rz h + cz)
///     n = tanh(Wn x + bn + r (Rn h + cn))     h = (1 - z) n + z h
///
/// Used like LstmCell, except that the state of a sequence is h alone.
class GruCell {
public:
    static constexpr int gates = 3;

    GruCell() = default;
    /// Control thread. REQUIRES: the sizes of the views fit.
    explicit GruCell(const CellWeights&);

    int units() const noexcept { return recurrent_.inputs(); }
    /// Inputs that project() reads: all but a sample that the steps add (CellWeights).
    int inputs() const noexcept { return input_.inputs(); }
    /// Floats of a row of h.
    int row() const noexcept { return padded(units()); }
    /// Floats of a row of gates: r, z, and the two parts of n.
    int gates_row() const noexcept { return 4 * row(); }
    /// Floats of the state of a sequence for run(). All 0 at the start.
    int state_floats() const noexcept { return row(); }

    /// Audio thread. gates[k][0 .. gates_row()) = the part of the gates that comes from the input
    /// in[k][0 .. inputs()).
    void project(const float* in, int in_stride, float* gate_rows,
                 int frames) const noexcept GAINSTAGE_REALTIME;
    /// Audio thread. One step of `sequences` independent cells; next_hidden[s] = the new h. `gate_rows`, from
    /// project(), are overwritten. `hidden` and `next_hidden` may be the same.
    void step(float* gate_rows, const float* hidden, float* next_hidden,
              int sequences) const noexcept GAINSTAGE_REALTIME;
    /// Audio thread. As LstmCell::run(). It sums in another order than step(), which is faster; the last bits
    /// differ.
    void run(std::span<const GatedSequence>, int frames) const noexcept GAINSTAGE_REALTIME;

private:
    const GatedKernels* kernels_ = nullptr;  ///< for the SIMD level in use
    Dense input_;      ///< to gates in the order r, z (both halved), n's recurrent part, n's input part
    Dense recurrent_;  ///< to the first three of them
    AlignedFloats sample_weight_;  ///< the same for a sample that the steps add
};

}  // namespace gainstage
