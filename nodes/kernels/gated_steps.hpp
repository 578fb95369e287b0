#pragma once
/// The steps of gated recurrent cells, compiled once per SIMD level. lstm_cell.hpp and gru_cell.hpp give the
/// formulas and the memory layout of the gates.

#include <cstddef>
#include <span>

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// One sequence. The sum of a gate begins with the part that comes from the inputs.
struct GatedSequence {
    const float* gates = nullptr;     ///< [frame][gates][row]: the part that comes from the inputs
    std::ptrdiff_t gates_stride = 0;  ///< floats from one frame's gates to the next; 0: all frames share them
    const float* samples = nullptr;   ///< [frame]: if the cell adds the sample at each step; else null
    float* state = nullptr;           ///< [row]: h, updated in place; an LSTM's c follows it
    float* out = nullptr;             ///< [frame][row]: h
};

/// Several sequences over `frames` steps. They run two at a time, because each step of one waits for its
/// previous step.
struct GatedSteps {
    const float* weight = nullptr;         ///< [unit of h][gates that depend on h][row]
    const float* sample_weight = nullptr;  ///< [gates][row]; read where the sequences have samples
    int units = 0, row = 0;
    std::span<const GatedSequence> sequences = {};
    int frames = 0;
};

/// The part of a GRU's step that follows its sums, for several sequences. `hidden` and `next_hidden` may be
/// the same buffer.
struct GatedSums {
    const float* gates = nullptr;   ///< [sequence][gates][row]: the finished sums
    const float* hidden = nullptr;  ///< [sequence][row]
    float* next_hidden = nullptr;
    int row = 0, sequences = 0;
};

struct GatedKernels {
    void (*run_lstm)(const GatedSteps&) noexcept GAINSTAGE_REALTIME;
    void (*run_gru)(const GatedSteps&) noexcept GAINSTAGE_REALTIME;
    void (*finish_gru)(const GatedSums&) noexcept GAINSTAGE_REALTIME;
};

/// For the SIMD level in use. Control thread; keep the reference. Throws SimdError.
const GatedKernels& gated_kernels();

}  // namespace gainstage
