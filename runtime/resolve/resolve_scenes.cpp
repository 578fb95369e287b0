#include <algorithm>

#include "runtime/resolve/draft.hpp"
#include "runtime/resolve/replaced_knob.hpp"
#include "runtime/resolve/settings.hpp"

namespace gainstage {

namespace {

/// One [scenes.NAME] table.
class SceneDraft {
public:
    SceneDraft(Draft& draft, const PatchScene& written) : draft_(draft), written_(written) {
        scene_.name = written.name;
        scene_.place = written.place;
        scene_.morph_ms = static_cast<float>(written.morph_ms);
    }

    GraphScene resolve() {
        for (const PatchSceneNode& node : written_.nodes) resolve_node(node);
        std::sort(scene_.values.begin(), scene_.values.end(), [](const SceneValue& a, const SceneValue& b) {
            return a.node != b.node ? a.node < b.node : a.param < b.param;
        });
        return std::move(scene_);
    }

private:
    std::string path(const PatchSceneNode& node) const {
        return fmt::format("scenes.{}.{}", shown(written_.name), shown(node.id));
    }
    void complain(const PatchSceneNode& node, const Setting& setting, std::string message) {
        draft_.problems.error(setting.place, path(node) + "." + shown(setting.key), std::move(message));
    }

    void resolve_node(const PatchSceneNode& written) {
        const int index = draft_.node_by_id.find(written.id);
        if (index < 0)
            return draft_.problems.error(
                written.place, path(written),
                draft_.problems.unknown("there is no node " + in_quotes(written.id), written.id, "nodes",
                                        node_ids(draft_.graph)));
        if (!draft_.knobs_known[index]) return;  // what is wrong with it is reported
        for (const Setting& setting : written.settings) resolve_setting(written, index, setting);
    }

    void resolve_setting(const PatchSceneNode& written, int index, const Setting& setting) {
        const GraphNode& node = draft_.graph.nodes[index];
        const int own = static_cast<int>(node.params.size());
        const bool is_bypass = setting.key == "bypass" && may_be_bypassed(node);
        if (is_bypass || (setting.key == "mute" && may_be_muted(node))) {
            if (const auto is_on = switch_value(setting))
                scene_.values.push_back({index, is_bypass ? own : own + 1, *is_on ? 1.f : 0.f});
            else
                complain(written, setting, found(setting) + "; expected true or false");
            return;
        }
        if (is_structural(node, setting.key))
            return complain(written, setting,
                            fmt::format("{} is built into the node, and a scene moves knobs, bypass and mute "
                                        "alone; write this sound as another patch, and both into a set",
                                        in_quotes(setting.key)));
        const int param = node.param_index(setting.key);
        if (param < 0)
            return complain(
                written, setting,
                draft_.problems.unknown(fmt::format("{} (type {}) has no knob {}", in_quotes(node.id),
                                                    in_quotes(node.type->name), in_quotes(setting.key)),
                                        setting.key, "knobs", target_names(node)));
        if (const OptionSpec* option = replacement_of(node, setting.key))
            return complain(
                written, setting,
                fmt::format("does nothing beside {} of the node; take that out", in_quotes(option->name)));
        if (const auto value = knob_value(node.params[param], setting))
            scene_.values.push_back({index, param, *value});
        else
            complain(written, setting,
                     fmt::format("{}; expected {}", found(setting), expectation(node.params[param])));
    }

    static bool is_structural(const GraphNode& node, std::string_view key) {
        const bool is_option = std::any_of(node.type->options.begin(), node.type->options.end(),
                                           [key](const OptionSpec& option) { return option.name == key; });
        const bool is_of_model = !node.type->architecture.empty() && (key == "model" || key == "rate");
        return is_option || is_of_model || key == "type" || key == "smooth_ms";
    }

    Draft& draft_;
    const PatchScene& written_;
    GraphScene scene_;
};

void resolve_start(Draft& draft) {
    const std::string& name = draft.patch.start;
    if (name.empty()) return;
    const int scene = draft.scene_by_name.find(name);
    if (scene >= 0) return begin_with(draft.graph, scene);
    draft.problems.error(draft.patch.start_place, "start",
                         draft.problems.unknown("there is no scene " + in_quotes(name), name, "scenes",
                                                scene_names(draft.graph)));
}

}  // namespace

void resolve_scenes(Draft& draft) {
    const std::vector<PatchScene>& written = draft.patch.scenes;
    draft.scene_by_name = NameIndex(written.size());
    draft.graph.scenes.reserve(written.size());
    for (std::size_t s = 0; s < written.size(); ++s) {
        draft.scene_by_name.add(written[s].name, static_cast<int>(s));
        draft.graph.scenes.push_back(SceneDraft(draft, written[s]).resolve());
    }
    resolve_start(draft);
}

}  // namespace gainstage
