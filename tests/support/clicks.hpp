#pragma once
/// Finds clicks on steady tones.

#include <algorithm>

#include "tests/support/measure.hpp"

namespace gainstage::test {

/// Largest second difference of a steady tone before and after a change, and at the change.
struct ClickSearch {
    double steady = 0.;  ///< the larger of the two
    double change = 0.;
    /// A cross-fade of raised cosine between two levels bends the tone less than the louder of them does by
    /// itself; 1.1 leaves room for the shape of what a compressor makes of a sine.
    bool found() const { return change > 1.1 * steady; }
};

/// `change_from`..`change_to`: frames that hold the change; a period of the tone or more must lie on both
/// sides.
inline ClickSearch find_click(const Channel& sound, int change_from, int change_to) {
    return {.steady = std::max(max_second_difference(part(sound, 0, change_from)),
                               max_second_difference(part(sound, change_to))),
            .change = max_second_difference(part(sound, change_from - 2, change_to + 2))};
}

}  // namespace gainstage::test
