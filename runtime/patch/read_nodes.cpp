#include <algorithm>

#include "runtime/patch/read_tables.hpp"

namespace gainstage {

namespace {

bool is_id(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), fits_into_a_name);
}

std::optional<std::vector<std::int64_t>> whole_numbers(const TomlValue& value) {
    const auto* list = value.as<std::vector<TomlValue>>();
    if (!list) return std::nullopt;
    std::vector<std::int64_t> numbers;
    for (const TomlValue& item : *list) {
        const auto* number = item.as<std::int64_t>();
        if (!number) return std::nullopt;
        numbers.push_back(*number);
    }
    return numbers;
}

/// False: no setting has such a value.
bool read_value(const TomlValue& written, Setting& setting) {
    if (const auto* flag = written.as<bool>())
        setting.value = *flag;
    else if (const auto* whole = written.as<std::int64_t>())
        setting.value = *whole;
    else if (const auto* number = written.as<double>())
        setting.value = *number;
    else if (const auto* text = written.as<std::string>())
        setting.value = *text;
    else if (auto list = whole_numbers(written))
        setting.value = std::move(*list);
    else
        return false;
    return true;
}

void read_type(const TomlEntry& entry, PatchNode& node, const Expect& expect) {
    node.type_place = entry.place;
    const std::string* type = expect.text(entry);
    if (!type) return;
    if (type->empty()) expect.error(entry, "empty; expected a node type");
    node.type = *type;
}

void read_line(const TomlEntry& entry, PatchNode& node, const Expect& expect) {
    if (entry.key == "type") return read_type(entry, node, expect);
    if (auto setting = read_setting(entry, expect)) node.settings.push_back(std::move(*setting));
}

/// Words that addresses begin with.
const Names reserved_ids{"master", "scene", "song", "panic", "tempo_bpm"};

void check_id(const TomlEntry& entry, const Expect& expect) {
    if (!is_id(entry.key)) expect.error(entry, "a node's name has small letters (a-z), digits, _ and - only");
    if (std::find(reserved_ids.begin(), reserved_ids.end(), entry.key) != reserved_ids.end())
        expect.error(
            entry, fmt::format("is reserved, as are {}; give the node another name", list_of(reserved_ids)));
}

void read_node(const TomlEntry& entry, Patch& patch, ProblemList& problems) {
    const Expect expect("nodes.", problems);
    const auto* table = entry.value.as<TomlTable>();
    if (!table)
        return expect.error(entry, fmt::format("{}; expected a table: [nodes.in]", kind_of(entry.value)));
    check_id(entry, expect);
    PatchNode& node = patch.nodes.emplace_back();
    node.id = entry.key;
    node.place = entry.place;
    const Expect of_node("nodes.", problems, entry.key);
    node.settings.reserve(table->size());
    for (const TomlEntry& line : *table) read_line(line, node, of_node);
}

}  // namespace

std::optional<Setting> read_setting(const TomlEntry& entry, const Expect& expect) {
    Setting setting;
    setting.key = entry.key;
    setting.place = entry.place;
    if (read_value(entry.value, setting)) return setting;
    expect.error(entry, fmt::format("{}; a setting is a number, a text, true or false, or a list of "
                                    "whole numbers",
                                    kind_of(entry.value)));
    return std::nullopt;
}

void read_nodes(const TomlEntry& entry, Patch& patch, ProblemList& problems) {
    const auto* table = entry.value.as<TomlTable>();
    if (!table) {
        problems.error(entry.place, "nodes",
                       fmt::format("{}; expected tables: [nodes.in]", kind_of(entry.value)));
        return;
    }
    patch.nodes.reserve(table->size());
    for (const TomlEntry& node : *table) read_node(node, patch, problems);
}

}  // namespace gainstage
