#include "runtime/io/automation_file.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/foreign_bytes.hpp"
#include "runtime/numbers.hpp"
#include "runtime/problem_list.hpp"
#include "runtime/read_file.hpp"

namespace gainstage {

namespace {

constexpr std::size_t largest_automation_bytes = 64 << 20;
constexpr double latest_move_s = 1e6;
constexpr std::size_t most_problems = 100;  // a file of another kind is wrong in every line
constexpr std::size_t fields_of_a_move = 3;

/// A field of a line, without the blanks and the quotation marks around it.
struct Field {
    std::string text;
    int column = 1;  ///< of its first letter
};

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/// The fields of one line, as RFC 4180 has them: a field may stand in quotation marks, which are doubled
/// inside.
struct Fields {
    std::vector<Field> list;
    int open_quote = 0;  ///< column of a quotation mark that is never closed; 0: none
};

Fields split(std::string_view line, char separator) {
    Fields fields;
    std::size_t at = 0;
    while (true) {
        // A tab may be the separator itself.
        while (at < line.size() && is_blank(line[at]) && line[at] != separator) ++at;
        Field field;
        const bool is_quoted = at < line.size() && line[at] == '"';
        field.column = static_cast<int>(at) + (is_quoted ? 2 : 1);
        if (is_quoted) {
            const int open = static_cast<int>(at) + 1;
            for (++at; at < line.size() && (line[at] != '"' || line.substr(at, 2) == "\"\""); ++at) {
                field.text += line[at];
                if (line[at] == '"') ++at;
            }
            if (at >= line.size()) fields.open_quote = open;
            ++at;
        }
        for (; at < line.size() && line[at] != separator; ++at) field.text += line[at];
        while (!field.text.empty() && is_blank(field.text.back())) field.text.pop_back();
        const std::size_t blanks = std::min(field.text.find_first_not_of(" \t"), field.text.size());
        field.text.erase(0, blanks);
        field.column += static_cast<int>(blanks);
        fields.list.push_back(std::move(field));
        if (at >= line.size()) return fields;
        ++at;
    }
}

/// Spreadsheets of countries with a decimal comma separate fields by semicolons. A comma at the edge of a
/// field is no decimal comma.
char separator_of(std::string_view line) {
    const auto is_whole = [](const Field& field) {
        return !field.text.empty() && field.text.front() != ',' && field.text.back() != ',';
    };
    for (const char separator : {';', '\t'}) {
        const Fields fields = split(line, separator);
        if (fields.list.size() == fields_of_a_move &&
            std::all_of(fields.list.begin(), fields.list.end(), is_whole))
            return separator;
    }
    return ',';
}

std::optional<double> number(std::string text, bool has_decimal_comma) {
    if (has_decimal_comma && text.find('.') == text.npos)
        if (const std::size_t comma = text.find(','); comma != text.npos) text[comma] = '.';
    std::string_view digits = text;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    return text_as_number(digits);
}

/// `"text"`, and what is foreign in it.
std::string found(std::string_view text) {
    std::string message = "found " + in_quotes(text);
    for (std::size_t k = 0; k < text.size(); ++k)
        if (const std::string cause = typographic(text.substr(k)); !cause.empty()) {
            message.append(": ").append(cause);
            break;
        }
    return message;
}

bool names_columns(const Field& field) {
    constexpr std::string_view name = "seconds";
    return field.text.size() == name.size() && std::equal(name.begin(), name.end(), field.text.begin(),
                                                          [](char a, char b) { return a == (b | 0x20); });
}

class Reader {
public:
    explicit Reader(const std::string& file) : problems_(file) {}

    void line(std::string_view text, int number) {
        const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
        if (begin == text.size() || text[begin] == '#') return;
        const bool is_first = std::exchange(first_, false);
        if (is_first) separator_ = separator_of(text);
        const Fields fields = split(text, separator_);
        if (is_first && names_columns(fields.list.front())) return;
        if (fields.open_quote)
            problem({number, fields.open_quote},
                    "a quotation mark that is never closed; close it on this line");
        else if (fields.list.size() == fields_of_a_move)
            move(fields.list, number);
        else
            problem({number, static_cast<int>(begin) + 1},
                    fmt::format("expected three fields, seconds,node.parameter,value, found {}{}",
                                fields.list.size(), remedy(text, fields.list.size())));
    }
    bool is_hopeless() const { return count_ >= most_problems; }
    void problem(Place place, std::string message, int exit_code = sysexits::bad_data) {
        ++count_;
        problems_.error(place, "", std::move(message), exit_code);
    }
    Automation take() {
        std::stable_sort(moves_.begin(), moves_.end(),
                         [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
        return {std::move(moves_), problems_.take()};
    }

private:
    std::string remedy(std::string_view text, std::size_t fields) const {
        if (separator_ == ',' && fields > fields_of_a_move && text.find_first_of("0123456789") != text.npos)
            return "; a decimal comma? Write a point, or semicolons between the fields";
        return {};
    }

    void move(const std::vector<Field>& fields, int line) {
        const auto seconds = number(fields[0].text, separator_ != ',');
        const auto value = number(fields[2].text, separator_ != ',');
        const Place place{line, fields[1].column};
        const std::size_t problems_before = count_;
        if (!seconds || *seconds < 0. || *seconds > latest_move_s)
            problem({line, fields[0].column},
                    "expected seconds, a number from 0 to 1000000, " + found(fields[0].text));
        if (fields[1].text.empty()) problem(place, "expected node.parameter, found nothing");
        const bool is_scene = fields[1].text == "scene";
        if (is_scene && fields[2].text.empty())
            problem({line, fields[2].column}, "expected the name of a scene, found nothing");
        const auto level = value && !is_scene ? as_float(*value) : std::nullopt;
        if (!level && !is_scene)
            problem({line, fields[2].column}, "expected a value, a number, " + found(fields[2].text));
        if (count_ != problems_before) return;
        moves_.push_back({.seconds = *seconds,
                          .target = fields[1].text,
                          .value = level.value_or(0.f),
                          .scene = is_scene ? fields[2].text : "",
                          .place = place});
    }

    ProblemList problems_;
    std::vector<AutomationMove> moves_;
    bool first_ = true;
    char separator_ = ',';
    std::size_t count_ = 0;
};

Automation refused(const std::string& path, const std::string& message, int exit_code) {
    Reader reader(path);
    reader.problem({}, message, exit_code);
    return reader.take();
}

}  // namespace

Automation parse_automation(std::string_view text, const std::string& file) {
    if (const std::string cause = no_text(text); !cause.empty())
        return refused(file, cause, sysexits::bad_data);
    Reader reader(file);
    text = without_mark(text);
    for (int number = 1; !text.empty(); ++number) {
        reader.line(take_line(text), number);
        if (reader.is_hopeless()) {
            reader.problem({number + 1, 1},
                           "and no further: is this a file of seconds,node.parameter,value?");
            break;
        }
    }
    return reader.take();
}

Automation read_automation_file(const std::string& path) {
    try {
        return parse_automation(read_whole_file(path, "automation", largest_automation_bytes), path);
    } catch (const FileFault& fault) {
        return refused(path, fault.what(), fault.exit_code);
    }
}

}  // namespace gainstage
