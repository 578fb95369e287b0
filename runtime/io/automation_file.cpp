#include "runtime/io/automation_file.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include "runtime/problem_list.hpp"

namespace gainstage {

namespace {

constexpr std::uintmax_t largest_automation_bytes = 64 << 20;
constexpr double latest_move_s = 1e6;
constexpr std::size_t most_problems = 100;  // a file of another kind is wrong in every line

/// A piece of a line without the blanks around it.
struct Field {
    std::string_view text;
    int column = 1;
};

Field trimmed(std::string_view line, std::size_t begin, std::size_t end) {
    while (begin < end && (line[begin] == ' ' || line[begin] == '\t')) ++begin;
    while (end > begin && (line[end - 1] == ' ' || line[end - 1] == '\t')) --end;
    return {line.substr(begin, end - begin), static_cast<int>(begin) + 1};
}

std::vector<Field> split(std::string_view line) {
    std::vector<Field> fields;
    for (std::size_t begin = 0;;) {
        const std::size_t comma = line.find(',', begin);
        fields.push_back(trimmed(line, begin, std::min(comma, line.size())));
        if (comma == line.npos) return fields;
        begin = comma + 1;
    }
}

std::optional<double> number(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0.;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return {};
    return value;
}

class Reader {
public:
    explicit Reader(const std::string& file) : problems_(file) {}

    void line(std::string_view text, int number) {
        const Field whole = trimmed(text, 0, text.size());
        if (whole.text.empty() || whole.text.front() == '#') return;
        const std::vector<Field> fields = split(text);
        const bool is_first = std::exchange(first_, false);
        if (is_first && fields.front().text == "seconds") return;
        if (fields.size() == 3)
            move(fields, number);
        else
            problem({number, whole.column}, "expected three fields, seconds,node.parameter,value, found " +
                                                std::to_string(fields.size()));
    }
    bool is_hopeless() const { return count_ >= most_problems; }
    void problem(Place place, std::string message, int exit_code = 65) {
        ++count_;
        problems_.error(place, "", std::move(message), exit_code);
    }
    Automation take() {
        std::stable_sort(moves_.begin(), moves_.end(),
                         [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
        return {std::move(moves_), problems_.take()};
    }

private:
    void move(const std::vector<Field>& fields, int line) {
        const auto seconds = number(fields[0].text);
        const auto value = number(fields[2].text);
        const Place place{line, fields[1].column};
        const std::size_t problems_before = count_;
        if (!seconds || *seconds < 0. || *seconds > latest_move_s)
            problem({line, fields[0].column},
                    "expected seconds, a number from 0 to 1000000, found " + in_quotes(fields[0].text));
        if (fields[1].text.empty()) problem(place, "expected node.parameter, found nothing");
        if (!value || std::abs(*value) > std::numeric_limits<float>::max())
            problem({line, fields[2].column},
                    "expected a value, a number, found " + in_quotes(fields[2].text));
        if (count_ == problems_before)
            moves_.push_back({*seconds, std::string(fields[1].text), static_cast<float>(*value), place});
    }

    ProblemList problems_;
    std::vector<AutomationMove> moves_;
    bool first_ = true;
    std::size_t count_ = 0;
};

Automation refused(const std::string& path, const std::string& message, int exit_code) {
    Reader reader(path);
    reader.problem({}, message, exit_code);
    return reader.take();
}

}  // namespace

Automation parse_automation(std::string_view text, const std::string& file) {
    Reader reader(file);
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // the mark of UTF-8 that spreadsheets write
    for (int number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        reader.line(line, number);
        if (reader.is_hopeless()) {
            reader.problem({number + 1, 1},
                           "and no further: is this a file of seconds,node.parameter,value?");
            break;
        }
    }
    return reader.take();
}

Automation read_automation_file(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::exists(path, error))
        return refused(path, "there is no such automation file: check the path", 66);
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    if (error) return refused(path, "not a readable file: " + error.message(), 66);
    if (size > largest_automation_bytes)
        return refused(path, "too large for an automation file (64 MB at most)", 65);
    std::ifstream stream(path, std::ios::binary);
    std::string text(size, '\0');
    if (!stream.read(text.data(), static_cast<std::streamsize>(size)))
        return refused(path, "can't be read: check its permissions", 66);
    return parse_automation(text, path);
}

}  // namespace gainstage
