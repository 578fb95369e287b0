
#include "runtime/patch/characters.hpp"
#include "runtime/patch/toml_value.hpp"

namespace gainstage {

namespace {

constexpr int deepest_brackets = 24, most_dots = 16;  // a patch needs 3 and 3

/// What a step looks at, outside a string and within.
constexpr Characters counts = table_of("\"'#\n.=,[]{}"), counts_in_string = table_of("\"'\\\n");

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
        go_to(counts);
        if (at_ == text_.size()) return;
        switch (const char c = text_[at_]) {
            case '"':
            case '\'':
                return skip_string(c);
            case '#':
                return skip_comment();
            case '\n':
                ++at_;
                return new_line();
            case '.':
                ++at_;
                ++dots_;
                return;
            case '[':
            case '{':
                ++brackets_;
                break;
            case ']':
            case '}':
                if (brackets_ > 0) --brackets_;
                break;
            default:  // an equals sign or a comma
                break;
        }
        ++at_;
        dots_ = 0;
    }

    /// To the next of these characters, or to the end.
    void go_to(const Characters& characters) {
        std::size_t at = at_;
        while (at < text_.size() && !characters[static_cast<unsigned char>(text_[at])]) ++at;
        at_ = at;
    }

    void new_line() {
        ++line_;
        line_start_ = at_;
        dots_ = 0;
    }

    void skip_comment() {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    }

    bool has_three(char quote) const {
        return at_ + 2 < text_.size() && text_[at_] == quote && text_[at_ + 1] == quote &&
               text_[at_ + 2] == quote;
    }

    void skip_string(char quote) {
        const bool multi_line = has_three(quote);
        at_ += multi_line ? 3 : 1;
        for (go_to(counts_in_string); at_ < text_.size(); go_to(counts_in_string)) {
            if (text_[at_] == quote && (!multi_line || has_three(quote))) break;
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
