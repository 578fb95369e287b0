#include <optional>
#include <utility>

#include "runtime/resolve/draft.hpp"

namespace gainstage {

namespace {

Names type_names(NodeTypes types) {
    Names names;
    for (const NodeType& type : types) names.push_back(type.name);
    return names;
}

/// Types by name, each with the list of knobs that its nodes share.
class TypeShelf {
public:
    explicit TypeShelf(NodeTypes types) : types_(types), by_name_(types.size()), knobs_(types.size()) {
        for (std::size_t i = 0; i < types.size(); ++i) by_name_.add(types[i].name, static_cast<int>(i));
    }

    /// Null: there is no such type.
    const NodeType* find(std::string_view name) {
        if (latest_ && latest_->name == name) return latest_;
        const int index = by_name_.find(name);
        return latest_ = index < 0 ? nullptr : &types_[index];
    }
    const KnobList& knobs_of(const NodeType& type) {
        std::optional<KnobList>& knobs = knobs_[&type - types_.data()];
        if (!knobs) knobs.emplace(type.params);
        return *knobs;
    }

private:
    NodeTypes types_;
    NameIndex by_name_;
    std::vector<std::optional<KnobList>> knobs_;  // per type, made when first asked for
    const NodeType* latest_ = nullptr;            // found: the next node's is often the same
};

/// A key that looks like a misspelt `type`; empty: none.
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
    } else if (!written.type.empty()) {  // else the reader has reported it: it is no text
        draft.problems.error(written.type_place, key_of(node, "type"),
                             draft.problems.unknown("unknown node type " + in_quotes(written.type),
                                                    written.type, "types", type_names(draft.types)));
    }
}

void resolve_node(Draft& draft, TypeShelf& types, int index) {
    const PatchNode& written = draft.patch.nodes[index];
    GraphNode& node = draft.graph.nodes.edit(index);
    node.id = written.id;
    node.place = written.place;
    node.type = types.find(written.type);
    if (!node.type) return complain_about_type(draft, written, node);
    take_knobs(node, types.knobs_of(*node.type));
    draft.knobs_known[index] = node.type->architecture.empty() || resolve_model(draft, index);
    resolve_settings(draft, index);
}

}  // namespace

void take_knobs(GraphNode& node, KnobList knobs) {
    node.params = std::move(knobs);
    const std::size_t count = node.params.size();
    node.values = std::vector<float>(count);
    node.smooth_ms = std::vector<float>(count);
    for (std::size_t p = 0; p < count; ++p) {
        const ParamSpec& spec = node.params[p];
        node.values[p] = spec.start;
        node.smooth_ms[p] = spec.steps > 0 ? 0.f : spec.smooth_ms;
    }
}

void resolve_nodes(Draft& draft) {
    const std::size_t count = draft.patch.nodes.size();
    draft.graph.nodes.resize(count);
    draft.knobs_known.resize(count);
    draft.node_by_id = NameIndex(count);
    TypeShelf types(draft.types);
    for (std::size_t i = 0; i < count; ++i) {
        draft.node_by_id.add(draft.patch.nodes[i].id, static_cast<int>(i));
        resolve_node(draft, types, static_cast<int>(i));
    }
}

}  // namespace gainstage
