#include <algorithm>
#include <filesystem>
#include <optional>

#include "runtime/out_of_memory.hpp"
#include "runtime/resolve/draft.hpp"
#include "runtime/sysexits.hpp"

namespace gainstage {

namespace {

const Setting* find_setting(const PatchNode& written, std::string_view key) {
    for (const Setting& setting : written.settings)
        if (setting.key == key) return &setting;
    return nullptr;
}

/// Each file once, however many nodes play it.
std::shared_ptr<const Model> read_once(Draft& draft, const std::string& path) {
    auto& model = draft.models[path];
    if (!model) {
        model = draft.read_model(path);
        draft.graph.files.push_back(path);
    }
    return model;
}

/// Null where nothing is there; then `fault` says so.
std::shared_ptr<const Model> read_if_there(Draft& draft, const std::string& path,
                                           std::optional<ModelError>& fault) {
    try {
        return read_once(draft, path);
    } catch (const ModelError& error) {
        if (error.exit_code != sysexits::not_found) throw;
        if (!fault) fault = error;
        return nullptr;
    }
}

/// Beside the patch; where nothing is there, beside the links that led to it, from the nearest on.
std::shared_ptr<const Model> read_beside(Draft& draft, const std::filesystem::path& file) {
    const auto beside = [&](const std::string& folder) {
        return (std::filesystem::path(folder) / file).string();
    };
    std::vector<std::string> paths{beside(draft.patch.folder)};
    if (!file.is_absolute())
        for (const std::string& folder : draft.patch.link_folders) paths.push_back(beside(folder));
    std::optional<ModelError> fault;
    for (std::size_t k = 0; k < paths.size(); ++k) {
        auto model = read_if_there(draft, paths[k], fault);
        if (!model) continue;
        // those before it come first as soon as they are there
        draft.graph.files.insert(draft.graph.files.end(), paths.begin(), paths.begin() + k);
        return model;
    }
    throw ModelError(*fault);
}

std::shared_ptr<const Model> read_model(Draft& draft, const GraphNode& node, const Setting& setting) {
    const auto* file = std::get_if<std::string>(&setting.value);
    if (!file || file->empty()) {
        draft.problems.error(setting.place, key_of(node, "model"),
                             "expected the path of a model file, relative to the patch");
        return nullptr;
    }
    try {
        return read_beside(draft, *file);
    } catch (const ModelError& error) {
        draft.problems.error(setting.place, key_of(node, "model"), error.what(), error.exit_code);
    } catch (const std::exception& error) {
        draft.problems.error(setting.place, key_of(node, "model"),
                             fmt::format("can't be read: {}", reason_of(error)),
                             is_out_of_memory(error) ? sysexits::environment : sysexits::bad_data);
    }
    return nullptr;
}

bool has_right_architecture(Draft& draft, const GraphNode& node, const Setting& setting, const Model& model) {
    if (model.architecture == node.type->architecture) return true;
    const NodeType* right = type_that_plays(draft.types, model.architecture);
    const std::string remedy =
        right ? fmt::format("write type = {}", in_quotes(right->name)) : "choose a file of that architecture";
    draft.problems.error(setting.place, key_of(node, "model"),
                         fmt::format("{} holds a model of architecture {}, but type {} plays {}; {}",
                                     in_quotes(model.file), in_quotes(model.architecture),
                                     in_quotes(node.type->name), in_quotes(node.type->architecture), remedy));
    return false;
}

/// Whether a patch uses this name for something else.
bool is_taken(const GraphNode& node, const std::vector<ParamSpec>& knobs, std::string_view name) {
    for (const char* word : {"type", "model", "rate", "smooth_ms", "bypass", "mute"})
        if (name == word) return true;
    for (const OptionSpec& option : node.type->options)
        if (option.name == name) return true;
    return std::any_of(knobs.begin(), knobs.end(), [&](const ParamSpec& knob) { return knob.name == name; });
}

void take_control(Draft& draft, const GraphNode& node, const Setting& setting, const ModelControl& control,
                  std::vector<ParamSpec>& knobs) {
    if (is_taken(node, knobs, control.name)) {
        draft.problems.error(setting.place, key_of(node, "model"),
                             fmt::format("the model's control {} has the name of another setting of this "
                                         "node; export the model with another name for it",
                                         in_quotes(control.name)));
        return;
    }
    knobs.push_back({.name = control.name,
                     .unit = control.unit,
                     .min = control.min,
                     .max = control.max,
                     .start = control.start,
                     .summary = "declared by the model",
                     .steps = control.steps});
}

/// Prepares the node's model and takes its notes. If the file can't be prepared, building the node reports
/// it.
void prepare(Draft& draft, GraphNode& node, const Setting& setting) {
    if (draft.rate_hz <= 0. || !node.type->prepare) return;
    try {
        node.prepared = draft.prepared.get(*node.type, *node.model, draft.rate_hz);
    } catch (const std::exception&) {
        return;
    }
    for (const std::string& note : node.prepared->facts().notes)
        draft.problems.note(setting.place, key_of(node, "model"), note);
}

}  // namespace

bool resolve_model(Draft& draft, int index) {
    const PatchNode& written = draft.patch.nodes[index];
    GraphNode& node = draft.graph.nodes.edit(index);
    const Setting* setting = find_setting(written, "model");
    if (!setting) {
        draft.problems.error(written.place, key_of(node),
                             fmt::format("type {} needs a model; add model = \"FILE.safetensors\"",
                                         in_quotes(node.type->name)));
        return false;
    }
    const auto model = read_model(draft, node, *setting);
    if (!model || !has_right_architecture(draft, node, *setting, *model)) return false;
    node.model = model;
    std::vector<ParamSpec> knobs = node.type->params;
    for (const ModelControl& control : model->controls) take_control(draft, node, *setting, control, knobs);
    take_knobs(node, KnobList(std::move(knobs)));
    prepare(draft, node, *setting);
    return true;
}

}  // namespace gainstage
