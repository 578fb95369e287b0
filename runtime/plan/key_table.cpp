#include "runtime/plan/key_table.hpp"

#include <algorithm>
#include <bit>
#include <functional>

namespace gainstage {

namespace {
constexpr std::size_t least_places = 64;
}

/// Where the id stands in the hash table, or the free place where it would.
std::size_t KeyTable::place_of(std::string_view id) const {
    const std::size_t mask = places_.size() - 1;
    std::size_t at = std::hash<std::string_view>{}(id)&mask;
    while (places_[at] >= 0 && ids_[places_[at]] != id) at = (at + 1) & mask;
    return at;
}

void KeyTable::grow(std::size_t places) {
    places_.resize(std::max(places, least_places));
    fill_places();
}

void KeyTable::reserve(std::size_t more) {
    const std::size_t most = ids_.size() + more;
    ids_.reserve(most);
    if (2 * most > places_.size()) grow(std::bit_ceil(2 * most));
}

void KeyTable::fill_places() {
    std::fill(places_.begin(), places_.end(), -1);
    for (std::size_t key = 0; key < ids_.size(); ++key)
        if (!ids_[key].empty()) places_[place_of(ids_[key])] = static_cast<int>(key);
}

void KeyTable::forget(std::span<const NodeKey> keys) {
    if (keys.empty()) return;
    for (const NodeKey key : keys) {
        ids_[key] = {};
        free_.push_back(key);
    }
    fill_places();
}

NodeKey KeyTable::key(std::string_view id) {
    if (2 * (ids_.size() + 1) > places_.size()) grow(2 * places_.size());
    int& place = places_[place_of(id)];
    if (place < 0 && free_.empty()) {
        ids_.emplace_back(id);
        place = static_cast<int>(ids_.size()) - 1;
    } else if (place < 0) {
        ids_[free_.back()] = id;
        place = static_cast<int>(free_.back());
        free_.pop_back();
    }
    return static_cast<NodeKey>(place);
}

}  // namespace gainstage
