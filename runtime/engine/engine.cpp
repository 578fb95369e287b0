#include "runtime/engine/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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
    Change change = plan_change(now_.get(), *arrangement, keys_, config);
    if (has_errors(change.problems)) return change.problems;
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
        Slot& slot = *next_->slots[node];
        slot.quarantine.trips = trips_[slot.key].trips;
        slot.quarantine.trip_count = trips_[slot.key].trip_count;
    }
}

void Engine::arm(Change change, const ChangeOrder& order, bool is_return, Warmth warmth) {
    order_ = order;
    is_return_ = is_return;
    swapped_ = change.swapped;
    returned_ = order.returning;
    for (const Problem& note : change.problems) say(Kind::note, room_.now(), note.text());
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

// ------------------------------------------------------------------------------------------------ knobs

Event Engine::event_for(const GraphTarget& target, float value) const {
    if (target.kind == TargetKind::panic) return {.kind = EventKind::panic};
    const Slot& slot = *playing()->slots[target.node];
    const int param = target.kind == TargetKind::bypass ? slot.param_count + Slot::bypass
                      : target.kind == TargetKind::mute ? slot.param_count + Slot::mute
                                                        : target.param;
    return {.kind = EventKind::knob, .key = slot.key, .knob = slot.knob_numbers[param], .value = value};
}

bool Engine::set(const GraphTarget& target, float value, float smooth_ms, std::uint64_t stamp) {
    if (!playing() || std::isnan(value)) return false;
    Event event = event_for(target, value);
    event.smooth_ms = smooth_ms;
    event.stamp = stamp;
    return room_.post(event);
}

}  // namespace gainstage
