#pragma once
/// Output of engine_bench: rows of requirements and measurements, with the clocks and medians they need. Any
/// thread, one at a time.

#include <chrono>
#include <string>
#include <vector>

namespace gainstage {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin);
/// CPU time of the calling thread, so that waiting for a processor does not count.
double thread_seconds();
/// `q` in 0..1. REQUIRES: at least one value.
double quantile(std::vector<double> values, double q);
double median(std::vector<double> values);

class BenchReport {
public:
    explicit BenchReport(bool few_repetitions) : quick(few_repetitions) {}

    /// Prints one row. It is met if `measured` is at most `limit`.
    void row(const std::string& what, const std::string& asked, double measured, double limit,
             const std::string& unit, const std::string& more = "");
    bool all_met() const { return all_met_; }

    const bool quick;  ///< few repetitions, so less reliable

private:
    bool all_met_ = true;
};

}  // namespace gainstage
