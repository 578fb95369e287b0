#pragma once
/// Every model that speed is promised for, beside its plain twin.

#include <string>

namespace gainstage {

/// Prints a table, or JSON. `only`: those whose names contain it. Returns an exit code.
int bench_all(double seconds_per_size, const std::string& only, bool json);

}  // namespace gainstage
