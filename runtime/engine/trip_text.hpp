#pragma once
/// A trip, in words for the player.

#include <string>

#include "runtime/plan/arrangement.hpp"

namespace gainstage {

/// What the node did, and what is heard instead of it. `heard` is the arrangement in which it plays.
/// REQUIRES: the slot has tripped. Control thread.
std::string trip_text(const Arrangement& heard, const Slot&);

}  // namespace gainstage
