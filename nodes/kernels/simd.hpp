#pragma once
/// Which vector instructions the kernels use: one binary holds them for several kinds of processor and takes
/// the best that this one has.

#include <stdexcept>
#include <string>
#include <vector>

namespace gainstage {

/// GAINSTAGE_SIMD names a level that is unknown, or that this processor lacks: the message lists those it
/// has.
struct SimdError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Levels of this binary that this processor has, best first: "avx3_dl", "avx3", "avx2", "sse4", "ssse3",
/// "scalar" (Highway's names in small letters; AVX3 is AVX-512). Control thread.
std::vector<std::string> simd_levels();

/// The level in use: the best one, or the one that the environment variable GAINSTAGE_SIMD names. Settled by
/// the first call, for the life of the process; kernels ask when they are built. Control thread. Throws
/// SimdError.
const std::string& simd_level();

}  // namespace gainstage
