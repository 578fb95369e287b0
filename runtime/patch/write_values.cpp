#include "runtime/patch/write_values.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/foreign_bytes.hpp"
#include "runtime/patch/toml_value.hpp"

namespace gainstage {

namespace {

const TomlEntry* entry_of(const TomlTable& table, std::string_view key) {
    for (const TomlEntry& entry : table)
        if (entry.key == key) return &entry;
    return nullptr;
}

const TomlTable* subtable(const TomlTable& table, std::string_view key) {
    const TomlEntry* entry = entry_of(table, key);
    return entry ? entry->value.as<TomlTable>() : nullptr;
}

/// Numbers are the same however they are written.
bool is_equal(const TomlValue& a, const TomlValue& b);

bool is_equal(const TomlTable& a, const TomlTable& b) {
    return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const TomlEntry& entry) {
               const TomlEntry* other = entry_of(b, entry.key);
               return other && is_equal(entry.value, other->value);
           });
}

std::optional<double> number_of(const TomlValue& value) {
    if (const auto* whole = value.as<std::int64_t>()) return static_cast<double>(*whole);
    if (const auto* real = value.as<double>()) return *real;
    return std::nullopt;
}

bool is_equal(const TomlValue& a, const TomlValue& b) {
    if (const auto number = number_of(a)) return number == number_of(b);
    if (a.value.index() != b.value.index()) return false;
    if (const auto* table = a.as<TomlTable>()) return is_equal(*table, *b.as<TomlTable>());
    if (const auto* list = a.as<std::vector<TomlValue>>()) {
        const auto& other = *b.as<std::vector<TomlValue>>();
        return std::equal(list->begin(), list->end(), other.begin(), other.end(),
                          [](const TomlValue& x, const TomlValue& y) { return is_equal(x, y); });
    }
    if (const auto* text = a.as<std::string>()) return *text == *b.as<std::string>();
    if (const auto* flag = a.as<bool>()) return *flag == *b.as<bool>();
    return true;  // dates: no patch has one
}

/// Bytes of the text, from its places, which count characters.
class Places {
public:
    explicit Places(std::string_view text) : text_(text) {
        begins_.push_back(0);
        for (std::size_t k = 0; k < text.size(); ++k)
            if (text[k] == '\n') begins_.push_back(k + 1);
    }
    std::size_t byte(Place place) const {
        const auto line = static_cast<std::size_t>(std::max(place.line, 1)) - 1;
        std::size_t at = begins_[std::min(line, begins_.size() - 1)];
        for (int k = 1; k < place.column && at < text_.size(); ++k)
            for (++at; at < text_.size() && (text_[at] & 0xc0) == 0x80;) ++at;
        return std::min(at, text_.size());
    }

private:
    const std::string_view text_;
    std::vector<std::size_t> begins_;
};

/// Bytes [from, to) become `text`.
struct Edit {
    std::size_t from = 0, to = 0;
    std::string text;
};

class ValueWriter {
public:
    ValueWriter(std::string_view text, const std::string& file)
        : mark_(text.size() - without_mark(text).size()),
          text_(text),
          plain_(with_line_feeds(without_mark(text))),
          places_(plain_),
          problems_(file) {}

    ValuesWritten write(const std::vector<WrittenValue>& values) {
        auto document = parse_toml(plain_, problems_);
        if (!document) return {.text = {}, .problems = problems_.take()};
        for (const WrittenValue& value : values) plan(*document, value);
        const std::string written = apply();
        if (problems_are_none()) check(*document, written, values);
        return {.text = written, .problems = problems_.take()};
    }

private:
    bool problems_are_none() const { return !has_failed_; }
    void fail(const WrittenValue& value, const std::string& cause) {
        has_failed_ = true;
        problems_.error({}, "nodes." + value.node,
                        fmt::format("{}; write it by hand: {} = {}", cause, shown(value.key), value.value));
    }

    void plan(const TomlTable& document, const WrittenValue& value) {
        const TomlTable* nodes = subtable(document, "nodes");
        const TomlTable* node = nodes ? subtable(*nodes, value.node) : nullptr;
        if (!node) return fail(value, "the file has no such node any more");
        if (const TomlEntry* entry = entry_of(*node, value.key))
            edits_.push_back({places_.byte(entry->value.place), places_.byte(entry->value.end), value.value});
        else if (const TomlEntry* type = entry_of(*node, "type"))
            insert_behind(*type, value);
        else
            fail(value, "the node has no type");
    }

    /// In the line of an inline table, or in a line of its own with the same beginning.
    void insert_behind(const TomlEntry& type, const WrittenValue& value) {
        const std::size_t end = places_.byte(type.value.end);
        const std::size_t next = plain_.find_first_not_of(" \t", end);
        const char mark = next == std::string::npos ? '\n' : plain_[next];
        if (mark == ',' || mark == '}')
            return edits_.push_back({end, end, fmt::format(", {} = {}", value.key, value.value)});
        const std::size_t key = places_.byte(type.place);
        const std::size_t line = key == 0 ? 0 : plain_.rfind('\n', key - 1) + 1;
        const std::string before = plain_.substr(line, key - line);
        std::size_t line_end = plain_.find('\n', end);
        if (line_end == std::string::npos) line_end = plain_.size();
        if (line_end > end && plain_[line_end - 1] == '\r') --line_end;
        const char* const newline = line_end < plain_.size() && plain_[line_end] == '\r' ? "\r\n" : "\n";
        edits_.push_back(
            {line_end, line_end, fmt::format("{}{}{} = {}", newline, before, value.key, value.value)});
    }

    std::string apply() {
        std::stable_sort(edits_.begin(), edits_.end(),
                         [](const Edit& a, const Edit& b) { return a.from < b.from; });
        std::string written(text_.substr(0, mark_));
        std::size_t at = 0;
        const std::string_view rest = text_.substr(mark_);
        for (const Edit& edit : edits_) {
            if (edit.from < at || edit.to < edit.from) {
                has_failed_ = true;
                problems_.error({}, "", "its values lie within each other; write them by hand");
                return {};
            }
            written += rest.substr(at, edit.from - at);
            written += edit.text;
            at = edit.to;
        }
        return written + std::string(rest.substr(at));
    }

    /// The new text says what the old one says, but for the values.
    void check(TomlTable& wanted, const std::string& written, const std::vector<WrittenValue>& values) {
        ProblemList ignored("");
        const auto found = parse_toml(with_line_feeds(without_mark(written)), ignored);
        for (const WrittenValue& value : values) set(wanted, value, ignored);
        if (found && is_equal(wanted, *found)) return;
        for (const WrittenValue& value : values)
            fail(value, "can't be written without changing something else");
    }

    static void set(TomlTable& document, const WrittenValue& value, ProblemList& ignored) {
        const auto parsed = parse_toml("v = " + value.value, ignored);
        for (TomlEntry& entry : document) {
            if (entry.key != "nodes") continue;
            for (TomlEntry& node : std::get<TomlTable>(entry.value.value)) {
                if (node.key != value.node) continue;
                auto& table = std::get<TomlTable>(node.value.value);
                auto knob = std::find_if(table.begin(), table.end(),
                                         [&](const TomlEntry& one) { return one.key == value.key; });
                if (knob == table.end()) knob = table.insert(table.end(), {value.key, {}, {}});
                if (parsed && !parsed->empty()) knob->value = parsed->front().value;
            }
        }
    }

    const std::size_t mark_;  // bytes of a byte-order mark
    const std::string_view text_;
    const std::string plain_;  // as TOML is read: as many bytes as `text_` behind its mark
    const Places places_;
    ProblemList problems_;
    std::vector<Edit> edits_;
    bool has_failed_ = false;
};

}  // namespace

ValuesWritten write_values(std::string_view text, const std::vector<WrittenValue>& values,
                           const std::string& file) {
    return ValueWriter(text, file).write(values);
}

}  // namespace gainstage
