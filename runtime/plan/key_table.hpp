#pragma once
/// Node ids as small numbers.

#include <string>
#include <string_view>
#include <vector>

#include "runtime/realtime/slot.hpp"

namespace gainstage {

/// Every id that the engine has met gets a number, the same for as long as the engine lives. Plain data with
/// no lock: one thread at a time. arrange() adds to it; plan_change() only reads. To build a change on
/// another thread, give that thread a copy and take the copy over when it is done: a copy only ever knows
/// more ids, and knows the old ones by the same numbers.
class KeyTable {
public:
    /// The id's number; a new one for a new id.
    NodeKey key(std::string_view id);
    const std::string& id(NodeKey key) const { return ids_[key]; }
    std::size_t size() const noexcept { return ids_.size(); }

private:
    std::size_t place_of(std::string_view id) const;
    void grow();

    std::vector<std::string> ids_;  // by key
    std::vector<int> places_;       // hash table of keys; -1: free. At most half are taken
};

}  // namespace gainstage
