#pragma once
/// The sliding of a short spectrum by one sample after the other, once per level of instructions.

namespace gainstage {

/// One group of sixteen bins over `frames` samples. Their waves lie 32 floats apart, those of `leaves` going
/// backwards.
struct Slide {
    float* sums;
    const float *enters, *leaves;
    const float *entering, *leaving;
    float* magnitudes;
    int stride, frames;
};

using SlideFunction = void (*)(const Slide&) noexcept;

/// Of the level in use. Control thread; keep it. Throws SimdError.
SlideFunction slide_kernel();

}  // namespace gainstage
