#pragma once
/// Node types that misbehave on purpose.

#include "runtime/node.hpp"

namespace gainstage::test {

/// Passes its input, but at chosen stream samples writes something bad: option `what` = nan, inf, loud (+100
/// dB), stuck_nan (from there on, as a poisoned state does); option `at` = stream sample, `every` = again
/// after so many.
const NodeType& bomb_type();

}  // namespace gainstage::test
