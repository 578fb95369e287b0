#include <algorithm>

#include "runtime/patch/read_tables.hpp"
#include "runtime/plain_text.hpp"

namespace gainstage {

namespace {

constexpr double longest_morph_ms = 60'000.;
constexpr std::size_t longest_scene_name = 100;  // bytes
/// Words that stand in the place of a scene's name.
const Names reserved_scenes{"next", "previous", "morph"};

/// A name may stand in a terminal, on a page and in a command.
bool is_scene_name(const std::string& name) {
    return !name.empty() && name.size() <= longest_scene_name && plain_line(name) == name &&
           trimmed(name).size() == name.size();
}

void check_scene_name(const TomlEntry& entry, const Expect& expect) {
    if (!is_scene_name(entry.key))
        expect.error(entry, fmt::format("a scene's name has 1 to {} bytes, no control characters, and no "
                                        "blank at either end",
                                        longest_scene_name));
    if (std::find(reserved_scenes.begin(), reserved_scenes.end(), entry.key) != reserved_scenes.end())
        expect.error(entry, fmt::format("is reserved, as are {}; give the scene another name",
                                        list_of(reserved_scenes)));
}

/// What the scene says of one node.
void read_scene_node(const TomlEntry& entry, PatchScene& scene, const Expect& of_scene,
                     ProblemList& problems) {
    const auto* table = entry.value.as<TomlTable>();
    if (!table)
        return of_scene.error(entry, fmt::format("{}; a scene has morph_ms, and a table of knobs for each "
                                                 "node: {} = {{ ... }}",
                                                 kind_of(entry.value), shown(entry.key)));
    PatchSceneNode& node = scene.nodes.emplace_back();
    node.id = entry.key;
    node.place = entry.place;
    const std::string path = fmt::format("scenes.{}.", shown(scene.name));
    const Expect of_node(path, problems, entry.key);
    node.settings.reserve(table->size());
    for (const TomlEntry& line : *table)
        if (auto setting = read_setting(line, of_node)) node.settings.push_back(std::move(*setting));
}

void read_scene(const TomlEntry& entry, Patch& patch, ProblemList& problems) {
    const Expect expect("scenes.", problems);
    const auto* table = entry.value.as<TomlTable>();
    if (!table)
        return expect.error(entry, fmt::format("{}; expected a table: [scenes.verse]", kind_of(entry.value)));
    check_scene_name(entry, expect);
    PatchScene& scene = patch.scenes.emplace_back();
    scene.name = entry.key;
    scene.place = entry.place;
    const Expect of_scene("scenes.", problems, entry.key);
    for (const TomlEntry& line : *table)
        if (line.key == "morph_ms")
            scene.morph_ms = of_scene.number(line, 0., longest_morph_ms, "ms").value_or(-1.);
        else
            read_scene_node(line, scene, of_scene, problems);
}

}  // namespace

void read_scenes(const TomlEntry& entry, Patch& patch, ProblemList& problems) {
    const auto* table = entry.value.as<TomlTable>();
    if (!table)
        return problems.error(entry.place, "scenes",
                              fmt::format("{}; expected tables: [scenes.verse]", kind_of(entry.value)));
    patch.scenes.reserve(table->size());
    for (const TomlEntry& scene : *table) read_scene(scene, patch, problems);
}

}  // namespace gainstage
