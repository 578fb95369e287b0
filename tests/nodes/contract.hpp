#pragma once
/// The promises of runtime/node.hpp that a test of any node can ask for in one line.

#include <string>

#include "tests/support/node_runner.hpp"

namespace gainstage::test {

/// "" if the node, played with these inputs and moves,
/// - writes the same bits in blocks of 1, 16, 64, 512 and random sizes;
/// - is as new after reset(), also after an input of NaN and infinities;
/// - goes on as its original after copy_state(), also while a knob moves.
/// Else which promise it broke, and where.
std::string broken_promise(const NodeType&, const NodeConfig&, const Ports& inputs,
                           const std::vector<Move>& moves = {});

/// "" if full-scale noise stays finite with every knob of the node at either end, and flying from end to end.
std::string not_finite(const NodeType&, const NodeConfig&, const Ports& inputs);

}  // namespace gainstage::test
