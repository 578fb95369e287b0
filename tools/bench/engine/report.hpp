#pragma once
/// What engine_bench prints: rows of what was asked and what was measured; and the clocks and middles that
/// they are made of. Any thread, one at a time.

#include <chrono>
#include <string>
#include <vector>

namespace gainstage {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin);
/// Of the calling thread alone, so that waiting for a processor does not count.
double thread_seconds();
/// q in 0..1; of at least one value.
double quantile(std::vector<double> values, double q);
double median(std::vector<double> values);

class BenchReport {
public:
    explicit BenchReport(bool few_repetitions) : quick(few_repetitions) {}

    /// One row; `measured` may reach `limit`.
    void row(const std::string& what, const std::string& asked, double measured, double limit,
             const std::string& unit, const std::string& more = "");
    bool all_met() const { return all_met_; }

    const bool quick;  ///< few repetitions

private:
    bool all_met_ = true;
};

}  // namespace gainstage
