#pragma once
/// Patch -> Graph: every name looked up, every value checked, every error of the file reported at once.

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/graph/graph.hpp"
#include "runtime/model/prepared_models.hpp"

namespace gainstage {

/// Reads a model file for the resolver; throws ModelError. The caller decides where models come from, so an
/// edit doesn't read unchanged files again.
using ModelReader = std::function<std::shared_ptr<const Model>(const std::string& path)>;

struct Resolved {
    std::optional<Graph> graph;  ///< present when no problem is an error
    Problems problems;
};

/// Control thread. `rate_hz`: of the stream; 0: not known yet, so no model is prepared and `rate = "refuse"`
/// is not checked. `prepared`: shares preparations with other patches; null: only the nodes of this one
/// share.
Resolved resolve(const Patch&, NodeTypes, const ModelReader&, double rate_hz = 0.,
                 PreparedModels* prepared = nullptr);

/// "node.param", "node.bypass", "node.mute" or "panic" in a graph; the message of a failure names the
/// nearest.
struct FoundTarget {
    std::optional<GraphTarget> target;
    std::string problem;
};
FoundTarget find_target(const Graph&, std::string_view name);
/// A scene by its name or by its number, counted from 1, or "next", "previous". A name wins over a number.
FoundTarget find_scene(const Graph&, std::string_view name);
/// What "node.NAME" may name of this node: its knobs without those that an option replaces, then "bypass" and
/// "mute" where it has them. The node owns the texts.
std::vector<std::string_view> names_of_targets(const GraphNode&);

}  // namespace gainstage
