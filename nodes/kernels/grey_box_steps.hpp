#pragma once
/// What a grey-box compressor does to a tile of sound, once per level of instructions: Wright & Valimaki,
/// "Grey-box modelling of dynamic range compression", DAFx 2022 (CC BY 4.0), with the choices of the authors'
/// published code. Gains are <= 0 and in units of 80 dB until they become factors:
///
///     level   20 log10(max(|x|, 1e-4)), dBFS
///     gain    slope ((over + knee/2)^2 / (2 knee) within the knee, straight on after it),
///             over = level - threshold; with knee 0 nothing is left of the parabola but the corner
///     s       the gain smoothed. Double: near 1 s a float would lose its last bits
///     factor  10^(80 s / 20)

#include "nodes/kernels/small_cells.hpp"

namespace gainstage {

/// Threshold (dB), slope ((1 / ratio - 1) / 80) and knee (dB) as lines over the frames: the i-th of them at
/// frame k is from[i] + slope[i] (position + k).
struct GainCurve {
    const float *from = nullptr, *slope = nullptr;
    float position = 0.f;
    bool soft = false;  ///< else the knee is 0
};

/// The detector's sound: the louder of two channels, or one of them twice.
struct GreyBoxKey {
    const float *one = nullptr, *other = nullptr;
    int frames = 0;  ///< at most 64
};

/// s += (g falls below s ? attack : release) (g - s)
struct Switching {
    double attack = 0., release = 0.;
    double* smoothed = nullptr;  ///< s, goes on
};

/// A detector whose cell gives each sample its time constant. For glide_and_make_up the cells, too.
struct Gliding {
    double samples_per_second = 0.;
    double* smoothed = nullptr;  ///< s, goes on
    SmallCell detector = {}, makeup = {};
    float *detector_state = nullptr, *makeup_state = nullptr;
    const float* in = nullptr;  ///< the sound that is turned down
    float* out = nullptr;       ///< in times the factor, and what the make-up cell adds to it
};

/// Buffers hold whole vectors of 16.
struct GreyBoxKernels {
    /// gain[k]: the static curve's.
    void (*curve)(const GainCurve&, const GreyBoxKey&, float* gain) noexcept;
    /// gain[k]: curve(), smoothed, as a factor.
    void (*switching)(const GainCurve&, const GreyBoxKey&, const Switching&, float* gain) noexcept;
    /// gain[k]: from the curve's to a smoothed factor; raw[k]: what the detector's cell said, used up.
    using Glide = void (*)(const Gliding&, float* raw, float* gain, int frames) noexcept;
    Glide smooth;
    /// The same, a detector cell of four units before it and a make-up cell of four units behind it, in one
    /// pass; [detector][make-up], Elman or GRU. `raw`: scratch.
    Glide glide_and_make_up[2][2];
};

/// Of the level in use. Control thread; keep the reference. Throws SimdError.
const GreyBoxKernels& grey_box_kernels();

}  // namespace gainstage
