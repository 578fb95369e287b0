#include "nodes/kernels/gru_cell.hpp"

#include "nodes/kernels/lanes.hpp"

namespace gainstage {

GruCell::GruCell(const CellWeights& w) {
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
    input_ = input.dense();
    recurrent_ = recurrent.dense();
}

void GruCell::project(const float* in, int in_stride, float* gate_rows, int frames) const noexcept {
    input_.run(in, in_stride, gate_rows, gates_row(), frames);
}

void GruCell::step(float* gate_rows, const float* hidden, float* next_hidden, int sequences) const noexcept {
    const int width = row();
    recurrent_.add(hidden, width, gate_rows, gates_row(), sequences);
    for (int s = 0; s < sequences; ++s)
        for (int u = 0; u < width; u += lane_count) {
            const float* gate = gate_rows + s * gates_row() + u;
            const auto gate_of = [gate, width](int number) {
                return Eigen::Map<const Lanes>(gate + number * width);
            };
            const Lanes reset = 0.5f + 0.5f * gate_of(0).tanh(), keep = 0.5f + 0.5f * gate_of(1).tanh();
            const Lanes fresh = (gate_of(3) + reset * gate_of(2)).tanh();
            const Lanes before = Eigen::Map<const Lanes>(hidden + s * width + u);
            Eigen::Map<Lanes>(next_hidden + s * width + u) = fresh + keep * (before - fresh);
        }
}

void GruCell::run(float* gate_rows, float* state, float* out, int frames) const noexcept {
    const float* hidden = state;
    for (int k = 0; k < frames; ++k) {
        step(gate_rows + k * gates_row(), hidden, out + k * row(), 1);
        hidden = out + k * row();
    }
    std::copy_n(hidden, row(), state);
}

}  // namespace gainstage
