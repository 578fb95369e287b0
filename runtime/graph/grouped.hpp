#pragma once
/// Items sorted into groups: which cables leave a node, which enter it.

#include <span>
#include <vector>

namespace gainstage {

/// The numbers of items by group, in their own order within each. Two arrays hold all groups, so a group
/// costs no allocation of its own. Any thread but the audio thread.
class Grouped {
public:
    Grouped() = default;
    /// group_of(item) for item 0 .. items - 1 is 0 .. groups - 1, or negative for an item to be left out.
    template <class GroupOf>
    Grouped(std::size_t groups, std::size_t items, GroupOf group_of) : first_(groups + 1, 0) {
        const int last = static_cast<int>(items);
        for (int item = 0; item < last; ++item)
            if (const int group = group_of(item); group >= 0) ++first_[group + 1];
        for (std::size_t group = 0; group < groups; ++group) first_[group + 1] += first_[group];
        items_.resize(static_cast<std::size_t>(first_.back()));
        std::vector<int> next(first_.begin(), first_.end() - 1);
        for (int item = 0; item < last; ++item)
            if (const int group = group_of(item); group >= 0) items_[next[group]++] = item;
    }

    std::span<const int> operator[](int group) const noexcept {
        return {items_.data() + first_[group], items_.data() + first_[group + 1]};
    }

private:
    std::vector<int> first_, items_;  // group g: items_[first_[g]] .. items_[first_[g + 1]]
};

}  // namespace gainstage
