#include <version>
// toml++ is compiled into this file: with numbers read by std::from_chars it takes 60 % of the time that the
// distribution's library takes.
#undef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#ifdef __cpp_lib_to_chars
#define TOML_FLOAT_CHARCONV 1
#endif
// Without asserts clang takes for granted what they say, and a broken text can make one of them wrong.
#undef NDEBUG
#define TOML_ASSERT(condition) static_cast<void>(0)
#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "runtime/foreign_bytes.hpp"
#include "runtime/patch/characters.hpp"
#include "runtime/patch/toml_value.hpp"

namespace gainstage {

namespace {

Place place_of(const toml::source_position& position) {
    return {static_cast<int>(position.line), static_cast<int>(position.column)};
}

/// Takes the texts out of a tree of toml++.
class Taker {
public:
    TomlTable table(toml::table& table) {
        const std::size_t first = found_.size(), count = table.size();
        for (auto&& [key, node] : table) found_.push_back({order_of(key.source().begin), &key, &node});
        // toml++ keeps keys in alphabetical order; the order of cables and nodes is the file's.
        std::sort(found_.begin() + static_cast<std::ptrdiff_t>(first), found_.end(),
                  [](const Found& a, const Found& b) { return a.order < b.order; });
        TomlTable entries(count);
        for (std::size_t k = 0; k < count; ++k) {
            const Found found = found_[first + k];  // tables within this one write behind it
            entries[k].key = found.key->str();
            entries[k].place = place_of(found.key->source().begin);
            value(*found.node, entries[k].value);
        }
        found_.resize(first);
        return entries;
    }

private:
    /// An entry of a table before its value is converted: small, so cheap to sort.
    struct Found {
        std::uint64_t order;  ///< in the file: the line, then the column
        const toml::key* key;
        toml::node* node;
    };
    static std::uint64_t order_of(const toml::source_position& position) {
        return std::uint64_t{position.line} << 32 | position.column;
    }

    std::vector<TomlValue> list(toml::array& array) {
        std::vector<TomlValue> values(array.size());
        std::size_t taken = 0;
        for (auto&& node : array) value(node, values[taken++]);
        return values;
    }

    void value(toml::node& node, TomlValue& to) {
        to.place = place_of(node.source().begin);
        to.end = place_of(node.source().end);
        switch (node.type()) {
            case toml::node_type::string:
                to.value.emplace<std::string>(std::move(node.as_string()->get()));
                break;
            case toml::node_type::table:
                to.value.emplace<TomlTable>(table(*node.as_table()));
                break;
            case toml::node_type::floating_point:
                to.value.emplace<double>(node.as_floating_point()->get());
                break;
            case toml::node_type::integer:
                to.value.emplace<std::int64_t>(node.as_integer()->get());
                break;
            case toml::node_type::array:
                to.value.emplace<std::vector<TomlValue>>(list(*node.as_array()));
                break;
            case toml::node_type::boolean:
                to.value.emplace<bool>(node.as_boolean()->get());
                break;
            default:
                to.value.emplace<TomlDate>();
        }
    }

    std::vector<Found> found_;  // of the tables that are being taken, the outermost first
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// What an office program, a chat or another country's keyboard left in a line that is no TOML: curly quotes,
/// a typographic minus, a decimal comma. Looks outside quoted texts and comments, up to just behind the
/// column where the parser gave up. Empty: nothing of the kind.
std::string foreign_habit(std::string_view line, std::size_t column) {
    std::string cause;
    char quote = 0;
    int brackets = 0;
    for (std::size_t k = 0; k < line.size(); ++k) {
        const char c = line[k];
        if (quote) {
            if (c == '\\' && quote == '"') ++k;
            if (c == quote) quote = 0;
            continue;
        }
        if (std::string found = typographic(line.substr(k)); !found.empty()) return found;
        if (c == '#') break;
        if (c == '"' || c == '\'') quote = c;
        if (c == '[') ++brackets;
        if (c == ']') --brackets;
        const bool is_between_digits =
            k > 0 && k + 1 < line.size() && is_digit(line[k - 1]) && is_digit(line[k + 1]);
        if (c == ',' && brackets == 0 && is_between_digits && k <= column)
            cause = fmt::format("a decimal comma ({}); write a point: {}", line.substr(k - 1, 3),
                                fmt::format("{}.{}", line[k - 1], line[k + 1]));
    }
    return cause;
}

std::string_view line_at(std::string_view text, int number) {
    for (int k = 1; k < number; ++k) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    return text.substr(0, text.find('\n'));
}

/// The quotation mark that opens the text in which the parser gave up. Line 0: there is none, or it is closed
/// in its line.
Place open_quote(std::string_view text, Place until) {
    Place opened{};
    std::string_view mark;  // of the open text: one or three marks; empty: none is open
    Place at{1, 1};
    for (std::size_t k = 0; k < text.size() && at.line <= until.line; ++k) {
        const char c = text[k];
        if (c == '\n') {
            if (mark.size() == 1) return opened;  // only three marks go on over the end of a line
            at = {at.line + 1, 1};
            continue;
        }
        if (mark.empty() && c == '#') {
            while (k + 1 < text.size() && text[k + 1] != '\n') ++k;
        } else if (mark.empty() && (c == '"' || c == '\'')) {
            opened = at;
            mark = text.substr(k, 1);
            if (text.substr(k).starts_with(c == '"' ? "\"\"\"" : "'''")) mark = text.substr(k, 3);
            k += mark.size() - 1;
            at.column += static_cast<int>(mark.size()) - 1;
        } else if (!mark.empty() && mark[0] == '"' && c == '\\') {
            ++k;
            ++at.column;
        } else if (!mark.empty() && text.substr(k).starts_with(mark)) {
            k += mark.size() - 1;
            at.column += static_cast<int>(mark.size()) - 1;
            mark = {};
        }
        ++at.column;
    }
    return mark.empty() ? Place{} : opened;
}

/// What stands behind the line's equals sign, where it begins with a letter and is no value of TOML.
std::string bare_text(std::string_view line) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return {};
    line.remove_prefix(equals + 1);
    line = trimmed(line.substr(0, line.find('#')));
    const bool is_word = !line.empty() && (std::isalpha(static_cast<unsigned char>(line.front())) != 0 ||
                                           (line.front() & 0x80) != 0);
    const bool has_marks = line.find_first_of("\"'[]{}=,") != std::string_view::npos;
    return is_word && !has_marks && line != "true" && line != "false" ? std::string(line) : std::string();
}

std::string in_our_words(const toml::parse_error& error, std::string_view text) {
    const std::string_view description = error.description();
    if (description.find("utf-8") != std::string_view::npos) return "not UTF-8 text; save the file as UTF-8";
    const Place place = place_of(error.source().begin);
    const std::string habit =
        foreign_habit(line_at(text, place.line), static_cast<std::size_t>(place.column));
    if (!habit.empty()) return fmt::format("not valid TOML: {}", habit);
    if (const Place quote = open_quote(text, place); quote.line > 0)
        return fmt::format("the quotation mark opened in line {}, column {}, is not closed", quote.line,
                           quote.column);
    if (const std::string word = bare_text(line_at(text, place.line)); !word.empty())
        return fmt::format("not valid TOML: a text needs quotation marks: \"{}\"", shown(word));
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
        toml::table document = toml::parse(text);
        return Taker().table(document);
    } catch (const toml::parse_error& error) {
        problems.error(place_of(error.source().begin), "", in_our_words(error, text));
    } catch (const std::bad_alloc&) {
        throw;  // no fault of the text
    } catch (const std::exception& error) {
        problems.error({}, "", fmt::format("could not be read as TOML: {}", error.what()));
    }
    return std::nullopt;
}

}  // namespace gainstage
