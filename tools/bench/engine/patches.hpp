#pragma once
/// The patches of engine_bench.

#include <string>

#include "runtime/resolve/resolve.hpp"

namespace gainstage {

/// `nodes` gains in a row. `extra_link`: more text for `links`.
std::string chain_patch(int nodes, const std::string& extra_link = "");
/// One node that plays a model file.
std::string model_patch(const std::string& model, const std::string& type = "grey_box");
/// `branches` parallel chains of `nodes` learned compressors each, from one input to one output.
std::string branches_patch(const std::string& model, int branches, int nodes);

Graph graph_of(const std::string& text);

}  // namespace gainstage
