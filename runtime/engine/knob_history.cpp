#include "runtime/engine/knob_history.hpp"

#include <algorithm>

namespace gainstage {

void KnobHistory::add_node(NodeKey key, std::vector<Ramp> knobs) {
    before_.insert_or_assign(key, std::move(knobs));
    for (Entry& entry : entries_)  // of an earlier node of that name
        if (entry.key == key) entry.param = -1;
}

void KnobHistory::replace_node(NodeKey key, const std::vector<int>& param_of_old,
                               const std::vector<Ramp>& start) {
    const std::vector<Ramp> old = before_[key];
    std::vector<Ramp> knobs = start;
    std::vector<std::int32_t> now_at(old.size(), -1);
    for (std::size_t p = 0; p < param_of_old.size(); ++p) {
        const int from = param_of_old[p];
        if (from < 0 || static_cast<std::size_t>(from) >= old.size()) continue;
        knobs[p] = old[from];
        now_at[from] = static_cast<std::int32_t>(p);
    }
    before_[key] = std::move(knobs);
    for (Entry& entry : entries_)
        if (entry.key == key && entry.param >= 0)
            entry.param = static_cast<std::size_t>(entry.param) < now_at.size() ? now_at[entry.param] : -1;
}

void KnobHistory::add(const Report& knob) {
    if (knob.sequence > next_sequence_)
        gaps_.push_back({.before = knob.stamp, .lost = knob.sequence - next_sequence_});
    entries_.push_back({.sequence = knob.sequence, .key = knob.key, .param = knob.param, .ramp = knob.ramp});
    next_sequence_ = knob.sequence + 1;
}

std::uint64_t KnobHistory::lost_after(std::uint64_t time) const {
    std::uint64_t lost = 0;
    for (const Gap& gap : gaps_)
        if (gap.before > time) lost += gap.lost;
    return lost;
}

void KnobHistory::forget_before(std::uint64_t time) {
    std::erase_if(gaps_, [&](const Gap& gap) { return gap.before < time; });
    for (; !entries_.empty() && entries_.front().ramp.start < time; entries_.pop_front()) {
        const Entry& entry = entries_.front();
        const auto node = before_.find(entry.key);
        if (node == before_.end() || entry.param < 0 ||
            static_cast<std::size_t>(entry.param) >= node->second.size())
            continue;
        node->second[entry.param] = entry.ramp;
    }
}

void KnobHistory::set_up(Warming& warming, std::uint64_t time) const {
    for (const WarmSlot& warm : warming.slots) {
        const auto node = before_.find(warm.source);
        if (node == before_.end()) continue;
        for (std::size_t p = 0; p < node->second.size(); ++p)
            move_warm_knob(warming, warm.source, static_cast<std::int32_t>(p), node->second[p]);
    }
    warming.time = warming.from = time;
    warming.knob_sequence = entries_.empty() ? next_sequence_ : entries_.front().sequence;
    move_due(warming, time);
}

std::uint64_t KnobHistory::move_due(Warming& warming, std::uint64_t end) const {
    auto entry =
        std::lower_bound(entries_.begin(), entries_.end(), warming.knob_sequence,
                         [](const Entry& e, std::uint64_t sequence) { return e.sequence < sequence; });
    for (; entry != entries_.end() && entry->ramp.start <= warming.time; ++entry)
        move_warm_knob(warming, entry->key, entry->param, entry->ramp);
    warming.knob_sequence = entry == entries_.end() ? next_sequence_ : entry->sequence;
    return entry == entries_.end() ? end : std::min(end, entry->ramp.start);
}

}  // namespace gainstage
