#pragma once
/// The steps of gated recurrent cells, once per level of instructions: lstm_cell.hpp and gru_cell.hpp say
/// what they compute and how rows of gates lie in memory.

#include <cstddef>
#include <span>

namespace gainstage {

/// One sequence. Each sum of a gate begins with what the inputs gave it.
struct GatedSequence {
    const float* gates = nullptr;     ///< [frame][gates][row], as projected
    std::ptrdiff_t gates_stride = 0;  ///< floats from a frame's gates to the next one's; 0: all have the same
    const float* samples = nullptr;   ///< [frame]: of a cell that hears the sample apart; otherwise null
    float* state = nullptr;  ///< [row]: h before the first step, then after the last one; an LSTM's c
                             ///< behind it
    float* out = nullptr;    ///< [frame][row]: h
};

/// Sequences over `frames` steps. Two go side by side, for each step of one waits for the step before.
struct GatedSteps {
    const float* weight = nullptr;         ///< [unit][gates of h][row]
    const float* sample_weight = nullptr;  ///< [gates][row], where sequences have samples
    int units = 0, row = 0;
    std::span<const GatedSequence> sequences = {};
    int frames = 0;
};

/// What follows the sums of a GRU's step of several sequences. h and the next h may lie in the same place.
struct GatedSums {
    const float* gates = nullptr;   ///< [sequence][gates][row]: complete
    const float* hidden = nullptr;  ///< [sequence][row]
    float* next_hidden = nullptr;
    int row = 0, sequences = 0;
};

struct GatedKernels {
    void (*run_lstm)(const GatedSteps&) noexcept;
    void (*run_gru)(const GatedSteps&) noexcept;
    void (*finish_gru)(const GatedSums&) noexcept;
};

/// Of the level in use. Control thread; keep the reference. Throws SimdError.
const GatedKernels& gated_kernels();

}  // namespace gainstage
