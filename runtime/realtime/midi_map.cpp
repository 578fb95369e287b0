#include "runtime/realtime/midi_map.hpp"

#include <algorithm>
#include <numeric>

namespace gainstage {

namespace {

/// Every control that can be listened to has a slot; the NRPNs, which are many, come last.
std::size_t slot_of(MidiSource source, int number) noexcept {
    const auto n = static_cast<std::size_t>(number);
    switch (source) {
        case MidiSource::cc:
            return n;
        case MidiSource::cc14:
            return 128 + n;
        case MidiSource::note:
            return 160 + n;
        case MidiSource::pitchbend:
            return 288;
        case MidiSource::program:
            return 289;
        case MidiSource::nrpn:
            break;
    }
    return 290 + n;
}

}  // namespace

MidiMap::MidiMap(const std::vector<GraphMidi>& table) : by_id_(table.size()) {
    mappings_.reserve(table.size());
    for (const GraphMidi& midi : table) mappings_.push_back(mapping_of(midi));
    std::iota(by_id_.begin(), by_id_.end(), 0u);
    std::stable_sort(by_id_.begin(), by_id_.end(),
                     [this](auto a, auto b) { return mappings_[a].id < mappings_[b].id; });
    build_index(table);
}

void MidiMap::build_index(const std::vector<GraphMidi>& table) {
    const auto slot = [&table](std::uint32_t k) {
        return slot_of(table[k].entry.source, table[k].entry.number);
    };
    listeners_.resize(table.size());
    std::iota(listeners_.begin(), listeners_.end(), 0u);
    std::stable_sort(listeners_.begin(), listeners_.end(), [&](auto a, auto b) { return slot(a) < slot(b); });
    if (listeners_.empty()) return;
    first_.assign(slot(listeners_.back()) + 2, 0);
    for (const std::uint32_t k : listeners_) ++first_[slot(k) + 1];
    std::partial_sum(first_.begin(), first_.end(), first_.begin());
}

std::span<const std::uint32_t> MidiMap::listeners(const MidiEvent& event) const noexcept GAINSTAGE_REALTIME {
    const std::size_t slot = slot_of(event.source, event.number);
    if (slot + 1 >= first_.size()) return {};
    return {listeners_.data() + first_[slot], listeners_.data() + first_[slot + 1]};
}

void MidiMap::receive(std::span<const MidiEvent> events, MidiHost& host) noexcept GAINSTAGE_REALTIME {
    for (const MidiEvent& event : events)
        for (const std::uint32_t k : listeners(event)) {
            MidiMapping& mapping = mappings_[k];
            if (mapping.channel == 0 || mapping.channel == event.channel)
                gainstage::receive(mapping, event, host);
        }
}

void MidiMap::adopt(const MidiMap& old) noexcept GAINSTAGE_REALTIME {
    auto before = old.by_id_.begin();
    for (const std::uint32_t k : by_id_) {
        MidiMapping& mine = mappings_[k];
        while (before != old.by_id_.end() && old.mappings_[*before].id < mine.id) ++before;
        if (before == old.by_id_.end()) return;
        const MidiMapping& theirs = old.mappings_[*before];
        if (theirs.id != mine.id) continue;
        mine.state = theirs.state;
        // Over another range the same position of the control means another value.
        if (!(theirs.scale == mine.scale)) mine.state.moved = mine.state.holds = false;
        ++before;
    }
}

}  // namespace gainstage
