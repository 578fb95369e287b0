#pragma once
/// Every model that speed is promised for, beside its plain twin.

#include <string>
#include <vector>

namespace gainstage {

struct BenchAllOptions {
    double seconds = 0.2;             ///< of sound for each size
    std::string only;                 ///< models whose names contain it; empty: all
    std::vector<std::string> beside;  ///< libraries of other engines (tools/bench/peer_library.hpp)
    bool json = false;
};

/// Prints a table, or JSON. Returns an exit code. Throws PeerError.
int bench_all(const BenchAllOptions&);

}  // namespace gainstage
