#pragma once
/// What this machine could do at most, measured in this process.

#include <string>

namespace gainstage {

struct Machine {
    std::string level;            ///< of instructions in use (nodes/kernels/simd.hpp)
    double clock_ghz = 0.;        ///< of this core, now
    double fma_gflops = 0.;       ///< multiply-adds in registers at that level, two operations each
    double memory_gb_per_s = 0.;  ///< read from beyond the caches
};

/// Takes about 0.2 s.
Machine measure_machine();

/// Pushes what models touch out of the caches.
void empty_caches();

/// `rounds` times twelve independent multiply-adds of whole vectors. Returns the operations done.
double multiply_add(int rounds);

}  // namespace gainstage
