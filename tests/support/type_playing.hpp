#pragma once
/// The node type for a model file, for tests that cannot do without one.

#include <stdexcept>

#include "nodes/all_nodes.hpp"
#include "runtime/model/model.hpp"

namespace gainstage::test {

/// Throws std::logic_error if no type plays the model.
inline const NodeType& type_playing(const Model& model) {
    if (const NodeType* type = type_that_plays(all_nodes(), model.architecture)) return *type;
    throw std::logic_error("no node type plays " + model.architecture);
}

}  // namespace gainstage::test
