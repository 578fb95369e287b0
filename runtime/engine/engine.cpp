#include "runtime/engine/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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

Engine::Engine(const EngineConfig& config)
    : config_(config),
      builder_(config.builder ? config.builder : &at_once_),
      room_(config.room),
      outputs_(config.room.sample_rate_hz) {}

Engine::~Engine() {
    leave_unfinished();
    builder_->give_up();                        // before what it reads is freed
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

void Engine::say(Kind kind, const Problem& problem) {
    if (!listener_) return;
    EngineNews news;
    news.kind = kind;
    news.stamp = room_.now();
    news.text = problem.text();
    news.problem = &problem;
    listener_(news);
}

// What is asked for

void Engine::play(Graph graph) {
    refusal_.clear();
    const bool supersedes = waiting_ && (waiting_->supersedes || waiting_->stood_back);
    waiting_ = ChangeRequest{.graph = std::move(graph), .order = {}, .supersedes = supersedes};
    if (is_building() && !residents_.change()->request().supersedes) residents_.change()->give_up();
}

void Engine::stand_back() noexcept {
    if (!is_building()) return;
    const ChangeRequest& request = residents_.change()->request();
    if (!request.supersedes && !request.stood_back) residents_.change()->give_up();
}

void Engine::leave_unfinished() noexcept {
    if (residents_.change() && residents_.change()->is_preparing()) residents_.change()->give_up();
}

void Engine::play_as_ordered(std::optional<Graph> graph, const ChangeOrder& order) {
    refusal_.clear();
    collect();
    if (residents_.change()) {
        refusal_ = {{.file = residents_.graph().file,
                     .place = {},
                     .key = {},
                     .message = fmt::format("a change is ordered for sample {}, but the one before is not "
                                            "complete by then",
                                            order.stamp)}};
        say(Kind::failed, refusal_.front());
        return;
    }
    const bool is_return = !graph.has_value();
    ChangeRequest request{.graph = graph ? std::move(*graph) : Graph(residents_.graph()),
                          .order = order,
                          .is_return = is_return,
                          .cold = !order.warmed};
    request.order.offline = true;
    begin(std::move(request));
}

namespace {
constexpr float longest_ms = 1e6f;
}  // namespace

bool Engine::set(MasterKnob knob, float value, float smooth_ms, std::uint64_t stamp) {
    if (std::isnan(value) || !(smooth_ms <= longest_ms)) return false;
    return room_.post({.kind = EventKind::master,
                       .param = static_cast<std::int32_t>(knob),
                       .value = value,
                       .smooth_ms = smooth_ms,
                       .stamp = stamp});
}

bool Engine::set(const GraphTarget& target, float value, float smooth_ms, std::uint64_t stamp) {
    if (!playing() || std::isnan(value) || !(smooth_ms <= longest_ms)) return false;
    Event event = event_for(target, value);
    event.smooth_ms = smooth_ms;
    event.stamp = stamp;
    return room_.post(event);
}

Event Engine::event_for(const GraphTarget& target, float value) const {
    if (target.kind == TargetKind::panic) return {.kind = EventKind::panic};
    if (target.kind == TargetKind::scene_next) return {.kind = EventKind::scene, .ask = SceneAsk::next};
    if (target.kind == TargetKind::scene_previous)
        return {.kind = EventKind::scene, .ask = SceneAsk::previous};
    if (target.kind == TargetKind::scene_named) {
        Event event{.kind = EventKind::scene};
        event.set_scene_name(number_of_scene(playing()->graph.scenes[target.param].name));
        return event;
    }
    const Slot& slot = *playing()->slots[target.node];
    return {.kind = EventKind::knob,
            .key = slot.key,
            .knob = slot.knob_numbers[slot.param_of(target)],
            .value = value};
}

std::optional<float> Engine::value_of(const GraphTarget& target) const {
    if (target.node < 0 || !playing()) return std::nullopt;
    const auto& slots = playing()->slots;
    if (static_cast<std::size_t>(target.node) >= slots.size()) return std::nullopt;
    const Slot& slot = *slots[target.node];
    return knobs_.latest(slot.key, slot.param_of(target));
}

std::string Engine::scene() const {
    const Arrangement* heard = residents_.heard();
    const SceneState& state = knobs_.scene();
    if (!heard) return {};
    if (state.morph < 0) return scene_name(state.scene);
    const GraphMorph& ends = heard->graph.morphs[state.morph];
    return fmt::format("{} > {} {:.0f} %", scene_name(ends.from), scene_name(ends.to),
                       state.position * 100.f);
}

// A turn

void Engine::tick() {
    builder_->take_up();
    collect();
    look_at_outputs();
    forget_the_past();
    start_what_is_due();
}

void Engine::forget_the_past() {
    if (residents_.has_retired() && !is_worker_away()) residents_.free_retired();
    const std::uint64_t past = samples_of_past();
    if (room_.now() > past) knobs_.forget_before(room_.now() - past);
    forget_names();
}

/// As far back as anything is asked for that was.
std::uint64_t Engine::samples_of_past() const {
    return static_cast<std::uint64_t>((longest_memory_s + 6.) * config_.room.sample_rate_hz);
}

/// Ids of nodes that are gone. Their numbers are free for others as soon as no knob's past names them. A
/// change on its way has a copy of the table, so it waits for that.
void Engine::forget_names() {
    if (residents_.change() || room_.now() < next_forgetting_) return;
    next_forgetting_ = room_.now() + static_cast<std::uint64_t>(config_.room.sample_rate_hz);
    const std::vector<bool> in_use = keys_in_use();
    unused_since_.resize(keys_.size(), Slot::never);
    std::vector<NodeKey> gone;
    for (NodeKey key = 0; key < keys_.size(); ++key) {
        std::uint64_t& since = unused_since_[key];
        since = in_use[key] || !keys_.is_used(key) ? Slot::never : std::min(since, room_.now());
        if (since == Slot::never || room_.now() - since <= samples_of_past()) continue;
        gone.push_back(key);
        knobs_.forget_node(key);
    }
    keys_.forget(gone);
}

std::vector<bool> Engine::keys_in_use() const {
    std::vector<bool> in_use(keys_.size(), false);
    if (residents_.playing())
        for (const auto& slot : residents_.playing()->slots) in_use[slot->key] = true;
    for (NodeKey key = 0; key < keys_.size(); ++key) in_use[key] = in_use[key] || ward_.knows(key);
    return in_use;
}

/// One change at a time. A patch that waits brings the tripped back too.
void Engine::start_what_is_due() {
    if (ChangeInFlight* change = residents_.change()) {
        if (change->is_ready() && change->is_preparing()) arm();
    } else if (waiting_) {
        start_waiting();
    } else if (!replaying_) {
        bring_back_the_tripped();
    }
}

void Engine::start_waiting() {
    ChangeRequest request = std::move(*waiting_);
    waiting_.reset();
    if (residents_.playing() && request.attempts == 0 && same_content(request.graph, residents_.graph()))
        return say(Kind::unchanged, room_.now(), "saved, nothing changed");
    for (const auto& [key, patient] : ward_.patients())
        if (patient.latched) request.order.returning.push_back(keys_.id(key));
    begin(std::move(request));
}

void Engine::bring_back_the_tripped() {
    if (!residents_.playing() || ward_.patients().empty() || room_.now() < no_return_before_) return;
    const auto wait = static_cast<std::uint64_t>(
        std::lround(static_cast<double>(return_after_ms) * config_.room.sample_rate_hz / 1000.));
    ChangeRequest request{.graph = residents_.graph(), .order = {}, .is_return = true};
    request.order.stamp = ~std::uint64_t{0};
    for (const auto& [key, patient] : ward_.patients()) {
        if (patient.latched) continue;
        request.order.returning.push_back(keys_.id(key));
        request.order.stamp = std::min(request.order.stamp, patient.since + wait);
        request.cold = request.cold || patient.cold;
    }
    if (request.order.returning.empty()) return;
    if (request.order.stamp < room_.now()) request.order.stamp = Event::at_once;
    begin(std::move(request));
}

}  // namespace gainstage
