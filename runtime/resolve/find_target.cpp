#include "runtime/numbers.hpp"
#include "runtime/resolve/draft.hpp"
#include "runtime/resolve/replaced_knob.hpp"

namespace gainstage {

namespace {

FoundTarget failure(std::string problem) {
    return {.target = std::nullopt, .problem = std::move(problem)};
}

FoundTarget switch_target(TargetKind kind, int node) {
    return {.target = GraphTarget{.kind = kind, .node = node, .param = -1, .min = 0.f, .max = 1.f},
            .problem = {}};
}

FoundTarget target_of_node(const GraphNode& node, int index, std::string_view name, ProblemList& words) {
    if (name == "bypass" && may_be_bypassed(node)) return switch_target(TargetKind::bypass, index);
    if (name == "mute" && may_be_muted(node)) return switch_target(TargetKind::mute, index);
    const int param = node.param_index(name);
    if (param < 0)
        return failure(words.unknown(fmt::format("{} (type {}) has no parameter {}", in_quotes(node.id),
                                                 in_quotes(node.type->name), in_quotes(name)),
                                     name, "targets", target_names(node)));
    if (const OptionSpec* option = replacement_of(node, name))
        return failure(fmt::format("{} of {} does nothing beside {}; take that out", in_quotes(name),
                                   in_quotes(node.id), in_quotes(option->name)));
    const ParamSpec& spec = node.params[param];
    return {.target = GraphTarget{.kind = TargetKind::parameter,
                                  .node = index,
                                  .param = param,
                                  .min = spec.min,
                                  .max = spec.max},
            .problem = {}};
}

}  // namespace

Names node_ids(const Graph& graph) {
    Names names;
    for (const GraphNode& node : graph.nodes) names.push_back(node.id);
    return names;
}

Names scene_names(const Graph& graph) {
    Names names;
    for (const GraphScene& scene : graph.scenes) names.push_back(scene.name);
    return names;
}

Names target_names(const GraphNode& node) {
    Names names;
    for (const ParamSpec& spec : node.params)
        if (!replacement_of(node, spec.name)) names.push_back(spec.name);
    if (may_be_bypassed(node)) names.push_back("bypass");
    if (may_be_muted(node)) names.push_back("mute");
    return names;
}

bool may_be_bypassed(const GraphNode& node) {
    return !node.type->inputs.empty() && !node.type->outputs.empty();
}

bool may_be_muted(const GraphNode& node) {
    return !node.type->outputs.empty() || node.type->device == Door::out;
}

std::string_view node_of_target(std::string_view name) {
    return name.substr(0, name.find('.'));
}

FoundTarget find_target_at(const Graph& graph, int node, std::string_view name, ProblemList& words,
                           std::string_view expected) {
    if (name == "panic")
        return {.target = GraphTarget{.kind = TargetKind::panic, .node = -1, .param = -1}, .problem = {}};
    const std::string_view id = node_of_target(name);
    if (id.size() == name.size()) {
        const bool near_panic = !nearest_name(name, {"panic"}).empty();
        return failure(fmt::format("{} is no target; {}{}", in_quotes(name),
                                   near_panic ? "did you mean \"panic\"? " : "", expected));
    }
    if (node < 0)
        return failure(words.unknown("there is no node " + in_quotes(id), id, "nodes", node_ids(graph)));
    return target_of_node(graph.nodes[node], node, name.substr(id.size() + 1), words);
}

FoundTarget find_target(const Graph& graph, std::string_view name) {
    ProblemList words(graph.file);
    return find_target_at(graph, graph.node_index(node_of_target(name)), name, words);
}

FoundTarget find_scene(const Graph& graph, std::string_view name) {
    const auto target = [](TargetKind kind, int scene = -1) {
        return FoundTarget{.target = GraphTarget{.kind = kind, .node = -1, .param = scene}, .problem = {}};
    };
    if (const int scene = graph.scene_index(name); scene >= 0) return target(TargetKind::scene_named, scene);
    if (graph.scenes.empty()) return failure("the patch has no scenes");
    if (name == "next") return target(TargetKind::scene_next);
    if (name == "previous") return target(TargetKind::scene_previous);
    const int last = static_cast<int>(graph.scenes.size());
    const auto number = text_as_whole(name);
    if (const auto scene = whole_between(number, 1, last)) return target(TargetKind::scene_named, *scene - 1);
    if (number) return failure(fmt::format("there is no scene {}; expected 1 to {}", *number, last));
    ProblemList words(graph.file);
    return failure(words.unknown("there is no scene " + in_quotes(name), name, "scenes", scene_names(graph)));
}

std::vector<std::string_view> names_of_targets(const GraphNode& node) {
    return target_names(node);
}

}  // namespace gainstage
