#pragma once
/// Include this before Highway. Kernels keep their sums in arrays of vectors. Vectors of unknown size (ARM
/// SVE, RISC-V) cannot be in arrays, so those machines take the fixed-size level below.

/// Levels that a build for this machine alone leaves out (CMakeLists.txt, sanitizers).
#ifndef GAINSTAGE_UNUSED_LEVELS
#define GAINSTAGE_UNUSED_LEVELS 0
#endif
#define HWY_DISABLED_TARGETS \
    (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | GAINSTAGE_UNUSED_LEVELS)

/// Goes before a loop over an array of vectors whose few rounds are known at compile time. Without it the
/// array lives in memory instead of registers.
#ifdef __clang__
#define GAINSTAGE_UNROLL _Pragma("unroll")
#else
#define GAINSTAGE_UNROLL _Pragma("GCC unroll 32")
#endif
