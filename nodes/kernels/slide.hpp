#pragma once
/// Slides a short spectrum sample by sample (sliding_spectrum.hpp), compiled once per SIMD level.

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// One group of sixteen bins over `frames` samples. The wave of a sample is 16 cosines, then 16 sines. From
/// one sample to the next, `enters` steps 32 floats forwards and `leaves` 32 floats backwards.
struct Slide {
    float* sums;
    const float *enters, *leaves;
    const float *entering, *leaving;
    float* magnitudes;
    int stride, frames;
};

using SlideFunction = void (*)(const Slide&) noexcept GAINSTAGE_REALTIME;

/// For the SIMD level in use. Control thread; keep it. Throws SimdError.
SlideFunction slide_kernel();

}  // namespace gainstage
