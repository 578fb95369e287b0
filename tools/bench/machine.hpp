#pragma once
/// The limits of this machine, measured in this process.

#include <string>
#include <vector>

namespace gainstage {

struct Machine {
    std::string level;            ///< SIMD level in use (nodes/kernels/simd.hpp)
    double clock_ghz = 0.;        ///< of this core, now
    double fma_gflops = 0.;       ///< multiply-adds in registers at that level, two operations each
    double memory_gb_per_s = 0.;  ///< read speed from beyond the caches
};

/// Takes about 0.2 s.
Machine measure_machine();
/// The median of each number over at least one measurement. The clock changes over time, and other programs
/// disturb some measurements.
Machine middle_of(const std::vector<Machine>&);

/// Evicts the data of models from all caches: the next block reads from memory.
void empty_caches();
/// Evicts it only from the caches of this core, as another program on this core would: the next block reads
/// from the shared cache, if there is one.
void empty_own_caches();

/// Runs `rounds` times twelve independent multiply-adds of whole vectors. Returns the number of operations.
double multiply_add(int rounds);

}  // namespace gainstage
