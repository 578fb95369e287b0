#include <array>

#include "runtime/patch/toml_value.hpp"

namespace gainstage {

namespace {

constexpr int deepest_brackets = 24, most_dots = 16;  // a patch needs 3 and 3

/// The characters that a step looks at.
constexpr std::array<bool, 256> counts = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view("\"'#\n.=,[]{}")) table[static_cast<unsigned char>(c)] = true;
    return table;
}();

/// Walks over TOML text, skipping strings and comments, and counts what opens a level.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    std::optional<Place> run() {
        while (at_ < text_.size()) {
            step();
            if (brackets_ > deepest_brackets || dots_ > most_dots)
                return Place{line_, static_cast<int>(at_ - line_start_)};
        }
        return std::nullopt;
    }

private:
    void step() {
        while (at_ < text_.size() && !counts[static_cast<unsigned char>(text_[at_])]) ++at_;
        if (at_ == text_.size()) return;
        const char c = text_[at_];
        if (c == '"' || c == '\'') return skip_string(c);
        if (c == '#') return skip_comment();
        ++at_;
        if (c == '\n') return new_line();
        if (c == '.') ++dots_;
        if (c == '[' || c == '{') ++brackets_;
        if ((c == ']' || c == '}') && brackets_ > 0) --brackets_;
        if (c == '=' || c == ',' || c == '[' || c == ']' || c == '{' || c == '}') dots_ = 0;
    }

    void new_line() {
        ++line_;
        line_start_ = at_;
        dots_ = 0;
    }

    void skip_comment() {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    }

    void skip_string(char quote) {
        const std::string_view three = quote == '"' ? "\"\"\"" : "'''";
        const bool multi_line = text_.substr(at_, 3) == three;
        at_ += multi_line ? 3 : 1;
        while (at_ < text_.size()) {
            if (multi_line ? text_.substr(at_, 3) == three : text_[at_] == quote) break;
            if (text_[at_] == '\n' && !multi_line) return;  // unterminated: toml++ reports it
            if (text_[at_] == '\\' && quote == '"' && text_.substr(at_ + 1, 1) != "\n") ++at_;
            if (at_ < text_.size() && text_[at_++] == '\n') new_line();
        }
        at_ += multi_line ? 3 : 1;
    }

    std::string_view text_;
    std::size_t at_ = 0, line_start_ = 0;
    int line_ = 1, brackets_ = 0, dots_ = 0;
};

}  // namespace

std::optional<Place> find_deep_nesting(std::string_view text) {
    return Scanner(text).run();
}

}  // namespace gainstage
