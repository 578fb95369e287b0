#include "runtime/rest.hpp"

#include <algorithm>
#include <utility>

namespace gainstage {

std::shared_ptr<const RestMemo::Entry> RestMemo::find(const Setup& setup) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const auto& entry) { return entry->setup == setup; });
    if (found == entries_.end()) return nullptr;
    std::rotate(found, found + 1, entries_.end());
    return entries_.back();
}

void RestMemo::add(Entry entry) {
    auto shared = std::make_shared<const Entry>(std::move(entry));
    const std::lock_guard lock(mutex_);
    if (entries_.size() == most) entries_.erase(entries_.begin());
    entries_.push_back(std::move(shared));
}

std::size_t RestMemo::size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

}  // namespace gainstage
