#include "nodes/kernels/lstm_cell.hpp"

#include "nodes/kernels/lanes.hpp"

namespace gainstage {

LstmCell::LstmCell(const CellWeights& w) {
    const int n = w.units;
    GateRows input(n, w.inputs), recurrent(n, n);
    for (const int gate : {0, 1, 3, 2}) {
        const float factor = gate == 2 ? 1.f : 0.5f;
        input.add(w.weight_ih, gate * n, sum_of_biases(w, gate * n), factor);
        recurrent.add(w.weight_hh, gate * n, {}, factor);
    }
    input_ = input.dense();
    recurrent_ = recurrent.dense();
}

void LstmCell::project(const float* in, int in_stride, float* gate_rows, int frames) const noexcept {
    input_.run(in, in_stride, gate_rows, gates_row(), frames);
}

void LstmCell::step(float* gate_rows, const float* hidden, float* next_hidden, float* cell,
                    int sequences) const noexcept {
    const int width = row();
    recurrent_.add(hidden, width, gate_rows, gates_row(), sequences);
    for (int s = 0; s < sequences; ++s)
        for (int u = 0; u < width; u += lane_count) {
            const float* gate = gate_rows + s * gates_row() + u;
            const auto gate_of = [gate, width](int number) {
                return Eigen::Map<const Lanes>(gate + number * width);
            };
            Eigen::Map<Lanes> kept(cell + s * width + u), next(next_hidden + s * width + u);
            const Lanes take = 0.5f + 0.5f * gate_of(0).tanh(), keep = 0.5f + 0.5f * gate_of(1).tanh();
            const Lanes show = 0.5f + 0.5f * gate_of(2).tanh();
            kept = keep * kept + take * gate_of(3).tanh();
            next = show * kept.tanh();
        }
}

void LstmCell::run(float* gate_rows, float* state, float* out, int frames) const noexcept {
    const float* hidden = state;
    for (int k = 0; k < frames; ++k) {
        step(gate_rows + k * gates_row(), hidden, out + k * row(), state + row(), 1);
        hidden = out + k * row();
    }
    std::copy_n(hidden, row(), state);
}

}  // namespace gainstage
