#include <algorithm>

#include "runtime/foreign_bytes.hpp"
#include "runtime/patch/characters.hpp"
#include "runtime/patch/read_tables.hpp"

namespace gainstage {

namespace {

constexpr std::string_view example = R"(expected "node -> node" or "node.port -> node.port")";

/// One station of a chain: "node" or "node.port".
struct Station {
    std::string_view node, port;
    Place place;
};

int characters(std::string_view utf8) {
    return static_cast<int>(
        std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// True: the text has no escapes and stands on one line, so a message can point into it. Else it points at
/// its begin.
bool stands_as_written(const TomlValue& value, int characters_of_text) {
    return value.place.line == value.end.line &&
           value.end.column - value.place.column == characters_of_text + 2;
}

/// How a word becomes a name: without what another script's keyboard put into it.
std::string remedy(std::string_view word) {
    for (std::size_t k = 0; k < word.size(); ++k)
        if (const std::string cause = typographic(word.substr(k)); !cause.empty()) return "it holds " + cause;
    for (const std::string_view arrow : {"=>", ">", "="})
        if (word.find(arrow) != std::string_view::npos)
            return fmt::format("write -> between nodes, not {}", arrow);
    return std::string(example);
}

/// One text of the list `links`.
class Chain {
public:
    /// `stations`: empty; one list serves all chains in turn.
    Chain(const TomlValue& value, std::string_view text, std::vector<Station>& stations,
          ProblemList& problems)
        : value_(value), text_(text), problems_(problems), stations_(stations) {
        const int count = characters(text);
        as_written_ = stands_as_written(value, count);
        has_bytes_only_ = static_cast<std::size_t>(count) == text.size();
    }

    void add_to(std::vector<PatchLink>& links) {
        if (!split()) return;
        for (std::size_t i = 1; i < stations_.size(); ++i) {
            const Station &from = stations_[i - 1], &to = stations_[i];
            PatchLink& link = links.emplace_back();
            link.from_node = from.node;
            // In the middle of a chain a port says where the cable enters.
            if (i == 1 && !from.port.empty()) link.from_port = from.port;
            link.to_node = to.node;
            if (!to.port.empty()) link.to_port = to.port;
            link.place = from.place;
            link.to_place = to.place;
        }
    }

private:
    bool split() {
        std::size_t begin = 0;
        bool good = true;
        for (;;) {
            const std::size_t arrow = next_arrow(begin);
            good = add_station(begin, arrow) && good;
            if (arrow == text_.size()) break;
            begin = arrow + 2;
        }
        if (good && stations_.size() < 2) return complain(0, fmt::format("no cable; {}", example));
        return good;
    }

    /// The end of the text where there is none.
    std::size_t next_arrow(std::size_t at) const {
        for (; at + 1 < text_.size(); ++at)
            if (text_[at] == '-' && text_[at + 1] == '>') return at;
        return text_.size();
    }

    bool add_station(std::size_t begin, std::size_t end) {
        const std::string_view word = trimmed(text_.substr(begin, end - begin));
        if (end < text_.size() && end > begin && text_[end - 1] == '-')
            return complain(end - 1, "write -> between nodes, not -->");
        const std::size_t at = word.empty() ? begin : static_cast<std::size_t>(word.data() - text_.data());
        std::size_t dot = word.size();
        bool is_good = true;
        for (std::size_t k = 0; k < word.size(); ++k) {
            if (word[k] == '.' && dot == word.size())
                dot = k;
            else
                is_good = is_good && fits_into_a_name(word[k]);
        }
        const bool has_port = dot < word.size();
        if (!is_good || dot == 0 || dot + 1 == word.size())
            return complain(at, fmt::format("{} names no node; {}", in_quotes(word), remedy(word)));
        stations_.push_back(
            {word.substr(0, dot), has_port ? word.substr(dot + 1) : std::string_view{}, place(at)});
        return true;
    }

    bool complain(std::size_t at, std::string message) {
        problems_.error(place(at), "links", std::move(message));
        return false;
    }

    /// Counts on from the place before: the places asked for grow, and chains may be long.
    Place place(std::size_t at) {
        if (!as_written_) return value_.place;
        if (has_bytes_only_) return {value_.place.line, value_.place.column + 1 + static_cast<int>(at)};
        if (at < counted_) counted_ = 0, columns_ = 0;
        columns_ += characters(text_.substr(counted_, at - counted_));
        counted_ = at;
        return {value_.place.line, value_.place.column + 1 + columns_};
    }

    const TomlValue& value_;
    const std::string_view text_;
    ProblemList& problems_;
    std::vector<Station>& stations_;
    bool as_written_ = false, has_bytes_only_ = false;  // each character is one byte
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
    std::vector<Station> stations;
    for (const TomlValue& value : *list) {
        stations.clear();
        if (const auto* text = value.as<std::string>())
            Chain(value, *text, stations, problems).add_to(patch.links);
        else
            problems.error(value.place, "links", fmt::format("{}; {}", kind_of(value), example));
    }
}

}  // namespace gainstage
