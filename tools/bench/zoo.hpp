#pragma once
/// The models that speed is promised for: their sizes with random weights, and the promises.

#include <memory>
#include <string>
#include <vector>

#include "tools/bench/plain/plain.hpp"
#include "tools/bench/random_model.hpp"

namespace gainstage {

/// Below AVX-512, and on it; 0: none. Shares are of the multiply-add peak measured in the same process.
struct Target {
    double least_share[2] = {0., 0.};
    double most_cycles[2] = {0., 0.};  ///< per sample
    double most_at_16 = 1.1;           ///< cost per sample at 16 frames over that at 64
    double most_phase = 1.3;           ///< block of the dearest phase over the median one; 0: not promised
};

struct Exhibit {
    std::string name, architecture;
    double operations = 0.;  ///< per sample: additions and multiplications, functions at their usual price
    int working_floats =
        0;  ///< that a block of 32 frames touches beside the weights: state, rows, delay lines
    Target target;
    RandomModel (*make)();
    std::unique_ptr<plain::Twin> (*twin)(const Model&);
};

const std::vector<Exhibit>& zoo();

}  // namespace gainstage
