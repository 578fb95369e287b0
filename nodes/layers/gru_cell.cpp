#include "nodes/layers/gru_cell.hpp"

namespace gainstage {

GruCell::GruCell(const CellWeights& w) : kernels_(&gated_kernels()) {
    const int n = w.units;
    GateRows input(n, w.inputs), recurrent(n, n);
    for (const int gate : {0, 1}) {
        input.add(w.weight_ih, gate * n, sum_of_biases(w, gate * n), 0.5f);
        recurrent.add(w.weight_hh, gate * n, {}, 0.5f);
    }
    const auto last = [n](std::span<const float> bias) {
        return std::vector<float>(bias.begin() + 2 * n, bias.end());
    };
    input.add({}, 0, last(w.bias_hh), 1.f);
    input.add(w.weight_ih, 2 * n, last(w.bias_ih), 1.f);
    recurrent.add(w.weight_hh, 2 * n, {}, 1.f);
    if (w.sample_apart) sample_weight_ = input.columns(0, 1);
    input_ = input.dense(w.sample_apart ? 1 : 0);
    recurrent_ = recurrent.dense();
}

void GruCell::project(const float* in, int in_stride, float* gate_rows,
                      int frames) const noexcept GAINSTAGE_REALTIME {
    input_.run(in, in_stride, gate_rows, gates_row(), frames);
}

void GruCell::step(float* gate_rows, const float* hidden, float* next_hidden,
                   int sequences) const noexcept GAINSTAGE_REALTIME {
    recurrent_.add(hidden, row(), gate_rows, gates_row(), sequences);
    kernels_->finish_gru({.gates = gate_rows,
                          .hidden = hidden,
                          .next_hidden = next_hidden,
                          .row = row(),
                          .sequences = sequences});
}

void GruCell::run(std::span<const GatedSequence> sequences, int frames) const noexcept GAINSTAGE_REALTIME {
    kernels_->run_gru({.weight = recurrent_.weight(),
                       .sample_weight = sample_weight_.data(),
                       .units = units(),
                       .row = row(),
                       .sequences = sequences,
                       .frames = frames});
}

}  // namespace gainstage
