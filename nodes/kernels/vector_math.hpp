#pragma once
/// Elementary functions over rows of numbers, by the formulas that the kernels use inside
/// (vector_math-inl.hpp states their errors).

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// out[i] = f(in[i]) for i in 0 .. count - 1; `in` and `out` may be the same. An element's result does not
/// depend on its neighbours or its place. Audio thread.
struct VectorMath {
    using Function = void (*)(const float* in, float* out, int count) noexcept GAINSTAGE_REALTIME;
    const char* level;  ///< Highway's name of the level that these functions were compiled for
    Function exp, one_minus_exp, exp2_of_negative, tanh, sigmoid, silu, log, log2, softplus, erf, gelu;
};

/// For the SIMD level in use (simd.hpp). Control thread; keep the reference.
const VectorMath& vector_math();

}  // namespace gainstage
