#pragma once
/// The steps of a grey-box compressor over a tile of sound, compiled once per SIMD level: Wright & Valimaki,
/// "Grey-box modelling of dynamic range compression", DAFx 2022 (CC BY 4.0), with the choices of the authors'
/// published code. Gains are <= 0 and in units of 80 dB until they become factors:
///
///     level   20 log10(max(|x|, 1e-4)), dBFS
///     gain    slope ((over + knee/2)^2 / (2 knee) within the knee, a straight line above it),
///             over = level - threshold; with knee 0 the parabola shrinks to a corner
///     s       the smoothed gain, in double: with time constants near 1 s a float would lose bits
///     factor  10^(80 s / 20)

#include "nodes/kernels/small_cells.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

/// Threshold (dB), slope ((1 / ratio - 1) / 80) and knee (dB), each a straight line over the frames: value i
/// at frame k is from[i] + slope[i] (position + k).
struct GainCurve {
    const float *from = nullptr, *slope = nullptr;
    float position = 0.f;
    bool soft = false;  ///< false: the knee is 0
};

/// Input of the detector: the louder of two channels. A mono key is the same channel twice.
struct GreyBoxKey {
    const float *one = nullptr, *other = nullptr;
    int frames = 0;  ///< at most 64
};

/// s += (g falls below s ? attack : release) (g - s)
struct Switching {
    double attack = 0., release = 0.;
    double* smoothed = nullptr;  ///< s, carried from call to call
};

/// A detector whose cell sets the time constant at each sample. The members from `detector` on are for
/// glide_and_make_up alone.
struct Gliding {
    double samples_per_second = 0.;
    double* smoothed = nullptr;  ///< s, carried from call to call
    SmallCell detector = {}, makeup = {};
    float *detector_state = nullptr, *makeup_state = nullptr;
    const float* in = nullptr;  ///< the sound to turn down
    float* out = nullptr;       ///< in times the factor, plus the output of the make-up cell
};

/// Buffers hold whole vectors of 16 floats.
struct GreyBoxKernels {
    /// gain[k]: gain of the static curve.
    void (*curve)(const GainCurve&, const GreyBoxKey&, float* gain) noexcept GAINSTAGE_REALTIME;
    /// gain[k]: gain of the static curve, smoothed, as a factor.
    void (*switching)(const GainCurve&, const GreyBoxKey&, const Switching&,
                      float* gain) noexcept GAINSTAGE_REALTIME;
    /// Turns gain[k] from the static gain into a smoothed factor. raw[k]: output of the detector's cell;
    /// overwritten.
    using Glide = void (*)(const Gliding&, float* raw, float* gain, int frames) noexcept GAINSTAGE_REALTIME;
    Glide smooth;
    /// The same in one pass with a detector cell of four units before it and a make-up cell of four units
    /// behind it. Index: [detector][make-up], 0 for Elman, 1 for GRU. `raw`: scratch.
    Glide glide_and_make_up[2][2];
};

/// For the SIMD level in use. Control thread; keep the reference. Throws SimdError.
const GreyBoxKernels& grey_box_kernels();

}  // namespace gainstage
