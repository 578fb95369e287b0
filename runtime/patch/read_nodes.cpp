#include <algorithm>

#include "runtime/patch/read_tables.hpp"

namespace gainstage {

namespace {

bool is_id(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
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

std::optional<Setting> setting(const TomlEntry& entry) {
    Setting setting{entry.key, entry.place, false};
    if (const auto* flag = entry.value.as<bool>())
        setting.value = *flag;
    else if (const auto* whole = entry.value.as<std::int64_t>())
        setting.value = *whole;
    else if (const auto* number = entry.value.as<double>())
        setting.value = *number;
    else if (const auto* text = entry.value.as<std::string>())
        setting.value = *text;
    else if (auto list = whole_numbers(entry.value))
        setting.value = std::move(*list);
    else
        return std::nullopt;
    return setting;
}

void read_setting(const TomlEntry& entry, PatchNode& node, const Expect& expect) {
    if (entry.key == "type") {
        const auto type = expect.text(entry);
        if (type && type->empty()) expect.error(entry, "empty; expected a node type");
        node.type = type.value_or("");
        node.type_place = entry.place;
    } else if (auto read = setting(entry)) {
        node.settings.push_back(std::move(*read));
    } else {
        expect.error(entry, fmt::format("{}; a setting is a number, a text, true or false, or a list of "
                                        "whole numbers",
                                        kind_of(entry.value)));
    }
}

void read_node(const TomlEntry& entry, Patch& patch, ProblemList& problems) {
    const Expect expect("nodes.", problems);
    const auto* table = entry.value.as<TomlTable>();
    if (!table)
        return expect.error(entry, fmt::format("{}; expected a table: [nodes.in]", kind_of(entry.value)));
    if (!is_id(entry.key)) expect.error(entry, "a node's name has small letters (a-z), digits, _ and - only");
    PatchNode node{.id = entry.key, .place = entry.place, .type = {}, .type_place = {}, .settings = {}};
    const Expect of_node("nodes.", problems, entry.key);
    node.settings.reserve(table->size());
    for (const TomlEntry& line : *table) read_setting(line, node, of_node);
    patch.nodes.push_back(std::move(node));
}

}  // namespace

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
