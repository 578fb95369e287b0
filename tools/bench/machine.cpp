#include "tools/bench/machine.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "nodes/kernels/simd.hpp"

namespace gainstage {

namespace {

using Clock = std::chrono::steady_clock;

/// Larger than the caches of any machine meant for a stage.
constexpr std::size_t beyond_caches_bytes = 96u << 20;

template <class Work>
double seconds_of(Work work) {
    const auto begin = Clock::now();
    work();
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Additions that depend on each other take one cycle each.
double clock_ghz() {
    constexpr int additions = 4'000'000;
    const double seconds = seconds_of([] {
        unsigned long sum = 1;
        for (int i = 0; i < additions / 4; ++i) {
            for (int k = 0; k < 4; ++k) {
                sum += 1;
                asm volatile("" : "+r"(sum));  // keeps the compiler from merging two of them
            }
        }
    });
    return additions / seconds * 1e-9;
}

std::vector<unsigned long>& large_memory() {
    static std::vector<unsigned long> memory(beyond_caches_bytes / sizeof(unsigned long), 1);
    return memory;
}

/// In bytes; 0 if the system does not tell.
long second_level_size() {
#ifdef _SC_LEVEL2_CACHE_SIZE  // defined by glibc
    return sysconf(_SC_LEVEL2_CACHE_SIZE);
#else
    return 0;
#endif
}

/// Sum of the first `bytes` of large_memory().
unsigned long sum_of_memory(std::size_t bytes) {
    unsigned long sums[4] = {};
    const auto& memory = large_memory();
    const std::size_t words = std::min(memory.size(), bytes / sizeof(unsigned long));
    for (std::size_t i = 0; i + 4 <= words; i += 4)
        for (std::size_t k = 0; k < 4; ++k) sums[k] += memory[i + k];
    return sums[0] + sums[1] + sums[2] + sums[3];
}

}  // namespace

void empty_caches() {
    volatile unsigned long kept = sum_of_memory(beyond_caches_bytes);
    (void)kept;
}

/// The second level does not evict strictly its oldest lines. Reading three times its size replaces all of
/// them.
void empty_own_caches() {
    static const long second_level_bytes = std::max(second_level_size(), 1L << 20);
    volatile unsigned long kept = sum_of_memory(3 * static_cast<std::size_t>(second_level_bytes));
    (void)kept;
}

Machine middle_of(const std::vector<Machine>& measured) {
    Machine middle = measured.front();
    for (double Machine::*const number :
         {&Machine::clock_ghz, &Machine::fma_gflops, &Machine::memory_gb_per_s}) {
        std::vector<double> values;
        for (const Machine& one : measured) values.push_back(one.*number);
        const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
        std::nth_element(values.begin(), at, values.end());
        middle.*number = *at;
    }
    return middle;
}

Machine measure_machine() {
    Machine machine{.level = simd_level()};
    empty_caches();  // the first walk allocates its pages
    for (int take = 0; take < 15; ++take) {
        machine.clock_ghz = std::max(machine.clock_ghz, clock_ghz());
        double operations = 0.;
        const double seconds = seconds_of([&] { operations = multiply_add(100'000); });
        machine.fma_gflops = std::max(machine.fma_gflops, operations / seconds * 1e-9);
        if (take < 5)
            machine.memory_gb_per_s =
                std::max(machine.memory_gb_per_s,
                         static_cast<double>(beyond_caches_bytes) / seconds_of(empty_caches) * 1e-9);
    }
    return machine;
}

}  // namespace gainstage
