#include "runtime/rest.hpp"

#include <utility>

namespace gainstage {

std::shared_ptr<const RestMemo::Entry> RestMemo::find(const Setup& setup) const {
    const std::lock_guard lock(mutex_);
    for (const auto& entry : entries_)
        if (entry->setup == setup) return entry;
    return nullptr;
}

void RestMemo::add(Entry entry) {
    auto shared = std::make_shared<const Entry>(std::move(entry));
    const std::lock_guard lock(mutex_);
    if (entries_.size() == most) entries_.erase(entries_.begin());
    entries_.push_back(std::move(shared));
}

}  // namespace gainstage
