#pragma once
/// What is kept of the past for later newcomers. Private to plan/.

#include "runtime/plan/arrangement.hpp"

namespace gainstage {

/// Gives an arrangement its histories, and counts them: one for each device channel that it reads, and for
/// each input of a new node with a model. A node that hears exactly what its predecessor heard goes on with
/// the predecessor's history, and so does a channel. Stops, with a problem, where they would take more memory
/// than the config allows.
void give_histories(Arrangement&, const Arrangement* previous, const ArrangeConfig&);

/// The problem of an arrangement that takes more memory than `most_bytes`.
Problem too_large(const Arrangement&, std::size_t most_bytes);

}  // namespace gainstage
