#pragma once
/// The models with promised speeds: their sizes with random weights, and the promises.

#include <memory>
#include <string>
#include <vector>

#include "tools/bench/plain/plain.hpp"
#include "tools/bench/random_model.hpp"

namespace gainstage {

/// Index 0: below AVX-512, index 1: on it; 0: no target. Shares are of the multiply-add peak measured in the
/// same process.
struct Target {
    double least_share[2] = {0., 0.};
    double most_cycles[2] = {0., 0.};  ///< per sample
    double most_at_16 = 1.1;           ///< cost per sample at 16 frames over that at 64
    double most_phase = 1.3;  ///< cost of the most expensive phase over the median block; 0: not promised
};

struct Exhibit {
    std::string name, architecture;
    double operations = 0.;  ///< per sample: additions and multiplications, functions at their usual cost
    int working_floats = 0;  ///< touched in 32 frames besides the weights: state, rows, delays
    Target target;
    RandomModel (*make)();
    std::unique_ptr<plain::Twin> (*twin)(const Model&);
};

const std::vector<Exhibit>& zoo();

}  // namespace gainstage
