#pragma once
/// One step of an LSTM of one input, for several sequences side by side, once per level of instructions.

namespace gainstage {

/// What a kernel is told of one step of some sequences.
struct LstmStep {
    const float* weight = nullptr;        ///< [panel][unit of h][gate][lane of the panel]
    const float* input_weight = nullptr;  ///< [panel][gate][lane]
    const float* bias = nullptr;          ///< likewise
    int units = 0, row = 0;
    const float* const* in = nullptr;  ///< [sequence]: the step's sample
    const float* hidden = nullptr;     ///< [sequence][row]: before
    float* next_hidden = nullptr;      ///< after; elsewhere
    float* cell = nullptr;             ///< renewed in place
    int sequences = 0, at = 0;         ///< `at`: of the sample, from `in` on
    bool backwards = false;            ///< from the last panel to the first: the same numbers
};

struct LstmWindowKernels {
    int panel = 0;  ///< units whose gates lie together
    void (*step)(const LstmStep&) noexcept;
};

/// Of the level in use. Control thread; keep the reference. Throws SimdError.
const LstmWindowKernels& lstm_window_kernels();

}  // namespace gainstage
