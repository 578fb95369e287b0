/// What the engine makes of the audio thread's reports.

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

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
    const Arrangement* heard = begun_ ? next_.get() : now_.get();
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
    const Arrangement* heard = begun_ ? next_.get() : now_.get();
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

/// What a worker that was given up may still touch is kept until it is back.
void Engine::retire(std::unique_ptr<Transition> transition) {
    if (transition && room_.crew() && !room_.crew()->is_whole()) retired_.push_back(std::move(transition));
}

void Engine::free_retired() {
    if (!retired_.empty() && room_.crew()->is_whole()) retired_.clear();
}

void Engine::on_started(const Report& report) {
    const Transition& transition = *report.transition;
    begun_ = true;
    remember_knobs();
    forget_trips();
    if (!listener_) return;
    EngineNews news;
    news.kind = Kind::started;
    news.stamp = report.stamp;
    news.graph = is_return_ ? nullptr : &*next_graph_;
    news.warmed = transition.warming != nullptr;
    news.warm_from = transition.warming ? transition.warming->from : report.stamp;
    news.swapped = swapped_;
    news.returned = returned_;
    listener_(news);
}

/// The trajectory goes on under the same node, in the order of the new instance's knobs.
void Engine::remember_knobs() {
    std::unordered_map<NodeKey, const Slot*> before;
    if (now_)
        for (const auto& slot : now_->slots) before[slot->key] = slot.get();
    for (const auto& slot : next_->slots) {
        const auto old = before.find(slot->key);
        if (old != before.end() && old->second == slot.get()) continue;
        std::vector<Ramp> start;
        for (const float value : slot->description.values) start.push_back(settled(value));
        start.insert(start.end(), Slot::extra_count, settled(0.f));
        if (old == before.end())
            knobs_.add_node(slot->key, std::move(start));
        else
            knobs_.replace_node(slot->key, params_by_name(*slot, *old->second), start);
    }
}

/// An instance that leaves takes its quarantine along; only one that comes back from there is known for it.
void Engine::forget_trips() {
    std::set<NodeKey> stay;
    for (const auto& slot : next_->slots)
        if (now_ && std::find(now_->slots.begin(), now_->slots.end(), slot) != now_->slots.end())
            stay.insert(slot->key);
    std::erase_if(tripped_, [&](const auto& entry) { return !stay.contains(entry.first); });
    if (!is_return_) std::erase_if(trips_, [&](const auto& entry) { return !stay.contains(entry.first); });
}

namespace {
/// Without the delays that align paths.
std::vector<std::string> named(std::vector<std::string> ids) {
    std::erase_if(ids, [](const std::string& id) { return id.front() == '~'; });
    return ids;
}
}  // namespace

std::string Engine::what_finished(bool is_first) const {
    const std::string name = graph_.name.empty() ? graph_.file : graph_.name;
    if (is_return_) return fmt::format("{}: back from quarantine", fmt::join(named(returned_), ", "));
    if (is_first) return name + " plays";
    if (!swapped_.empty()) return fmt::format("{}: the new one plays", fmt::join(swapped_, ", "));
    return name + ": the edited patch plays";
}

void Engine::on_finished(const Report& report) {
    const bool is_first = !now_;
    if (!swapped_.empty()) ++counts_.swaps;
    if (is_edit_) ++counts_.edits;
    begun_ = false;
    retire(std::move(current_));
    current_ = std::move(in_flight_);  // frees the plan before it
    if (current_->during && room_.crew() && !room_.crew()->is_whole()) {
        auto fade = std::make_unique<Transition>();
        fade->during = std::move(current_->during);
        retire(std::move(fade));
    }
    current_->during.reset();
    current_->warming.reset();
    now_ = std::move(next_);  // frees the nodes that left
    graph_ = std::move(*next_graph_);
    next_graph_.reset();
    say(is_return_ ? Kind::returned : Kind::finished, report.stamp, what_finished(is_first));
}

/// The newcomer could not be made ready. What plays plays on; what was only late is tried again.
void Engine::on_failed(WarmFailure failure) {
    const bool newcomer_tripped =
        in_flight_->warming &&
        std::any_of(in_flight_->warming->newcomers.begin(), in_flight_->warming->newcomers.end(),
                    [](const Slot* slot) { return slot->quarantine.tripped; });
    in_flight_.reset();
    next_.reset();
    Graph graph = std::move(*next_graph_);
    next_graph_.reset();
    if (is_return_) {
        for (auto& [key, trip] : tripped_) trip.cold = true;
        return;
    }
    constexpr int most_attempts = 3;
    if (failure == WarmFailure::newcomer_tripped && newcomer_tripped) {
        ++counts_.failures;
        say(Kind::failed, room_.now(),
            fmt::format(
                "{}: the new instance's output was not a number or above the ceiling when it was run on "
                "what was just played; the old one plays on",
                fmt::join(swapped_, ", ")));
    } else if (++attempts_ < most_attempts) {
        if (!waiting_) waiting_ = std::move(graph);
    } else {
        begin(std::move(graph), {}, false, Warmth::cold);
    }
}

}  // namespace gainstage
