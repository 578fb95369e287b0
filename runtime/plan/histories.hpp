#pragma once
/// Which slots record what they hear or send, for later newcomers. Private to plan/.

#include "runtime/plan/arrangement.hpp"

namespace gainstage {

/// Gives the new slots of an arrangement their histories: a node with a model records what it hears, a source
/// what it sends. A node that hears exactly what its predecessor heard goes on with the predecessor's
/// history.
void give_histories(Arrangement&, const Arrangement* previous, double rate_hz);

}  // namespace gainstage
