#include "runtime/engine/knob_history.hpp"

#include <algorithm>

namespace gainstage {

void KnobHistory::Newcomers::add_node(const Slot& slot, std::vector<Ramp> knobs) {
    knobs_.insert_or_assign(slot.key, Node{std::move(knobs), slot.knob_numbers});
    now_at_[slot.key];  // what an earlier node of that name did is nowhere
}

void KnobHistory::Newcomers::replace_node(const Slot& slot, const std::vector<int>& param_of_old,
                                          const std::vector<Ramp>& start) {
    const auto before = history_.before_.find(slot.key);
    const std::vector<Ramp> old =
        before == history_.before_.end() ? std::vector<Ramp>() : before->second.ramps;
    std::vector<Ramp> knobs = start;
    std::vector<std::int32_t> now_at(old.size(), -1);
    for (std::size_t p = 0; p < param_of_old.size(); ++p) {
        const int from = param_of_old[p];
        if (from < 0 || static_cast<std::size_t>(from) >= old.size()) continue;
        knobs[p] = old[from];
        now_at[from] = static_cast<std::int32_t>(p);
    }
    knobs_.insert_or_assign(slot.key, Node{std::move(knobs), slot.knob_numbers});
    now_at_.insert_or_assign(slot.key, std::move(now_at));
}

void KnobHistory::Newcomers::set_scenes(std::shared_ptr<const SceneTable> table, const SceneState& state,
                                        std::uint64_t stamp) {
    scenes_ = history_.scenes_;
    if (!scenes_.empty()) scenes_.back().until = stamp;
    // Ten thousand edits in which nobody chose a scene leave no table behind.
    std::erase_if(scenes_, [](const Scenes& scenes) { return !scenes.is_used; });
    scenes_.push_back({.table = std::move(table)});
    scene_ = state;
}

void KnobHistory::take(Newcomers&& newcomers) {
    before_.reserve(before_.size() + newcomers.knobs_.size());
    for (auto& [key, knobs] : newcomers.knobs_)
        if (const auto at = before_.find(key); at != before_.end()) std::swap(at->second, knobs);
    before_.merge(newcomers.knobs_);  // moves nodes; there is room for them
    for (KnobMoved& entry : entries_) {
        const auto node = newcomers.now_at_.find(entry.key);
        if (node == newcomers.now_at_.end() || entry.param < 0) continue;
        const std::vector<std::int32_t>& now_at = node->second;
        entry.param = static_cast<std::size_t>(entry.param) < now_at.size() ? now_at[entry.param] : -1;
    }
    scenes_.swap(newcomers.scenes_);
    scene_ = newcomers.scene_;
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

std::optional<Event> KnobHistory::take_move() {
    gaps_.reserve(gaps_.size() + 1);
    entries_.push_back(coming_);
    if (coming_.sequence > next_sequence_)
        gaps_.push_back({.before = coming_.ramp.start, .lost = coming_.sequence - next_sequence_});
    next_sequence_ = coming_.sequence + 1;
    if (!is_cue(coming_.key)) return std::nullopt;
    const SceneCue cue = cue_of(coming_.key, coming_.param, coming_.ramp);
    scene_ = after(scene_, cue);
    for (Scenes& scenes : scenes_) scenes.is_used = scenes.is_used || scenes.table->number() == cue.table;
    if (!cue.by_midi) return std::nullopt;
    return Event{.kind = EventKind::scene, .by_midi = true, .param = cue.state.scene, .stamp = cue.at};
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
        if (is_cue(entry.key)) move_before(cue_of(entry.key, entry.param, entry.ramp));
        const auto node = before_.find(entry.key);
        if (node == before_.end() || entry.param < 0 ||
            static_cast<std::size_t>(entry.param) >= node->second.ramps.size())
            continue;
        node->second.ramps[entry.param] = entry.ramp;
    }
    std::erase_if(scenes_, [&](const Scenes& scenes) { return scenes.until < time; });
}

/// Null: it was overwritten too long ago.
const SceneTable* KnobHistory::table_of(const SceneCue& cue) const {
    for (const Scenes& scenes : scenes_)
        if (scenes.table->number() == cue.table) return scenes.table.get();
    return nullptr;
}

/// -1: the node has no such knob any more.
int KnobHistory::param_of(const Node& node, const SceneTable::Knob& knob) const {
    const auto at = std::find(node.numbers.begin(), node.numbers.end(), knob.number);
    return at == node.numbers.end() ? -1 : static_cast<int>(at - node.numbers.begin());
}

void KnobHistory::move_before(const SceneCue& cue) {
    const SceneTable* table = table_of(cue);
    for (int k = 0; table && k < table->knob_count(); ++k) {
        const SceneTable::Knob& knob = table->knobs()[k];
        const auto node = before_.find(knob.key);
        const int param = node == before_.end() ? -1 : param_of(node->second, knob);
        if (param < 0) continue;
        move_by_cue(node->second.ramps[param], table->value(k, cue.state), knob.has_steps, knob, cue);
    }
}

void KnobHistory::set_up(Warming& warming, std::uint64_t time) const {
    for (const WarmSlot& warm : warming.slots) {
        const auto node = before_.find(warm.source);
        if (node == before_.end()) continue;
        for (std::size_t p = 0; p < node->second.ramps.size(); ++p)
            move_warm_knob(warming, warm.source, static_cast<std::int32_t>(p), node->second.ramps[p]);
    }
    for (const Scenes& scenes : scenes_) warming.scenes.push_back(scenes.table);
    warming.time = warming.from = time;
    warming.knob_sequence = entries_.empty() ? next_sequence_ : entries_.front().sequence;
    passage(warming.knob_sequence, time).move_due(warming, time);
}

std::optional<float> KnobHistory::latest(NodeKey key, int param) const {
    for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
        if (entry->key == key && entry->param == param) return entry->ramp.to;
        if (!is_cue(entry->key)) continue;
        if (const auto value = value_after(cue_of(entry->key, entry->param, entry->ramp), key, param))
            return value;
    }
    const auto node = before_.find(key);
    if (node == before_.end() || param < 0 || static_cast<std::size_t>(param) >= node->second.ramps.size())
        return std::nullopt;
    return node->second.ramps[param].to;
}

/// Nothing: the cue does not move this knob.
std::optional<float> KnobHistory::value_after(const SceneCue& cue, NodeKey key, int param) const {
    const SceneTable* table = table_of(cue);
    const auto node = before_.find(key);
    if (!table || node == before_.end() || param < 0 ||
        static_cast<std::size_t>(param) >= node->second.numbers.size())
        return std::nullopt;
    const int knob = table->knob_of(key, node->second.numbers[param]);
    if (knob < 0) return std::nullopt;
    return table->value(knob, cue.state);
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
