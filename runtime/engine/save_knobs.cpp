#include "runtime/engine/save_knobs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/resolve/resolve.hpp"

namespace gainstage {

std::string toml_number(float value) {
    std::string text = fmt::format("{}", value);  // the shortest that reads as the same float
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}

namespace {

/// A scene has put it where it is. `param`: as in SceneValue.
bool belongs_to_scenes(const Graph& graph, int node, int param) {
    return std::any_of(graph.scenes.begin(), graph.scenes.end(), [&](const GraphScene& scene) {
        return std::any_of(scene.values.begin(), scene.values.end(), [&](const SceneValue& value) {
            return value.node == node && value.param == param;
        });
    });
}

}  // namespace

std::vector<WrittenValue> moved_knobs(const Engine& engine) {
    std::vector<WrittenValue> moved;
    const Arrangement* playing = engine.playing();
    if (!playing) return moved;
    const Graph& graph = playing->graph;
    for (int n = 0; n < static_cast<int>(graph.nodes.size()); ++n) {
        const GraphNode& node = graph.nodes[n];
        if (node.id.front() == '~') continue;
        for (const std::string_view name : names_of_targets(node)) {
            const int param = node.param_index(name);
            const bool is_bypass = param < 0 && name == "bypass";
            const TargetKind kind = param >= 0  ? TargetKind::parameter
                                    : is_bypass ? TargetKind::bypass
                                                : TargetKind::mute;
            const auto value = engine.value_of({.kind = kind, .node = n, .param = param});
            const int knobs = static_cast<int>(node.params.size());
            if (!value || belongs_to_scenes(graph, n, param >= 0 ? param : is_bypass ? knobs : knobs + 1))
                continue;
            if (param >= 0 && *value != node.values[param])
                moved.push_back({node.id, std::string(name), toml_number(*value)});
            const bool is_on = *value >= 0.5f;
            if (param < 0 && is_on != (is_bypass ? node.bypass : node.mute))
                moved.push_back({node.id, std::string(name), is_on ? "true" : "false"});
        }
    }
    return moved;
}

}  // namespace gainstage
