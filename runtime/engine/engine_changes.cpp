/// The engine's part of a change, in the order of its life.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "runtime/engine/engine.hpp"
#include "runtime/plan/change.hpp"
#include "runtime/problem_list.hpp"
#include "runtime/realtime/knob_trail.hpp"

namespace gainstage {

using Kind = EngineNews::Kind;

namespace {

/// One past the latest sample that all histories hold.
std::uint64_t end_of_past(const Warming& warming) {
    std::uint64_t end = ~std::uint64_t{0};
    for (const auto& history : warming.plan.histories) end = std::min(end, history->end());
    return end;
}

/// Without the delays that align paths.
std::vector<std::string> named(std::vector<std::string> ids) {
    std::erase_if(ids, [](const std::string& id) { return id.front() == '~'; });
    return ids;
}

}  // namespace

// Building

void Engine::begin(ChangeRequest request) {
    const bool is_return = request.is_return;
    Builder::Task job;
    try {
        job = admit(std::move(request));
    } catch (const std::bad_alloc&) {
        give_up(is_return);
        throw;
    }
    lead([&] { builder_->run(std::move(job), [this] { lead([this] { on_built(); }); }); });
}

/// The change is there, and this builds it.
Builder::Task Engine::admit(ChangeRequest&& request) {
    const ChangeConfig config = change_config(request);
    const Arrangement* old = residents_.playing();
    auto made = std::make_unique<ChangeInFlight>(std::move(request), keys_);
    ChangeInFlight& change = *made;
    Builder::Task job = [&change, old, config] { change.build(old, config); };
    residents_.admit(std::move(made));
    return job;
}

/// For want of memory. Says nothing.
void Engine::give_up(bool is_return) {
    if (is_return)
        wait_with_returns();
    else
        ++counts_.failures;
    if (residents_.change()) residents_.abandon();
}

/// Does a step of a change. Without memory for it the change is given up, unless the room has it already:
/// what plays plays on, and the caller says so.
template <class Step>
void Engine::lead(Step step) {
    try {
        step();
    } catch (const std::bad_alloc&) {
        if (residents_.change() && residents_.change()->is_preparing())
            give_up(residents_.change()->request().is_return);
        throw;
    }
}

/// A node that can't come back for want of memory is tried again, but not in every turn.
void Engine::wait_with_returns() {
    constexpr double wait_s = 1.;
    no_return_before_ = room_.now() + static_cast<std::uint64_t>(wait_s * config_.room.sample_rate_hz);
}

ChangeConfig Engine::change_config(const ChangeRequest& request) {
    ChangeConfig config{.arrange = {.sample_rate_hz = config_.room.sample_rate_hz,
                                    .max_frames = config_.room.max_frames,
                                    .most_bytes = config_.most_bytes,
                                    .rebuild = {}},
                        .watch = config_.room.watch,
                        .threads = config_.room.crew.threads,
                        .scene_table = ++scene_tables_,
                        .least_branch_ns = config_.room.crew.least_branch_us * 1e3};
    for (const std::string& id : request.order.returning) config.arrange.rebuild.insert(keys_.key(id));
    return config;
}

void Engine::on_built() {
    ChangeInFlight& change = *residents_.change();
    if (!change.be_built()) return change.was_given_up() ? make_way() : refuse();
    KeyTable keys = change.keys();  // all of it, or nothing
    keys_ = std::move(keys);
    Problems notes = change.problems();
    shorten_for_people(notes, "gainstage check --json lists them");
    for (const Problem& note : notes) say(Kind::note, note);
    if (change.request().is_return) give_trips();
    if (change.warming()) return warm_on();
    change.be_ready();
    arm();
}

/// For the patch that waits, or for one that may come. A return from quarantine is ordered again by itself.
void Engine::make_way() {
    ChangeRequest request = residents_.drop();
    if (waiting_) {
        waiting_->supersedes = true;
    } else if (!request.is_return) {
        request.order = {};
        request.stood_back = true;
        waiting_ = std::move(request);
    }
}

/// What plays plays on. A node that can't be built again stays in quarantine; an edit of the patch brings it
/// back.
void Engine::refuse() {
    refusal_ = residents_.change()->problems();
    const bool lacks_memory = residents_.change()->lacks_memory();
    const bool is_return = residents_.drop().is_return;
    if (is_return && lacks_memory)
        wait_with_returns();
    else if (is_return)
        ward_.latch_all();
    else
        ++counts_.failures;
    Problems told = refusal_;
    shorten_for_people(told, "gainstage check --json lists them");
    for (const Problem& problem : told) say(Kind::failed, problem);
}

/// The next instance knows how often its place has tripped: three times in ten seconds latch it.
void Engine::give_trips() {
    const ChangeInFlight& change = *residents_.change();
    for (const std::string& id : change.request().order.returning) {
        const int node = change.arrangement()->graph.node_index(id);
        if (node >= 0) ward_.give_record(*change.arrangement()->slots[node]);
    }
}

// Warming

/// The next leg: the newcomers run up to the latest sample of the past. When that brings them close to the
/// stream, the audio thread does the rest.
void Engine::warm_on() {
    constexpr int most_legs = 64;
    constexpr double close_s = 0.01;  // two turns of the control thread; a builder at once needs none
    ChangeInFlight& change = *residents_.change();
    Warming& warming = *change.warming();
    const std::uint64_t end = std::min(end_of_past(warming), room_.now());
    collect();  // every move of a knob before `end`
    if (change.legs() == 0) change.start_from(knobs_, begin_of_past(end));
    auto close = static_cast<std::uint64_t>(2 * config_.room.max_frames);
    if (builder_ != &at_once_)
        close = std::max(close, static_cast<std::uint64_t>(close_s * config_.room.sample_rate_hz));
    // The room knows the latest moves only; a leg takes the newcomers over those before.
    const bool knows_moves = knobs_.next_sequence() - warming.knob_sequence <= room_.trail().size() / 2;
    const bool is_close = change.legs() > 0 && end - warming.time <= close && knows_moves;
    if (is_close || change.legs() == most_legs) {
        change.be_ready();
        return arm();
    }
    Builder::Task leg = [&change, knobs = knobs_.passage(warming.knob_sequence, end), end,
                         frames = config_.room.max_frames]() mutable {
        change.warm(std::move(knobs), end, frames);
    };
    change.set_off();
    builder_->run(std::move(leg), [this] { lead([this] { on_warmed(); }); });
}

void Engine::on_warmed() {
    ChangeInFlight& change = *residents_.change();
    change.come_back();
    if (change.warm_failure() != WarmFailure::none) return on_failed(change.warm_failure());
    warm_on();
}

/// Newcomers begin as far back as they want, if the histories reach that far. One that returns from
/// quarantine does not hear again what made it trip.
std::uint64_t Engine::begin_of_past(std::uint64_t end) {
    const ChangeInFlight& change = *residents_.change();
    const ChangeOrder& order = change.request().order;
    if (replaying_) return order.warm_from;
    const auto wanted = static_cast<std::uint64_t>(change.warm_samples());
    std::uint64_t from = end > wanted ? end - wanted : 0;
    if (order.returning.empty()) tell_of_past(from, end);
    for (const auto& history : change.warming()->plan.histories) from = std::max(from, history->begin());
    for (const std::string& id : order.returning)
        if (const Ward::Patient* patient = ward_.find(keys_.key(id)))
            from = std::max(from, std::min(end, patient->since + 1));
    return from;
}

/// Says why a new instance was warmed on less history than the old one had: its history began later.
void Engine::tell_of_past(std::uint64_t from, std::uint64_t end) {
    const ChangeInFlight& change = *residents_.change();
    const std::string who = change.swapped().empty() ? residents_.graph().file
                                                     : fmt::format("{}", fmt::join(change.swapped(), ", "));
    std::uint64_t begin = from;
    for (const auto& history : change.warming()->plan.histories)
        if (const std::uint64_t first = history->begin();
            first > 0 && end - std::min(first, end) < static_cast<std::uint64_t>(history->keeps()))
            begin = std::max(begin, first);
    const auto seconds = [&](std::uint64_t samples) {
        return static_cast<double>(samples) / config_.room.sample_rate_hz;
    };
    if (begin > from)
        say(Kind::note, end,
            fmt::format("{}: warmed on the last {:.2f} s instead of {:.2f} s, for what it hears was not "
                        "recorded before",
                        who, seconds(end - std::min(begin, end)), seconds(end - from)));
}

// In the room

/// Where the room's queue is full, the next turn tries again.
void Engine::arm() {
    ChangeInFlight& change = *residents_.change();
    if (room_.post(change.transition())) change.be_armed();
}

/// What the change itself needs comes first: where there is no memory for it, nothing has changed, and the
/// next turn tries again. Where there is none to tell of it, the log says that it lacks a line.
void Engine::on_started(std::uint64_t stamp) {
    ChangeInFlight& change = *residents_.change();
    KnobHistory::Newcomers knobs = newcomers_knobs();
    const std::set<NodeKey> stay = staying();
    EngineNews news;
    news.kind = Kind::started;
    news.stamp = stamp;
    news.graph = change.request().is_return ? nullptr : &change.request().graph;
    news.warmed = change.warming() != nullptr;
    news.warm_from = change.warming() ? change.warming()->from : stamp;
    news.swapped = change.swapped();
    news.returned = change.request().order.returning;
    const std::string scene_before = scene();
    knobs_.take(std::move(knobs));
    change.begin();
    // A leaving instance takes its quarantine with it. Its trips count on only if it returns from quarantine.
    ward_.keep(stay, change.request().is_return);
    try {
        if (listener_) listener_(news);
        tell_lost_moves(change, stamp);
        if (!scene_before.empty() && scene().empty())
            say(Kind::note, stamp,
                fmt::format("the scene that plays ({}) is gone from the patch; its knobs stay where they are",
                            scene_before));
    } catch (...) {
        untold_.add(stamp);
        throw;
    }
}

/// A replay warms newcomers on every move, so that it comes to other bits.
void Engine::tell_lost_moves(const ChangeInFlight& change, std::uint64_t stamp) {
    if (!change.warming()) return;
    const std::uint64_t from = change.warming()->from;
    if (const std::uint64_t lost = knobs_.lost_after(from))
        tell_lost({.kind = Loss::Kind::moves, .from = from, .to = stamp, .count = lost}, stamp);
}

/// The history of knobs goes on under the same node, in the order of the new instance's knobs.
KnobHistory::Newcomers Engine::newcomers_knobs() const {
    KnobHistory::Newcomers newcomers(knobs_);
    const Transition& transition = *residents_.change()->transition();
    const std::shared_ptr<const SceneTable>& scenes = residents_.change()->arrangement()->scenes;
    for (const auto& slot : residents_.change()->arrangement()->slots) {
        const Slot* before = playing_slot(slot->key);
        if (before == slot.get()) continue;
        std::vector<Ramp> start = starting_ramps(slot->description);
        const auto [first, count] = scenes->knobs_of(slot->key);
        for (int k = first; k < first + count; ++k)
            start[scenes->knobs()[k].param] = settled(scenes->value(k, transition.scene));
        if (before)
            newcomers.replace_node(*slot, params_by_name(*slot, *before), start);
        else
            newcomers.add_node(*slot, std::move(start));
    }
    newcomers.set_scenes(scenes, transition.scene, transition.begun_at);
    return newcomers;
}

/// Null: nothing plays under this key.
const Slot* Engine::playing_slot(NodeKey key) const {
    const Arrangement* playing = residents_.playing();
    const int node = playing ? playing->node_of(key) : -1;
    return node < 0 ? nullptr : playing->slots[node].get();
}

/// The nodes whose instances play on.
std::set<NodeKey> Engine::staying() const {
    std::set<NodeKey> stay;
    for (const auto& slot : residents_.change()->arrangement()->slots)
        if (playing_slot(slot->key) == slot.get()) stay.insert(slot->key);
    return stay;
}

void Engine::on_finished(std::uint64_t stamp) {
    const ChangeInFlight& change = *residents_.change();
    const bool is_first = !residents_.playing(), is_return = change.request().is_return;
    const bool is_swap = !change.swapped().empty();
    const bool is_edit = !is_first && change.request().graph.patch_text != residents_.graph().patch_text;
    const std::string text = is_return ? who_is_back(change, stamp) : what_finished(is_first, change);
    residents_.settle(is_worker_away());
    if (is_swap) ++counts_.swaps;
    if (is_edit) ++counts_.edits;
    if (!text.empty()) say(is_return ? Kind::returned : Kind::finished, stamp, text);
}

/// Empty if each of them has tripped again by then.
std::string Engine::who_is_back(const ChangeInFlight& change, std::uint64_t stamp) {
    std::vector<std::string> back = named(change.request().order.returning);
    std::erase_if(back, [&](const std::string& id) {
        const int node = change.arrangement()->graph.node_index(id);
        return node < 0 ||
               change.arrangement()->slots[node]->tripped_at.load(std::memory_order_acquire) <= stamp;
    });
    return back.empty() ? "" : fmt::format("{}: back from quarantine", fmt::join(back, ", "));
}

std::string Engine::what_finished(bool is_first, const ChangeInFlight& change) const {
    const ChangeRequest& request = change.request();
    const std::string name = request.graph.name.empty() ? request.graph.file : request.graph.name;
    if (is_first || request.graph.name != residents_.graph().name) return name + " plays";
    if (request.graph.patch_text != residents_.graph().patch_text) return name + ": the edited patch plays";
    return fmt::format("{}: the new one plays", fmt::join(change.swapped(), ", "));
}

/// The newcomer could not be made ready. What plays plays on. A change that was only late is tried again.
void Engine::on_failed(WarmFailure failure) {
    constexpr int most_attempts = 3;
    const bool is_bad = failure == WarmFailure::newcomer_tripped && residents_.change()->newcomer_tripped();
    const std::vector<std::string> swapped = residents_.change()->swapped();
    ChangeRequest request = residents_.drop();
    if (request.is_return) {
        ward_.make_cold();
    } else if (is_bad) {
        ++counts_.failures;
        say(Kind::failed, room_.now(),
            fmt::format("{}: the new instance's output was not a number or above the ceiling when it was run "
                        "on what was just played; the old one plays on",
                        fmt::join(swapped, ", ")));
    } else if (!waiting_) {
        request.order = {};
        request.cold = ++request.attempts >= most_attempts;
        waiting_ = std::move(request);
    }
}

}  // namespace gainstage
