#pragma once
/// Finds things by their names. Private to resolve/.

#include <bit>
#include <functional>
#include <string_view>
#include <vector>

namespace gainstage {

/// A hash table of numbers by name, in one array. The names must outlive it.
class NameIndex {
public:
    NameIndex() = default;
    /// Room for `count` names.
    explicit NameIndex(std::size_t count) : places_(std::bit_ceil(2 * count + 1)) {}

    /// Of two equal names the first counts.
    void add(std::string_view name, int number) {
        Place& place = places_[place_of(name)];
        if (place.number < 0) place = {name, number};
    }
    /// -1: no such name.
    int find(std::string_view name) const { return places_.empty() ? -1 : places_[place_of(name)].number; }

private:
    struct Place {
        std::string_view name;
        int number = -1;  // -1: free
    };

    /// Where the name stands, or the free place where it would.
    std::size_t place_of(std::string_view name) const {
        const std::size_t mask = places_.size() - 1;
        std::size_t at = std::hash<std::string_view>{}(name)&mask;
        while (places_[at].number >= 0 && places_[at].name != name) at = (at + 1) & mask;
        return at;
    }

    std::vector<Place> places_;  // at most half are taken
};

}  // namespace gainstage
