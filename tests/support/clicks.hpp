#pragma once
/// Finds clicks on steady tones.

#include <algorithm>

#include "tests/support/measure.hpp"

namespace gainstage::test {

/// Largest second differences of a steady tone: on either side of a change, and at the change.
struct ClickSearch {
    double steady = 0.;  ///< the larger one of before and after
    double change = 0.;
    /// A raised-cosine cross-fade between two levels bends the tone less than the louder one bends by itself.
    /// 1.1 leaves room for the shape that a compressor gives to a sine.
    bool found() const { return change > 1.1 * steady; }
};

/// `change_from`..`change_to`: frames that hold the change. At least a period of the tone must lie on either
/// side.
inline ClickSearch find_click(const Channel& sound, int change_from, int change_to) {
    return {.steady = std::max(max_second_difference(part(sound, 0, change_from)),
                               max_second_difference(part(sound, change_to))),
            .change = max_second_difference(part(sound, change_from - 2, change_to + 2))};
}

}  // namespace gainstage::test
