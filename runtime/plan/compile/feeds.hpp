#pragma once
/// Which sounds enter which input.

#include <algorithm>
#include <span>
#include <vector>

namespace gainstage {

/// Where sound comes from: an output of a part (a node among others, by its number), or, where part < 0, the
/// recalled past number ~part.
struct Source {
    int part = 0, port = 0;
    bool operator==(const Source&) const = default;
};
/// What enters a port: its sources, added in this order.
using Feed = std::span<const Source>;

inline bool same_feed(Feed a, Feed b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

/// The feeds of every input port of every part, in three arrays. Written from the first part to the last:
/// after add_part() its ports, after add_port() the sources of that port.
class Feeds {
public:
    void add_part() { first_port_.push_back(static_cast<int>(first_source_.size())); }
    void add_port() { first_source_.push_back(static_cast<int>(sources_.size())); }
    void add(Source source) { sources_.push_back(source); }
    void add_port(Feed feed) {
        add_port();
        sources_.insert(sources_.end(), feed.begin(), feed.end());
    }
    void reserve(std::size_t parts, std::size_t sources) {
        first_port_.reserve(parts);
        first_source_.reserve(parts);
        sources_.reserve(sources);
    }

    int parts() const noexcept { return static_cast<int>(first_port_.size()); }
    int ports(int part) const noexcept { return port_end(part) - first_port_[part]; }
    Feed feed(int part, int port) const noexcept {
        const int at = first_port_[part] + port;
        return {sources_.data() + first_source_[at], sources_.data() + source_end(at)};
    }
    std::span<Source> feed(int part, int port) noexcept {
        const int at = first_port_[part] + port;
        return {sources_.data() + first_source_[at], sources_.data() + source_end(at)};
    }
    /// The sources of all ports of a part, one port after the other.
    Feed all_of(int part) const noexcept {
        const int first = first_port_[part], last = port_end(part);
        if (first == last) return {};
        return {sources_.data() + first_source_[first], sources_.data() + source_end(last - 1)};
    }

private:
    int port_end(int part) const noexcept {
        return part + 1 < parts() ? first_port_[part + 1] : static_cast<int>(first_source_.size());
    }
    int source_end(int port) const noexcept {
        const bool is_last = static_cast<std::size_t>(port) + 1 == first_source_.size();
        return is_last ? static_cast<int>(sources_.size()) : first_source_[port + 1];
    }

    std::vector<int> first_port_;    // per part, index into first_source_
    std::vector<int> first_source_;  // per port, index into sources_
    std::vector<Source> sources_;
};

}  // namespace gainstage
