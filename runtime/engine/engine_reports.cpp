/// Acts on the room's changes of state, and passes on what it tells.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/engine/engine.hpp"
#include "runtime/engine/trip_text.hpp"

namespace gainstage {

using Kind = EngineNews::Kind;

namespace {

/// The earlier one wins; of two at the same sample, the one found first.
template <class Fact>
void take_earlier(Fact& first, const Fact& other) {
    if (other.stamp < first.stamp) first = other;
}

}  // namespace

/// Takes what the room tells and its changes of state in the order of the stream, because the log of a take
/// only goes forward and moves of knobs belong to the instance that played then. The room has told all that
/// happened before the sample `known`; the rest waits for the next turn.
void Engine::collect() {
    tell_untold();
    const std::uint64_t known = room_.now();
    for (;;) {
        const std::uint64_t next = std::min(
            {room_.outbox().next_entry(), room_.outbox().next_report(), knobs_.next_move(room_.trail())});
        if (next >= known) break;
        act(next);
        take_next(next);
    }
    act(known);
}

void Engine::conclude() {
    tick();
    tell_untold();
    if (std::exchange(concluded_, true)) return;
    const LogHole hole = room_.outbox().hole_at_the_end();
    if (hole.count > 0) tell_or_note(LogEntry(hole));
}

void Engine::look_at_outputs() {
    if (!residents_.heard()) return;
    for (OutputReports::Report& report : outputs_.look(*residents_.heard(), room_.now()))
        say(report.is_offset ? Kind::note : Kind::guarded, report.stamp, std::move(report.text),
            std::move(report.node));
}

// States

/// Acts on every change of state up to stream sample `end`, in their order.
void Engine::act(std::uint64_t end) {
    const std::uint64_t rings = room_.rings();
    if (rings == rings_heard_ && coming_.stamp > end) return;
    rings_heard_ = unheard;  // if acting throws, the next turn looks again
    for (coming_ = next_fact(); coming_.stamp <= end; coming_ = next_fact()) act_on(coming_);
    rings_heard_ = rings;
}

Engine::Fact Engine::next_fact() const {
    Fact first = change_fact();
    take_earlier(first, stall_fact(residents_.current() ? residents_.current()->after.get() : nullptr));
    if (const ChangeInFlight* change = residents_.change();
        change && change->stage() == ChangeInFlight::Stage::fading)
        take_earlier(first, stall_fact(change->transition()->during.get()));
    if (const Arrangement* heard = residents_.heard())
        for (const auto& slot : heard->slots) {
            const std::uint64_t stamp = slot->tripped_at.load(std::memory_order_acquire);
            if (stamp < first.stamp && !ward_.has(slot->key))
                first = {.kind = Fact::Kind::trip, .stamp = stamp, .slot = slot.get()};
        }
    if (!silent_) take_earlier(first, {.kind = Fact::Kind::silent, .stamp = room_.silent_at()});
    return first;
}

Engine::Fact Engine::change_fact() const {
    const ChangeInFlight* change = residents_.change();
    if (!change || change->is_preparing()) return {};
    const Transition& transition = *change->transition();
    const auto stage = transition.stage.load(std::memory_order_acquire);
    if (stage == Transition::Stage::waiting) return {};
    if (stage == Transition::Stage::failed) return {.kind = Fact::Kind::failure, .stamp = transition.over_at};
    if (change->stage() == ChangeInFlight::Stage::armed)
        return {.kind = Fact::Kind::start, .stamp = transition.begun_at};
    if (stage == Transition::Stage::over) return {.kind = Fact::Kind::finish, .stamp = transition.over_at};
    return {};
}

Engine::Fact Engine::stall_fact(Plan* plan) {
    if (!plan || !plan->tasks || plan->tasks->is_stall_told) return {};
    if (plan->tasks->given_up.load(std::memory_order_acquire) == 0) return {};
    return {.kind = Fact::Kind::stall, .stamp = plan->tasks->lost_since, .tasks = plan->tasks.get()};
}

void Engine::act_on(const Fact& fact) {
    switch (fact.kind) {
        case Fact::Kind::start:
            return on_started(fact.stamp);
        case Fact::Kind::finish:
            return on_finished(fact.stamp);
        case Fact::Kind::failure:
            return on_failed(residents_.change()->transition()->failure);
        case Fact::Kind::trip:
            return on_trip(*fact.slot);
        case Fact::Kind::stall:
            return on_stall(*fact.tasks);
        case Fact::Kind::silent:
            silent_ = true;
            return say(Kind::silent, fact.stamp, "faded out");
    }
}

double Engine::latch_window_samples() const {
    return TripRecord::window_s * config_.room.sample_rate_hz;
}

void Engine::on_trip(const Slot& slot) {
    ward_.take_tripped(slot, latch_window_samples());
    ++counts_.trips;
    const Quarantine& quarantine = slot.quarantine;
    say(quarantine.latched ? Kind::latched : Kind::tripped, quarantine.since,
        trip_text(*residents_.heard(), slot), keys_.id(slot.key));
}

bool Engine::is_heard(const Slot* slot) const {
    const Arrangement* heard = residents_.heard();
    return heard && std::any_of(heard->slots.begin(), heard->slots.end(),
                                [&](const auto& other) { return other.get() == slot; });
}

bool Engine::is_worker_away() {
    return room_.crew() && !room_.crew()->is_whole();
}

/// All become patients before anything is told: where there is no memory for that, the next turn goes on.
void Engine::on_stall(Tasks& tasks) {
    const std::uint64_t given_up = tasks.given_up.load(std::memory_order_relaxed);
    std::vector<const Task*> lost;
    for (std::size_t t = 0; t < tasks.list.size(); ++t)
        if (given_up & task_bit(static_cast<int>(t))) lost.push_back(&tasks.list[t]);
    std::vector<char> latched(lost.size());
    for (std::size_t k = 0; k < lost.size(); ++k) latched[k] = lose_branch(*lost[k], tasks.lost_since);
    tasks.is_stall_told = true;
    counts_.stalls += lost.size();
    for (std::size_t k = 0; k < lost.size(); ++k) tell_of_branch(*lost[k], tasks.lost_since, latched[k]);
}

/// All nodes of the branch are lost with the worker; others take their places. True: one of them for the
/// third time in a short while.
bool Engine::lose_branch(const Task& task, std::uint64_t since) {
    bool latched = false;
    for (const Slot* slot : task.slots) {
        if (!is_heard(slot) || ward_.has(slot->key)) continue;
        const bool third = ward_.take_stalled(slot->key, since, latch_window_samples());
        latched = latched || third;
    }
    return latched;
}

void Engine::tell_of_branch(const Task& task, std::uint64_t since, bool latched) {
    std::vector<std::string> branch;
    for (const Slot* slot : task.slots) {
        const std::string& id = keys_.id(slot->key);
        if (id.front() != '~' && std::find(branch.begin(), branch.end(), id) == branch.end())
            branch.push_back(id);
    }
    const std::string& id = keys_.id(task.stands_in);
    say(Kind::stalled, since,
        fmt::format("{}: a worker thread did not come back from it within {:g} ms; its branch ({}) is "
                    "silent {}, and everything else plays on without that thread's help",
                    id, config_.room.crew.patience_ms, fmt::join(branch, ", "),
                    latched ? "until the patch or its model changes, for this was the third time in ten "
                              "seconds"
                            : "until it is rebuilt"),
        id);
}

// What was applied

/// Whatever comes next in the stream, at this sample.
void Engine::take_next(std::uint64_t stamp) {
    if (knobs_.next_move(room_.trail()) == stamp)
        if (const auto scene = knobs_.take_move()) tell_event(*scene);
    if (LogEntry entry; room_.outbox().next_entry() == stamp && room_.outbox().take(entry))
        tell_or_note(entry);
    if (Report report; room_.outbox().next_report() == stamp && room_.outbox().take(report))
        say(Kind::clamped, report.stamp,
            fmt::format("{}: {} was asked for {}, beyond its range; it stays at the end of it",
                        keys_.id(report.key), knob_name(report.key, report.param), report.value),
            keys_.id(report.key));
}

/// An entry for which there is no memory is missing in the log, which says so.
void Engine::tell_or_note(const LogEntry& entry) {
    try {
        tell(entry);
    } catch (...) {
        entry.is_hole() ? untold_.add(entry.hole()) : untold_.add(entry.stamp());
        throw;
    }
}

void Engine::tell_untold() {
    if (untold_.count == 0) return;
    tell(LogEntry(untold_));
    untold_ = {};
}

void Engine::tell(const LogEntry& entry) {
    if (!entry.is_hole()) return tell_event(entry.event());
    const LogHole hole = entry.hole();
    tell_lost({.kind = Loss::Kind::lines, .from = hole.from, .to = hole.to, .count = hole.count}, hole.to);
}

void Engine::tell_event(const Event& event) {
    if (!listener_) return;
    EngineNews news;
    news.kind = Kind::event;
    news.stamp = event.stamp;
    news.event = event;
    if (event.kind == EventKind::knob) {
        news.node = keys_.id(event.key);
        news.parameter = knob_name(event.key, event.param);
    } else if (event.kind == EventKind::master) {
        news.node = "master";
        news.parameter = master_specs()[event.param].name;
    }
    if (event.kind == EventKind::scene) news.parameter = scene_name(event.param);
    listener_(news);
}

void Engine::tell_lost(const Loss& loss, std::uint64_t stamp) {
    if (loss.kind == Loss::Kind::moves) counts_.moves_lost += loss.count;
    if (!listener_) return;
    EngineNews news;
    news.kind = Kind::lost;
    news.stamp = stamp;
    news.text = text_of(loss, config_.room.sample_rate_hz);
    news.loss = loss;
    listener_(news);
}

/// Of the patch that is heard.
std::string Engine::scene_name(std::int32_t scene) const {
    const Arrangement* heard = residents_.heard();
    const bool is_there = heard && scene >= 0 && static_cast<std::size_t>(scene) < heard->graph.scenes.size();
    return is_there ? heard->graph.scenes[scene].name : std::string();
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

}  // namespace gainstage
