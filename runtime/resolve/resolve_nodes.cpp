#include <algorithm>

#include "runtime/resolve/draft.hpp"

namespace gainstage {

namespace {

Names type_names(NodeTypes types) {
    Names names;
    for (const NodeType& type : types) names.push_back(type.name);
    return names;
}

const NodeType* find_type(NodeTypes types, std::string_view name) {
    const auto found =
        std::find_if(types.begin(), types.end(), [&](const NodeType& type) { return type.name == name; });
    return found == types.end() ? nullptr : &*found;
}

/// The key that was meant to be `type`, where one looks like it.
std::string_view misspelt_type(const PatchNode& written) {
    for (const Setting& setting : written.settings)
        if (!nearest_name(setting.key, {"type"}).empty()) return setting.key;
    return {};
}

void complain_about_type(Draft& draft, const PatchNode& written, const GraphNode& node) {
    if (!written.type_place.line) {
        const std::string_view slip = misspelt_type(written);
        draft.problems.error(
            written.place, key_of(node),
            draft.problems.unknown(
                slip.empty() ? "has no type; add type = \"...\""
                             : fmt::format("has no type; did you mean \"type\" by {}?", in_quotes(slip)),
                "", "types", type_names(draft.types)));
    } else if (!written.type.empty()) {  // else it was no text, and the reader said so
        draft.problems.error(written.type_place, key_of(node, "type"),
                             draft.problems.unknown("unknown node type " + in_quotes(written.type),
                                                    written.type, "types", type_names(draft.types)));
    }
}

void take_knobs(GraphNode& node, const std::vector<ParamSpec>& specs) {
    for (const ParamSpec& spec : specs) {
        node.params.push_back(spec);
        node.values.push_back(spec.start);
        node.smooth_ms.push_back(spec.steps > 0 ? 0.f : spec.smooth_ms);
        node.written.push_back(false);
    }
}

void resolve_node(Draft& draft, int index) {
    const PatchNode& written = draft.patch.nodes[index];
    GraphNode& node = draft.graph.nodes[index];
    DraftNode& known = draft.nodes[index];
    node.id = written.id;
    node.place = written.place;
    node.type = find_type(draft.types, written.type);
    if (!node.type) return complain_about_type(draft, written, node);
    take_knobs(node, node.type->params);
    known.fed.resize(node.type->inputs.size());
    known.knobs_known = node.type->architecture.empty() || resolve_model(draft, index);
    resolve_settings(draft, index);
}

}  // namespace

void resolve_nodes(Draft& draft) {
    const std::size_t count = draft.patch.nodes.size();
    draft.graph.nodes.resize(count);
    draft.nodes.resize(count);
    draft.node_by_id.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        draft.node_by_id.emplace(draft.patch.nodes[i].id, static_cast<int>(i));
        resolve_node(draft, static_cast<int>(i));
    }
}

}  // namespace gainstage
