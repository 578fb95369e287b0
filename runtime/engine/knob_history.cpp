#include "runtime/engine/knob_history.hpp"

#include <algorithm>

namespace gainstage {

void KnobHistory::Newcomers::add_node(NodeKey key, std::vector<Ramp> knobs) {
    knobs_.insert_or_assign(key, std::move(knobs));
    now_at_[key];  // what an earlier node of that name did is nowhere
}

void KnobHistory::Newcomers::replace_node(NodeKey key, const std::vector<int>& param_of_old,
                                          const std::vector<Ramp>& start) {
    const auto before = history_.before_.find(key);
    const std::vector<Ramp> old = before == history_.before_.end() ? std::vector<Ramp>() : before->second;
    std::vector<Ramp> knobs = start;
    std::vector<std::int32_t> now_at(old.size(), -1);
    for (std::size_t p = 0; p < param_of_old.size(); ++p) {
        const int from = param_of_old[p];
        if (from < 0 || static_cast<std::size_t>(from) >= old.size()) continue;
        knobs[p] = old[from];
        now_at[from] = static_cast<std::int32_t>(p);
    }
    knobs_.insert_or_assign(key, std::move(knobs));
    now_at_.insert_or_assign(key, std::move(now_at));
}

void KnobHistory::take(Newcomers&& newcomers) {
    before_.reserve(before_.size() + newcomers.knobs_.size());
    for (auto& [key, knobs] : newcomers.knobs_)
        if (const auto at = before_.find(key); at != before_.end()) at->second.swap(knobs);
    before_.merge(newcomers.knobs_);  // moves nodes; there is room for them
    for (KnobMoved& entry : entries_) {
        const auto node = newcomers.now_at_.find(entry.key);
        if (node == newcomers.now_at_.end() || entry.param < 0) continue;
        const std::vector<std::int32_t>& now_at = node->second;
        entry.param = static_cast<std::size_t>(entry.param) < now_at.size() ? now_at[entry.param] : -1;
    }
}

/// Where moves were overwritten, the next one is the oldest that will stay for a while.
std::uint64_t KnobHistory::next_move(const KnobTrail& trail) {
    std::uint64_t number = next_sequence_;
    KnobTrail::Move move;
    for (;;) {
        const std::uint64_t count = trail.count();
        if (number >= count) return never;
        if (trail.read(number, move)) break;
        number = std::max(number + 1, count - trail.size() / 8 * 7);
    }
    coming_ = {.sequence = number, .key = move.key, .param = move.param, .ramp = move.ramp};
    return move.ramp.start;
}

void KnobHistory::take_move() {
    gaps_.reserve(gaps_.size() + 1);
    entries_.push_back(coming_);
    if (coming_.sequence > next_sequence_)
        gaps_.push_back({.before = coming_.ramp.start, .lost = coming_.sequence - next_sequence_});
    next_sequence_ = coming_.sequence + 1;
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
        const KnobMoved& entry = entries_.front();
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
    passage(warming.knob_sequence, time).move_due(warming, time);
}

std::optional<float> KnobHistory::latest(NodeKey key, int param) const {
    const auto last = std::find_if(entries_.rbegin(), entries_.rend(), [&](const KnobMoved& entry) {
        return entry.key == key && entry.param == param;
    });
    if (last != entries_.rend()) return last->ramp.to;
    const auto node = before_.find(key);
    if (node == before_.end() || param < 0 || static_cast<std::size_t>(param) >= node->second.size())
        return std::nullopt;
    return node->second[param].to;
}

KnobPassage KnobHistory::passage(std::uint64_t sequence, std::uint64_t end) const {
    const auto first =
        std::lower_bound(entries_.begin(), entries_.end(), sequence,
                         [](const KnobMoved& e, std::uint64_t wanted) { return e.sequence < wanted; });
    const auto last =
        std::upper_bound(first, entries_.end(), end,
                         [](std::uint64_t time, const KnobMoved& e) { return time < e.ramp.start; });
    return {{first, last}, last == entries_.end() ? next_sequence_ : last->sequence};
}

std::uint64_t KnobPassage::move_due(Warming& warming, std::uint64_t end) {
    for (; next_ < moves_.size() && moves_[next_].ramp.start <= warming.time; ++next_)
        move_warm_knob(warming, moves_[next_].key, moves_[next_].param, moves_[next_].ramp);
    const bool all = next_ == moves_.size();
    warming.knob_sequence = all ? next_sequence_ : moves_[next_].sequence;
    return all ? end : std::min(end, moves_[next_].ramp.start);
}

}  // namespace gainstage
