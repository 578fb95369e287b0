#include "runtime/control/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "runtime/graph/warm_wiring.hpp"
#include "runtime/realtime/denormals.hpp"

namespace gainstage {

using Kind = EngineNews::Kind;

namespace {

bool same_content(const Graph& a, const Graph& b) {
    const auto same_model = [](const GraphNode& x, const GraphNode& y) {
        return (x.model ? x.model->content_hash : 0) == (y.model ? y.model->content_hash : 0);
    };
    return a.patch_text == b.patch_text &&
           std::equal(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end(), same_model);
}

}  // namespace

Engine::Engine(const EngineConfig& config) : config_(config), room_(config.room) {}
Engine::~Engine() {
    if (room_.crew()) room_.crew()->dismiss();  // before what it plays is freed
}

void Engine::say(Kind kind, std::uint64_t stamp, std::string text, std::string node) {
    if (!listener_) return;
    EngineNews news;
    news.kind = kind;
    news.stamp = stamp;
    news.text = std::move(text);
    news.node = std::move(node);
    listener_(news);
}

// ------------------------------------------------------------------------------------------------ beginning
// a change

Problems Engine::play(Graph graph) {
    if (!now_ && !in_flight_) return begin(std::move(graph), {}, false, Warmth::as_needed);
    waiting_ = std::move(graph);
    attempts_ = 0;
    return {};
}

Problems Engine::play_as_ordered(std::optional<Graph> graph, const ChangeOrder& order) {
    collect();
    if (in_flight_)
        return {
            {.file = graph_.file,
             .place = {},
             .key = {},
             .message = fmt::format("a change is ordered for sample {}, but the one before is not complete "
                                    "by then",
                                    order.stamp)}};
    const bool is_return = !graph.has_value();
    ChangeOrder exactly = order;
    exactly.offline = true;
    return begin(graph ? std::move(*graph) : graph_, exactly, is_return,
                 order.warmed ? Warmth::as_needed : Warmth::cold);
}

Problems Engine::begin(Graph graph, const ChangeOrder& order, bool is_return, Warmth warmth) {
    ChangeConfig config{.arrange = {.sample_rate_hz = config_.room.sample_rate_hz,
                                    .max_frames = config_.room.max_frames,
                                    .rebuild = {}},
                        .watch = config_.room.watch,
                        .threads = config_.room.crew.threads,
                        .least_branch_ns = config_.room.crew.least_branch_us * 1e3};
    for (const std::string& id : order.returning) config.arrange.rebuild.insert(keys_.key(id));
    is_edit_ = now_ && graph.patch_text != graph_.patch_text;
    auto arrangement = std::make_unique<Arrangement>(arrange(graph, now_.get(), keys_, config.arrange));
    if (has_errors(arrangement->problems)) return arrangement->problems;
    Change change;
    try {
        change = plan_change(now_.get(), *arrangement, keys_, config);
    } catch (const std::exception& error) {
        return {{.file = graph.file, .place = {}, .key = {}, .message = error.what()}};
    }
    next_graph_ = std::move(graph);
    next_ = std::move(arrangement);
    for (const Problem& note : next_->problems) say(Kind::note, room_.now(), note.text());
    if (is_return) give_trips(order.returning);
    arm(std::move(change), order, is_return, warmth);
    return {};
}

/// The next instance knows how often its place has tripped: three times in ten seconds latch it.
void Engine::give_trips(const std::vector<std::string>& ids) {
    for (const std::string& id : ids) {
        const int node = next_->graph.node_index(id);
        if (node < 0) continue;
        Slot& slot = *next_->slots[static_cast<std::size_t>(node)];
        slot.quarantine.trips = trips_[slot.key].trips;
        slot.quarantine.trip_count = trips_[slot.key].trip_count;
    }
}

void Engine::arm(Change change, const ChangeOrder& order, bool is_return, Warmth warmth) {
    order_ = order;
    is_return_ = is_return;
    swapped_ = change.swapped;
    returned_ = order.returning;
    for (const std::string& note : change.notes) say(Kind::note, room_.now(), note);
    in_flight_ = std::move(change.transition);
    in_flight_->stamp = order.stamp;
    in_flight_->offline = order.offline;
    if (warmth == Warmth::cold || (in_flight_->warming && in_flight_->warming->plan.histories.empty()))
        in_flight_->warming.reset();
    if (in_flight_->warming) {
        const WarmFailure failure = warm(*in_flight_->warming, change.warm_samples, order);
        if (failure != WarmFailure::none) return on_failed(failure);
    }
    if (!room_.post(in_flight_.get())) on_failed(WarmFailure::none);
}

// ------------------------------------------------------------------------------------------------ warming

std::uint64_t Engine::history_end(const Warming& warming) const {
    std::uint64_t end = ~std::uint64_t{0};
    for (const auto& history : warming.plan.histories) end = std::min(end, history->end());
    return end;
}

/// Runs the newcomers over the past until they are within two blocks of the stream; the audio thread does the
/// rest.
WarmFailure Engine::warm(Warming& warming, std::int64_t samples, const ChangeOrder& order) {
    const FlushDenormals flush;
    std::uint64_t end = history_end(warming);
    collect();  // every knob that moved before `end` has been reported before `end` was published
    const auto wanted = static_cast<std::uint64_t>(samples);
    std::uint64_t from = end > wanted ? end - wanted : 0;
    if (!replaying_ && order.returning.empty()) tell_of_past(warming, from, end);
    for (const auto& history : warming.plan.histories) from = std::max(from, history->begin());
    for (const std::string& id : order.returning)  // not on what made it trip
        if (const auto trip = tripped_.find(keys_.key(id)); trip != tripped_.end())
            from = std::max(from, std::min(end, trip->second.since + 1));
    if (replaying_) from = order.warm_from;
    knobs_.set_up(warming, from);
    const auto close = static_cast<std::uint64_t>(2 * config_.room.max_frames);
    for (int round = 0; round < 64; ++round) {
        const WarmFailure failure = warm_to(warming, end);
        if (failure != WarmFailure::none) return failure;
        end = history_end(warming);
        if (end - warming.time <= close) break;
        collect();
    }
    return WarmFailure::none;
}

/// What makes a newcomer's past another one than that of the node it replaces: a ring that began lately, with
/// the node itself, and knobs whose moves were too many at once to be remembered.
void Engine::tell_of_past(const Warming& warming, std::uint64_t from, std::uint64_t end) {
    const std::string who = swapped_.empty() ? graph_.file : fmt::format("{}", fmt::join(swapped_, ", "));
    std::uint64_t begin = from;
    for (const auto& history : warming.plan.histories)
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
    if (const std::uint64_t lost = knobs_.lost_after(from))
        say(Kind::note, end,
            fmt::format("{}: {} knob move(s) were too many at once to be remembered; what it is warmed on is "
                        "played with knobs as they were before",
                        who, lost));
}

WarmFailure Engine::warm_to(Warming& warming, std::uint64_t end) {
    const float ceiling = std::pow(10.f, next_->graph.ceiling_dbfs / 20.f);
    while (warming.time < end) {
        const std::uint64_t piece =
            std::min(end, warming.time + static_cast<std::uint64_t>(config_.room.max_frames));
        const WarmFailure failure = run_warming(warming, knobs_.move_due(warming, piece), ceiling);
        if (failure != WarmFailure::none) return failure;
    }
    knobs_.move_due(warming, end);
    return WarmFailure::none;
}

// ------------------------------------------------------------------------------------------------ every few
// milliseconds

void Engine::tick() {
    collect();
    free_retired();
    const auto past = static_cast<std::uint64_t>((longest_memory_s + 6.) * config_.room.sample_rate_hz);
    if (room_.now() > past) knobs_.forget_before(room_.now() - past);
    if (!replaying_) bring_back_the_tripped();
    start_waiting();
}

void Engine::start_waiting() {
    if (in_flight_ || !waiting_ || !now_) return;
    Graph graph = std::move(*waiting_);
    waiting_.reset();
    if (same_content(graph, graph_) && attempts_ == 0)
        return say(Kind::unchanged, room_.now(), "the files say what plays already");
    ChangeOrder order;
    for (const auto& [key, trip] : tripped_)
        if (trip.latched) order.returning.push_back(keys_.id(key));
    const Problems problems = begin(std::move(graph), order, false, Warmth::as_needed);
    if (!has_errors(problems)) return;
    ++counts_.failures;
    for (const Problem& problem : problems) say(Kind::failed, room_.now(), problem.text());
}

void Engine::bring_back_the_tripped() {
    if (in_flight_ || waiting_ || !now_ || tripped_.empty()) return;
    const auto wait = static_cast<std::uint64_t>(
        std::lround(static_cast<double>(return_after_ms) * config_.room.sample_rate_hz / 1000.));
    ChangeOrder order;
    order.stamp = ~std::uint64_t{0};
    bool cold = false;
    for (const auto& [key, trip] : tripped_) {
        if (trip.latched) continue;
        order.returning.push_back(keys_.id(key));
        order.stamp = std::min(order.stamp, trip.since + wait);
        cold = cold || trip.cold;
    }
    if (order.returning.empty()) return;
    if (order.stamp < room_.now()) order.stamp = Event::at_once;
    const Problems problems = begin(graph_, order, true, cold ? Warmth::cold : Warmth::as_needed);
    for (const Problem& problem : problems) say(Kind::failed, room_.now(), problem.text());
    if (has_errors(problems))  // it stays in quarantine; an edit of the patch brings it back
        for (auto& [key, trip] : tripped_) trip.latched = true;
}

// ------------------------------------------------------------------------------------------------ reports

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
            return slot->specs[static_cast<std::size_t>(param)].name;
    return {};
}

/// True: it is the third within ten seconds.
bool Engine::note_trip(NodeKey key, std::uint64_t stamp) {
    Quarantine& record = trips_[key];
    if (record.trip_count == Quarantine::trips_to_latch) {
        std::rotate(record.trips.begin(), record.trips.begin() + 1, record.trips.end());
        --record.trip_count;
    }
    record.trips[static_cast<std::size_t>(record.trip_count++)] = stamp;
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

Event Engine::event_for(const GraphTarget& target, float value) const {
    if (target.kind == TargetKind::panic) return {.kind = EventKind::panic};
    const Slot& slot = *playing()->slots[static_cast<std::size_t>(target.node)];
    const int param = target.kind == TargetKind::bypass ? slot.param_count + Slot::bypass
                      : target.kind == TargetKind::mute ? slot.param_count + Slot::mute
                                                        : target.param;
    return {.kind = EventKind::knob,
            .key = slot.key,
            .knob = slot.knob_numbers[static_cast<std::size_t>(param)],
            .value = value};
}

bool Engine::set(const GraphTarget& target, float value, float smooth_ms, std::uint64_t stamp) {
    if (!playing() || std::isnan(value)) return false;
    Event event = event_for(target, value);
    event.smooth_ms = smooth_ms;
    event.stamp = stamp;
    return room_.post(event);
}

}  // namespace gainstage
