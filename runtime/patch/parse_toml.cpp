#include <toml++/toml.h>

#include <algorithm>
#include <tuple>

#include "runtime/patch/toml_value.hpp"

namespace gainstage {

namespace {

Place place_of(const toml::source_position& position) {
    return {static_cast<int>(position.line), static_cast<int>(position.column)};
}

TomlValue plain(const toml::node&);

TomlTable plain_table(const toml::table& table) {
    TomlTable entries;
    entries.reserve(table.size());
    for (auto&& [key, node] : table)
        entries.push_back({std::string(key.str()), place_of(key.source().begin), plain(node)});
    // toml++ keeps keys in alphabetical order; cables and nodes count in the file's.
    std::sort(entries.begin(), entries.end(), [](const TomlEntry& a, const TomlEntry& b) {
        return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
    });
    return entries;
}

std::vector<TomlValue> plain_list(const toml::array& array) {
    std::vector<TomlValue> list;
    list.reserve(array.size());
    for (auto&& node : array) list.push_back(plain(node));
    return list;
}

TomlValue plain(const toml::node& node) {
    TomlValue value{place_of(node.source().begin), place_of(node.source().end), TomlDate{}};
    if (const auto* flag = node.as_boolean())
        value.value = flag->get();
    else if (const auto* whole = node.as_integer())
        value.value = whole->get();
    else if (const auto* number = node.as_floating_point())
        value.value = number->get();
    else if (const auto* text = node.as_string())
        value.value = text->get();
    else if (const auto* array = node.as_array())
        value.value = plain_list(*array);
    else if (const auto* table = node.as_table())
        value.value = plain_table(*table);
    return value;
}

std::string in_our_words(std::string_view description) {
    if (description.find("utf-8") != std::string_view::npos) return "not UTF-8 text; save the file as UTF-8";
    return fmt::format("not valid TOML: {}", description);
}

}  // namespace

std::string kind_of(const TomlValue& value) {
    static constexpr const char* kinds[] = {"true or false", "a whole number", "a number", "a text",
                                            "a date",        "a list",         "a table"};
    return kinds[value.value.index()];
}

std::optional<TomlTable> parse_toml(std::string_view text, ProblemList& problems) {
    if (const auto place = find_deep_nesting(text)) {
        problems.error(*place, "",
                       "nested too deeply; a patch needs no more than a list in a table of nodes");
        return std::nullopt;
    }
    try {
        return plain_table(toml::parse(text));
    } catch (const toml::parse_error& error) {
        problems.error(place_of(error.source().begin), "", in_our_words(error.description()));
    } catch (const std::exception& error) {
        problems.error({}, "", fmt::format("could not be read as TOML: {}", error.what()));
    }
    return std::nullopt;
}

}  // namespace gainstage
