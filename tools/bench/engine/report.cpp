#include "tools/bench/engine/report.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>

#include "tools/gainstage/console.hpp"

namespace gainstage {

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

double thread_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double quantile(std::vector<double> values, double q) {
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1,
                           static_cast<std::size_t>(q * static_cast<double>(values.size())))];
}

double median(std::vector<double> values) {
    return quantile(std::move(values), 0.5);
}

void BenchReport::row(const std::string& what, const std::string& asked, double measured, double limit,
                      const std::string& unit, const std::string& more) {
    const bool met = measured <= limit;
    all_met_ = all_met_ && met;
    put("{:<58} {:>12}  {:>9.2f} {:<3} {:<5} {}\n", what, asked, measured, unit, met ? "ok" : "SHORT", more);
}

}  // namespace gainstage
