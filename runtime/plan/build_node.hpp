#pragma once
/// Every node is built here: its model plays at the device's rate where it can, else at its own.

#include <memory>

#include "runtime/node.hpp"

namespace gainstage {

/// How a node plays its model at a device rate.
enum class RateWay {
    own,        ///< no model, or a device at its training rate
    exact,      ///< at another rate than it was trained at, by itself (NodeType::any_rate)
    resampled,  ///< at its training rate, behind a resampler
};
/// Control thread. `model` may be null. May throw ModelError.
RateWay rate_way(const NodeType&, const Model* model, double device_rate_hz);

/// Control thread. `setup` is the device's. Throws SetupError, ModelError, and what the type's constructor
/// throws.
std::unique_ptr<Node> build_node(const NodeType&, const Setup& setup);

}  // namespace gainstage
