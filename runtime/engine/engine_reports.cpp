/// Acts on the room's changes of state, and passes on its reports.

#include <fmt/format.h>

#include <algorithm>

#include "runtime/engine/engine.hpp"

namespace gainstage {

using Kind = EngineNews::Kind;

namespace {

/// The earlier one wins; of two at the same sample, the one found first.
template <class Fact>
void take_earlier(Fact& first, const Fact& other) {
    if (other.stamp < first.stamp) first = other;
}

}  // namespace

/// Takes reports and changes of state in the order of the stream, because the log of a take only goes
/// forward. The room has reported all that happened before the sample `known`; changes of later samples wait
/// for the next turn.
void Engine::collect() {
    const std::uint64_t known = room_.now();
    for (Report report; room_.next_report(report);) {
        act(report.stamp);
        take(report);
    }
    act(known);
}

// States

/// Acts on every change of state up to stream sample `end`, in their order.
void Engine::act(std::uint64_t end) {
    const std::uint64_t rings = room_.rings();
    if (rings == rings_heard_) return;
    for (;;) {
        const Fact fact = next_fact();
        if (fact.stamp == Slot::never) break;
        if (fact.stamp > end) return;  // the bell stays unheard
        act_on(fact);
    }
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
    ++counts_.trips;
    ward_.take_tripped(slot, latch_window_samples());
    const Quarantine& quarantine = slot.quarantine;
    const std::string& id = keys_.id(slot.key);
    const char* cause = quarantine.cause == TripCause::not_finite
                            ? "its output was not a number"
                            : "its output rose above the patch's ceiling_dbfs";
    if (quarantine.latched) {
        say(Kind::latched, quarantine.since,
            fmt::format("{}: {} for the third time in ten seconds; it stays bypassed until the patch or its "
                        "model changes",
                        id, cause),
            id);
    } else {
        say(Kind::tripped, quarantine.since,
            fmt::format("{}: {}; its input is heard instead until it is rebuilt", id, cause), id);
    }
}

bool Engine::is_heard(const Slot* slot) const {
    const Arrangement* heard = residents_.heard();
    return heard && std::any_of(heard->slots.begin(), heard->slots.end(),
                                [&](const auto& other) { return other.get() == slot; });
}

bool Engine::is_worker_away() {
    return room_.crew() && !room_.crew()->is_whole();
}

void Engine::on_stall(Tasks& tasks) {
    tasks.is_stall_told = true;
    for (std::size_t t = 0; t < tasks.list.size(); ++t)
        if (tasks.given_up.load(std::memory_order_relaxed) & task_bit(static_cast<int>(t)))
            lose_branch(tasks.list[t], tasks.lost_since);
}

/// All nodes of the branch are lost with the worker; others take their places.
void Engine::lose_branch(const Task& task, std::uint64_t since) {
    ++counts_.stalls;
    bool latched = false;
    std::vector<std::string> branch;
    for (const Slot* slot : task.slots) {
        const std::string& id = keys_.id(slot->key);
        if (id.front() != '~' && std::find(branch.begin(), branch.end(), id) == branch.end())
            branch.push_back(id);
        if (!is_heard(slot) || ward_.has(slot->key)) continue;
        const bool third = ward_.take_stalled(slot->key, since, latch_window_samples());
        latched = latched || third;
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

// Reports

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

}  // namespace gainstage
