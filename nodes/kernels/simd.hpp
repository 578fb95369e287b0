#pragma once
/// Which vector instructions the kernels use. One binary holds the kernels for several SIMD levels and uses
/// the best level that this processor has.

#include <stdexcept>
#include <string>
#include <vector>

namespace gainstage {

/// GAINSTAGE_SIMD names a level that is unknown or that this processor lacks. The message lists the levels it
/// has.
struct SimdError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Levels that both this binary and this processor have, best first: "avx3_dl", "avx3", "avx2", "sse4",
/// "ssse3", "scalar" (Highway's names in small letters; AVX3 is AVX-512). Control thread.
std::vector<std::string> simd_levels();

/// The level in use: the best one, or the one that the environment variable GAINSTAGE_SIMD names. The first
/// call settles it for the life of the process. Kernels ask for it when they are built. Control thread.
/// Throws SimdError.
const std::string& simd_level();

}  // namespace gainstage
