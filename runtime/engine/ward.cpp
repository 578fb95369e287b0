#include "runtime/engine/ward.hpp"

namespace gainstage {

const Ward::Patient* Ward::find(NodeKey key) const {
    const auto found = patients_.find(key);
    return found == patients_.end() ? nullptr : &found->second;
}

void Ward::take_tripped(const Slot& slot, double window_samples) {
    TripRecord& record = records_[slot.key];
    Patient& patient = patients_[slot.key];  // from here on nothing needs memory
    record.add(slot.quarantine.since, window_samples);
    patient = {.since = slot.quarantine.since, .latched = slot.quarantine.latched};
}

bool Ward::take_stalled(NodeKey key, std::uint64_t since, double window_samples) {
    TripRecord& record = records_[key];
    Patient& patient = patients_[key];
    const bool third = record.add(since, window_samples);
    patient = {.since = since, .latched = third, .cold = true};
    return third;
}

void Ward::give_record(Slot& slot) const {
    const auto found = records_.find(slot.key);
    if (found != records_.end()) slot.quarantine.record = found->second;
}

void Ward::keep(const std::set<NodeKey>& staying, bool keep_records) {
    const auto leaves = [&](const auto& entry) { return !staying.contains(entry.first); };
    std::erase_if(patients_, leaves);
    if (!keep_records) std::erase_if(records_, leaves);
}

void Ward::make_cold() {
    for (auto& [key, patient] : patients_) patient.cold = true;
}

void Ward::latch_all() {
    for (auto& [key, patient] : patients_) patient.latched = true;
}

}  // namespace gainstage
