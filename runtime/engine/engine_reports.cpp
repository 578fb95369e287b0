/// What the engine makes of the audio thread's reports.

#include <fmt/format.h>

#include <algorithm>

#include "runtime/engine/engine.hpp"

namespace gainstage {

using Kind = EngineNews::Kind;

void Engine::collect() {
    for (Report report; room_.next_report(report);) take(report);
}

void Engine::take(const Report& report) {
    switch (report.kind) {
        case ReportKind::event:
            tell_event(report);
            break;
        case ReportKind::knob:
            knobs_.add(report);
            break;
        case ReportKind::clamped:
            say(Kind::clamped, report.stamp,
                fmt::format("{}: {} was asked for {}, beyond its range; it stays at the end of it",
                            keys_.id(report.key), knob_name(report.key, report.param), report.value),
                keys_.id(report.key));
            break;
        case ReportKind::trip:
            on_trip(report);
            break;
        case ReportKind::stall:
            on_stall(report);
            break;
        case ReportKind::started:
            on_started(report);
            break;
        case ReportKind::finished:
            on_finished(report);
            break;
        case ReportKind::failed:
            on_failed(report.failure);
            break;
        case ReportKind::silent:
            silent_ = true;
            say(Kind::silent, report.stamp, "faded out");
            break;
    }
}

void Engine::tell_event(const Report& report) {
    if (!listener_) return;
    EngineNews news;
    news.kind = Kind::event;
    news.stamp = report.stamp;
    news.event = report.event;
    if (report.event.kind == EventKind::knob) {
        news.node = keys_.id(report.event.key);
        news.parameter = knob_name(report.event.key, report.event.param);
    }
    listener_(news);
}

/// Of the instance that is heard.
std::string Engine::knob_name(NodeKey key, std::int32_t param) const {
    const Arrangement* heard = residents_.heard();
    if (!heard) return {};
    for (const auto& slot : heard->slots)
        if (slot->key == key && static_cast<std::size_t>(param) < slot->specs.size())
            return slot->specs[param].name;
    return {};
}

/// True: it is the third within ten seconds.
bool Engine::note_trip(NodeKey key, std::uint64_t stamp) {
    Quarantine& record = trips_[key];
    if (record.trip_count == Quarantine::trips_to_latch) {
        std::rotate(record.trips.begin(), record.trips.begin() + 1, record.trips.end());
        --record.trip_count;
    }
    record.trips[record.trip_count++] = stamp;
    return record.trip_count == Quarantine::trips_to_latch &&
           static_cast<double>(stamp - record.trips[0]) <= Quarantine::window_s * config_.room.sample_rate_hz;
}

void Engine::on_trip(const Report& report) {
    ++counts_.trips;
    note_trip(report.key, report.stamp);
    const std::string& id = keys_.id(report.key);
    const char* cause = report.cause == TripCause::not_finite
                            ? "its output was not a number"
                            : "its output rose above the patch's ceiling_dbfs";
    tripped_[report.key] = {.since = report.stamp, .latched = report.latched};
    if (report.latched) {
        say(Kind::latched, report.stamp,
            fmt::format("{}: {} for the third time in ten seconds; it stays bypassed until the patch or its "
                        "model changes",
                        id, cause),
            id);
    } else {
        say(Kind::tripped, report.stamp,
            fmt::format("{}: {}; its input is heard instead until it is rebuilt", id, cause), id);
    }
}

bool Engine::is_heard(const Slot* slot) const {
    const Arrangement* heard = residents_.heard();
    return heard && std::any_of(heard->slots.begin(), heard->slots.end(),
                                [&](const auto& other) { return other.get() == slot; });
}

/// All nodes of the branch are lost with the worker; others take their places, without the past, of which
/// the branch has not heard all.
void Engine::on_stall(const Report& report) {
    ++counts_.stalls;
    bool latched = false;
    std::vector<std::string> branch;
    for (const Slot* slot : report.task->slots) {
        const std::string& id = keys_.id(slot->key);
        if (id.front() != '~' && std::find(branch.begin(), branch.end(), id) == branch.end())
            branch.push_back(id);
        if (!is_heard(slot) || tripped_.contains(slot->key)) continue;
        const bool third = note_trip(slot->key, report.stamp);
        latched = latched || third;
        tripped_[slot->key] = {.since = report.stamp, .latched = third, .cold = true};
    }
    say(Kind::stalled, report.stamp,
        fmt::format("{}: a worker thread did not come back from it within {:g} ms; its branch ({}) is "
                    "silent {}, and everything else plays on without that thread's help",
                    keys_.id(report.key), config_.room.crew.patience_ms, fmt::join(branch, ", "),
                    latched ? "until the patch or its model changes, for this was the third time in ten "
                              "seconds"
                            : "until it is rebuilt"),
        keys_.id(report.key));
}

bool Engine::is_worker_away() {
    return room_.crew() && !room_.crew()->is_whole();
}

}  // namespace gainstage
