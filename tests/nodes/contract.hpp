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

/// How much of a staircase is left in the sound of a knob that is turned to and fro between two values every
/// 21 ms, over 20 ms, under a 100 Hz tone of amplitude 0.25: its largest second difference above that of
/// steady knobs, over that of the same turns in steps of 64 samples. A straight ramp sampled every frame
/// leaves the corners at its ends, a 64th or two; coefficients that follow once a block leave about 1.
double staircase_left(const NodeType&, const NodeConfig&, const std::string& knob, float low, float high);

}  // namespace gainstage::test
