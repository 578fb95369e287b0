#include "runtime/patch/read_tables.hpp"

namespace gainstage {

namespace {

const Names top_keys{"format", "name",    "links",        "nodes", "midi",
                     "scenes", "fade_ms", "ceiling_dbfs", "start"};

bool is_of_later_format(const TomlTable& document) {
    for (const TomlEntry& entry : document)
        if (const auto* number = entry.value.as<std::int64_t>(); entry.key == "format" && number)
            return *number > 1;
    return false;
}

void read_format(const TomlEntry& entry, const Expect& expect) {
    const auto* number = entry.value.as<std::int64_t>();
    if (!number)
        expect.error(entry, fmt::format("{}; expected format = 1", kind_of(entry.value)));
    else if (*number != 1)
        expect.error(entry, fmt::format("this Gainstage reads format 1, not {}{}", *number,
                                        *number > 1 ? "; a newer one may" : ""));
}

void read_start(const TomlEntry& entry, Patch& patch, const Expect& expect) {
    patch.start_place = entry.place;
    const std::string* name = expect.text(entry);
    if (!name) return;
    if (name->empty()) expect.error(entry, "empty; expected the name of a scene");
    patch.start = *name;
}

void read_top_level(const TomlEntry& entry, Patch& patch, ProblemList& problems) {
    const Expect expect("", problems);
    if (entry.key == "format") return read_format(entry, expect);
    if (entry.key == "links") return read_links(entry, patch, problems);
    if (entry.key == "nodes") return read_nodes(entry, patch, problems);
    if (entry.key == "midi") return read_midi(entry, patch, problems);
    if (entry.key == "scenes") return read_scenes(entry, patch, problems);
    if (entry.key == "start") return read_start(entry, patch, expect);
    if (entry.key == "name") {
        if (const std::string* name = expect.text(entry)) patch.name = *name;
    } else if (entry.key == "fade_ms") {
        patch.fade_ms = expect.number(entry, 1., 1'000., "ms").value_or(patch.fade_ms);
    } else if (entry.key == "ceiling_dbfs") {
        patch.ceiling_dbfs = expect.number(entry, 0., 60., "dBFS").value_or(patch.ceiling_dbfs);
    } else {
        expect.unknown_key(entry, "unknown key", top_keys);
    }
}

}  // namespace

void read_document(const TomlTable& document, Patch& patch, ProblemList& problems) {
    bool has_format = false;
    for (const TomlEntry& entry : document) has_format = has_format || entry.key == "format";
    if (!has_format) problems.error({}, "format", "missing; a patch begins with format = 1");

    // This version can't judge what else a later format holds.
    patch.readable = !is_of_later_format(document);
    for (const TomlEntry& entry : document)
        if (patch.readable || entry.key == "format") read_top_level(entry, patch, problems);
}

}  // namespace gainstage
