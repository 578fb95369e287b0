#include "nodes/layers/lstm_cell.hpp"

namespace gainstage {

LstmCell::LstmCell(const CellWeights& w) : kernels_(&gated_kernels()) {
    const int n = w.units;
    GateRows input(n, w.inputs), recurrent(n, n);
    for (const int gate : {0, 1, 3, 2}) {
        const float factor = gate == 2 ? 1.f : 0.5f;
        input.add(w.weight_ih, gate * n, sum_of_biases(w, gate * n), factor);
        recurrent.add(w.weight_hh, gate * n, {}, factor);
    }
    if (w.sample_apart) sample_weight_ = input.columns(0, 1);
    input_ = input.dense(w.sample_apart ? 1 : 0);
    recurrent_ = recurrent.dense();
}

void LstmCell::project(const float* in, int in_stride, float* gate_rows,
                       int frames) const noexcept GAINSTAGE_REALTIME {
    input_.run(in, in_stride, gate_rows, gates_row(), frames);
}

void LstmCell::run(std::span<const GatedSequence> sequences, int frames) const noexcept GAINSTAGE_REALTIME {
    kernels_->run_lstm({.weight = recurrent_.weight(),
                        .sample_weight = sample_weight_.data(),
                        .units = units(),
                        .row = row(),
                        .sequences = sequences,
                        .frames = frames});
}

}  // namespace gainstage
