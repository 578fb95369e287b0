#pragma once
/// Node ids as small numbers.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/realtime/slot.hpp"

namespace gainstage {

/// Every id that the engine has met gets a number, the same until it is forgotten. Plain data with no lock:
/// one thread at a time. arrange() adds to it; plan_change() only reads. To build a change on another thread,
/// give that thread a copy and take the copy over when it is done: it knows more ids, and the old ones by the
/// same numbers. Forget none meanwhile.
class KeyTable {
public:
    /// Room for so many more ids.
    void reserve(std::size_t more);
    /// The id's number; a new one for a new id.
    NodeKey key(std::string_view id);
    const std::string& id(NodeKey key) const { return ids_[key]; }
    /// All numbers are below this.
    std::size_t size() const noexcept { return ids_.size(); }
    bool is_used(NodeKey key) const { return !ids_[key].empty(); }
    /// These ids are not met again; later ones may get their numbers.
    void forget(std::span<const NodeKey>);

private:
    std::size_t place_of(std::string_view id) const;
    void grow(std::size_t places);
    void fill_places();

    std::vector<std::string> ids_;  // by key; empty: the number is free
    std::vector<NodeKey> free_;
    std::vector<int> places_;  // hash table of keys; -1: free. At most half are taken
};

}  // namespace gainstage
