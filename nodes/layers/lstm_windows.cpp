#include "nodes/layers/lstm_windows.hpp"

#include <algorithm>
#include <utility>

namespace gainstage {

/// Panel by panel, for each unit of h: its weights in the gates i, f, o, g, the first three halved.
LstmWindows::LstmWindows(const CellWeights& w) : kernels_(&lstm_window_kernels()), units_(w.units) {
    constexpr int gates = 4, in_order[] = {0, 1, 3, 2};
    const std::size_t n = static_cast<std::size_t>(units_);
    weight_.reserve(gates * n * static_cast<std::size_t>(row()));
    for (int panel = 0; panel < row(); panel += kernels_->panel) {
        const int end = std::min(panel + kernels_->panel, row());
        const auto add = [&](AlignedFloats& to, const auto& of) {
            for (const int gate : in_order)
                for (int u = panel; u < end; ++u)
                    to.push_back(u < units_ ? (gate == 2 ? 1.f : 0.5f) * of(gate * units_ + u) : 0.f);
        };
        for (int k = 0; k < units_; ++k) add(weight_, [&](int r) { return w.weight_hh[r * n + k]; });
        add(input_weight_, [&](int r) { return w.weight_ih[r]; });
        add(bias_, [&](int r) { return w.bias_ih[r] + w.bias_hh[r]; });
    }
}

void LstmWindows::run(const float* const* in, float* hidden, float* cell, float* scratch, int sequences,
                      int steps, int position) const noexcept GAINSTAGE_REALTIME {
    LstmStep step{.weight = weight_.data(),
                  .input_weight = input_weight_.data(),
                  .bias = bias_.data(),
                  .units = units_,
                  .row = row(),
                  .in = in,
                  .hidden = hidden,
                  .next_hidden = scratch,
                  .cell = cell,
                  .sequences = sequences};
    float *here = hidden, *there = scratch;
    for (int k = 0; k < steps; ++k) {
        step.at = k, step.hidden = here, step.next_hidden = there, step.backwards = (position + k) % 2 != 0;
        kernels_->step(step);
        std::swap(here, there);
    }
    if (here != hidden) std::copy_n(here, sequences * row(), hidden);
}

}  // namespace gainstage
