#pragma once
/// Brings a new model to rest: it plays silence before the stream begins, so it doesn't thump at its start.

#include <atomic>
#include <string>

#include "runtime/node.hpp"
#include "runtime/node_memory.hpp"
#include "runtime/prepared.hpp"

namespace gainstage {

/// Control thread, before the node's first block. The node plays silence, its knobs where `setup` has them,
/// for as long as its past matters to -80 dB, but for no more than a billion operations a channel (some
/// tenths of a second). Its state is then the one that resets put back (NodeMemory::keep). It stays as built
/// if the option `start` says "zero", or if the model blows up at silence. The result depends on the weights
/// and the setup alone, never on the time that the machine takes: it is kept beside the preparation, and a
/// node of the same setup takes it from there. `memory`: of the node. `given_up`: as in ArrangeConfig. Throws
/// GivenUp (nothing is kept then), std::bad_alloc.
Rest settle(Node& node, NodeMemory& memory, const NodeType&, const Prepared&, const Setup& setup,
            const std::atomic<bool>* given_up = nullptr);

/// What a player should know of it: a sentence without its subject, "emits a DC of ..."; empty: nothing.
std::string warning_of_offset(double offset_dbfs);
std::string warning_of_noise(double noise_dbfs);

}  // namespace gainstage
