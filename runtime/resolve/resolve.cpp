#include "runtime/resolve/resolve.hpp"

#include <algorithm>

#include "runtime/resolve/draft.hpp"

namespace gainstage {

namespace {

void take_over_the_rest(Draft& draft) {
    draft.graph.name = draft.patch.name;
    draft.graph.file = draft.patch.file;
    draft.graph.patch_text = draft.patch.text;
    draft.graph.fade_ms = static_cast<float>(draft.patch.fade_ms);
    draft.graph.files.push_back(draft.patch.file);
    if (!draft.patch.link_folders.empty()) {
        draft.graph.folder = draft.patch.folder;
        draft.graph.link_folders = draft.patch.link_folders;
    }
    draft.graph.ceiling_dbfs = static_cast<float>(draft.patch.ceiling_dbfs);
}

}  // namespace

std::string key_of(const GraphNode& node, std::string_view key) {
    return key.empty() ? "nodes." + shown(node.id) : fmt::format("nodes.{}.{}", shown(node.id), shown(key));
}

Resolved resolve(const Patch& patch, NodeTypes types, const ModelReader& read_model, double rate_hz,
                 PreparedModels* prepared) {
    if (!patch.readable) return {};
    PreparedModels own;
    Draft draft{patch, types, read_model, rate_hz, prepared ? *prepared : own, ProblemList(patch.file)};
    take_over_the_rest(draft);
    resolve_nodes(draft);
    resolve_links(draft);
    resolve_widths(draft);
    check_loops(draft);
    check_outputs(draft);
    resolve_scenes(draft);
    resolve_midi(draft);

    Resolved resolved{.graph = std::nullopt, .problems = draft.problems.take()};
    // The reader may have refused a node's type: an error too, but one that is reported already.
    const bool complete =
        std::all_of(draft.knobs_known.begin(), draft.knobs_known.end(), [](bool known) { return known; });
    if (complete && !has_errors(resolved.problems)) resolved.graph = std::move(draft.graph);
    return resolved;
}

}  // namespace gainstage
