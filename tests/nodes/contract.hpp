#pragma once
/// The promises of runtime/node.hpp that a test can check for any node in one line.

#include <string>

#include "tests/support/node_runner.hpp"

namespace gainstage::test {

/// "" if the node, played with these inputs and moves,
/// - writes the same bits in blocks of 1, 16, 64, 512 and random sizes;
/// - is as new after a reset, even after an input of NaN and infinities;
/// - plays on like its original after a copy, even while a knob moves;
/// - has forgotten its past after exact_memory_samples(), if it has one.
/// Else the promise it broke, and where.
std::string broken_promise(const NodeType&, const NodeConfig&, const Ports& inputs,
                           const std::vector<Move>& moves = {});

/// "" if the output is finite for full-scale noise, with every knob of the node at either end and moving from
/// end to end.
std::string not_finite(const NodeType&, const NodeConfig&, const Ports& inputs);

/// Share of a staircase that is left in the sound while a knob moves. A 100 Hz tone of amplitude 0.25 plays
/// while the knob is turned to and fro between two values every 21 ms, in 20 ms each. The measure is the
/// largest second difference above that of steady knobs, divided by that of the same turns in steps of 64
/// samples. A straight ramp sampled at every frame leaves the corners at its ends, a 64th or two;
/// coefficients that follow once a block leave about 1.
double staircase_left(const NodeType&, const NodeConfig&, const std::string& knob, float low, float high);

}  // namespace gainstage::test
