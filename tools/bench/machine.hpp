#pragma once
/// What this machine could do at most, measured in this process.

#include <string>
#include <vector>

namespace gainstage {

struct Machine {
    std::string level;            ///< of instructions in use (nodes/kernels/simd.hpp)
    double clock_ghz = 0.;        ///< of this core, now
    double fma_gflops = 0.;       ///< multiply-adds in registers at that level, two operations each
    double memory_gb_per_s = 0.;  ///< read from beyond the caches
};

/// Takes about 0.2 s.
Machine measure_machine();
/// The median of each number of at least one measurement: the clock is not the same all the time, and what
/// else runs disturbs some of them.
Machine middle_of(const std::vector<Machine>&);

/// Pushes what models touch out of all caches: the next block reads from memory.
void empty_caches();
/// Out of those that this core has for itself, as a program that ran in between does: the next block reads
/// from the cache that cores share, where there is one.
void empty_own_caches();

/// `rounds` times twelve independent multiply-adds of whole vectors. Returns the operations done.
double multiply_add(int rounds);

}  // namespace gainstage
