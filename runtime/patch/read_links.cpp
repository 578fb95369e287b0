#include <algorithm>

#include "runtime/foreign_bytes.hpp"
#include "runtime/patch/read_tables.hpp"

namespace gainstage {

namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view example = R"(expected "node -> node" or "node.port -> node.port")";

/// One station of a chain: "node" or "node.port".
struct Station {
    std::string_view node, port;
    Place place;
};

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

int characters(std::string_view utf8) {
    return static_cast<int>(
        std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// True: the text has no escapes and stands on one line, so a message can point into it. Else it points at
/// its begin.
bool stands_as_written(const TomlValue& value, std::string_view text) {
    return value.place.line == value.end.line &&
           value.end.column - value.place.column == characters(text) + 2;
}

bool is_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

/// How a word becomes a name: without what another script's keyboard put into it.
std::string remedy(std::string_view word) {
    for (std::size_t k = 0; k < word.size(); ++k)
        if (const std::string cause = typographic(word.substr(k)); !cause.empty()) return "it holds " + cause;
    return std::string(example);
}

/// One text of the list `links`.
class Chain {
public:
    Chain(const TomlValue& value, std::string_view text, ProblemList& problems)
        : value_(value), text_(text), as_written_(stands_as_written(value, text)), problems_(problems) {}

    void add_to(std::vector<PatchLink>& links) {
        if (!split()) return;
        for (std::size_t i = 1; i < stations_.size(); ++i) {
            const Station &from = stations_[i - 1], &to = stations_[i];
            // In the middle of a chain a port says where the cable enters.
            const std::string_view from_port = i == 1 ? from.port : std::string_view{};
            links.push_back({std::string(from.node), std::string(from_port), std::string(to.node),
                             std::string(to.port), from.place, to.place});
        }
    }

private:
    bool split() {
        std::size_t begin = 0;
        bool good = true;
        for (;;) {
            const std::size_t arrow = std::min(text_.find("->", begin), text_.size());
            good = add_station(begin, arrow) && good;
            if (arrow == text_.size()) break;
            begin = arrow + 2;
        }
        if (good && stations_.size() < 2) return complain(0, fmt::format("no cable; {}", example));
        return good;
    }

    bool add_station(std::size_t begin, std::size_t end) {
        const std::string_view word = trimmed(text_.substr(begin, end - begin));
        const std::size_t at = word.empty() ? begin : static_cast<std::size_t>(word.data() - text_.data());
        const std::size_t dot = std::min(word.find('.'), word.size());
        const bool has_port = dot < word.size();
        const Station station{word.substr(0, dot), has_port ? word.substr(dot + 1) : std::string_view{},
                              place(at)};
        if (!is_name(station.node) || (has_port && !is_name(station.port)))
            return complain(at, fmt::format("{} names no node; {}", in_quotes(word), remedy(word)));
        stations_.push_back(station);
        return true;
    }

    bool complain(std::size_t at, std::string message) {
        problems_.error(place(at), "links", std::move(message));
        return false;
    }

    /// Counts on from the place before: the places asked for grow, and chains may be long.
    Place place(std::size_t at) {
        if (!as_written_) return value_.place;
        if (at < counted_) counted_ = 0, columns_ = 0;
        columns_ += characters(text_.substr(counted_, at - counted_));
        counted_ = at;
        return {value_.place.line, value_.place.column + 1 + columns_};
    }

    const TomlValue& value_;
    const std::string_view text_;
    const bool as_written_;
    ProblemList& problems_;
    std::vector<Station> stations_;
    std::size_t counted_ = 0;
    int columns_ = 0;  // of the bytes counted so far
};

}  // namespace

void read_links(const TomlEntry& entry, Patch& patch, ProblemList& problems) {
    const auto* list = entry.value.as<std::vector<TomlValue>>();
    if (!list) {
        problems.error(entry.place, "links",
                       fmt::format("{}; expected a list of texts, [\"in -> out\"]", kind_of(entry.value)));
        return;
    }
    patch.links.reserve(list->size());
    for (const TomlValue& value : *list) {
        if (const auto* text = value.as<std::string>())
            Chain(value, *text, problems).add_to(patch.links);
        else
            problems.error(value.place, "links", fmt::format("{}; {}", kind_of(value), example));
    }
}

}  // namespace gainstage
