#pragma once
/// To be included before Highway. Sums are kept in arrays of vectors, which vectors of unknown size (ARM SVE,
/// RISC-V) cannot be; those machines take the fixed-size level below.

#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

/// Before a loop of few, known rounds over an array of vectors: without it the array lives in memory.
#ifdef __clang__
#define GAINSTAGE_UNROLL _Pragma("unroll")
#else
#define GAINSTAGE_UNROLL _Pragma("GCC unroll 32")
#endif
