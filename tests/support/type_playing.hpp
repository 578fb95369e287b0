#pragma once
/// The node type for a model file, in tests that can't go on without one.

#include <stdexcept>

#include "nodes/all_nodes.hpp"
#include "runtime/model/model.hpp"

namespace gainstage::test {

/// Throws std::logic_error where no type plays it.
inline const NodeType& type_playing(const Model& model) {
    if (const NodeType* type = type_that_plays(all_nodes(), model.architecture)) return *type;
    throw std::logic_error("no node type plays " + model.architecture);
}

}  // namespace gainstage::test
