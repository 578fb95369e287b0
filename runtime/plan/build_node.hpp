#pragma once
/// Every node is built here: its model plays at the device's rate where it can, else at its own.

#include <memory>

#include "runtime/graph/graph.hpp"
#include "runtime/node.hpp"
#include "runtime/prepared.hpp"

namespace gainstage {

/// How a node plays its model at a device rate.
enum class RateWay {
    own,        ///< no model, or a device at its training rate
    exact,      ///< at another rate than it was trained at, by itself
    resampled,  ///< at its training rate, behind a resampler
};
/// Any thread. `prepared`: null without a model.
RateWay rate_way(const Prepared* prepared, double device_rate_hz) noexcept;

/// Control thread. The node's own preparation, or a new one if it has none for this rate. Null without a
/// model. Throws ModelError.
std::shared_ptr<const Prepared> prepared_for(const GraphNode&, double device_rate_hz);

/// Control thread. `prepared`: for the rate of `setup`, which is the device's; null without a model. Throws
/// SetupError, and what the node's constructor throws.
std::unique_ptr<Node> build_node(const NodeType&, const Prepared* prepared, const Setup& setup);

}  // namespace gainstage
