#pragma once
/// One step of an LSTM with one input, for several sequences side by side, compiled once per SIMD level.

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// Arguments of one step of several sequences.
struct LstmStep {
    const float* weight = nullptr;        ///< [panel][unit of h][gate][lane of the panel]
    const float* input_weight = nullptr;  ///< [panel][gate][lane]
    const float* bias = nullptr;          ///< [panel][gate][lane]
    int units = 0, row = 0;
    const float* const* in = nullptr;  ///< [sequence]: its samples
    const float* hidden = nullptr;     ///< [sequence][row]: h before the step
    float* next_hidden = nullptr;      ///< [sequence][row]: h after it; another buffer
    float* cell = nullptr;             ///< [sequence][row]: c, updated in place
    int sequences = 0, at = 0;         ///< `at`: index of the step's sample within in[sequence]
    bool backwards = false;            ///< goes from the last panel to the first; gives the same numbers
};

struct LstmWindowKernels {
    int panel = 0;  ///< units whose gates lie together in memory
    void (*step)(const LstmStep&) noexcept GAINSTAGE_REALTIME;
};

/// For the SIMD level in use. Control thread; keep the reference. Throws SimdError.
const LstmWindowKernels& lstm_window_kernels();

}  // namespace gainstage
