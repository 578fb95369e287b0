#include "runtime/realtime/scene_table.hpp"

#include <algorithm>
#include <tuple>

#include "runtime/model/hash.hpp"
#include "runtime/realtime/samples.hpp"

namespace gainstage {

namespace {

bool is_extra(const GraphNode& node, int param) noexcept {
    return static_cast<std::size_t>(param) >= node.params.size();
}

/// The value that [nodes] gives it, bypass and mute among them.
float base_of(const GraphNode& node, int param) noexcept {
    if (!is_extra(node, param)) return node.values[param];
    const bool is_bypass = static_cast<std::size_t>(param) == node.params.size();
    return (is_bypass ? node.bypass : node.mute) ? 1.f : 0.f;
}

}  // namespace

std::uint64_t number_of_scene(std::string_view name) {
    Hash hash;
    hash.add(name);
    return hash.value();
}

SceneTable::SceneTable(const Graph& graph, std::span<const std::shared_ptr<Slot>> slots, double rate_hz,
                       std::uint32_t number)
    : number_(number), start_(graph.start_scene), morphs_(graph.morphs) {
    add_knobs(graph, slots, rate_hz);
    add_scenes(graph, rate_hz);
}

void SceneTable::add_knobs(const Graph& graph, std::span<const std::shared_ptr<Slot>> slots, double rate_hz) {
    std::vector<std::pair<int, int>> named;
    for (const GraphScene& scene : graph.scenes)
        for (const SceneValue& value : scene.values) named.emplace_back(value.node, value.param);
    std::sort(named.begin(), named.end());
    named.erase(std::unique(named.begin(), named.end()), named.end());
    knobs_.reserve(named.size());
    for (const auto& [index, param] : named) {
        const GraphNode& node = graph.nodes[static_cast<std::size_t>(index)];
        const Slot& slot = *slots[index];
        const ParamSpec& spec = slot.specs[param];
        const bool is_switch = is_extra(node, param) || spec.steps > 1;
        const float smooth_ms = is_extra(node, param) ? slot.smooth_ms(param) : node.smooth_ms[param];
        knobs_.push_back({.key = slot.key,
                          .number = slot.knob_numbers[param],
                          .node = index,
                          .param = param,
                          .base = base_of(node, param),
                          .smooth = spec.steps > 1 ? 0 : samples_of(smooth_ms, rate_hz),
                          .has_steps = spec.steps > 1,
                          .is_switch = is_switch,
                          .by_ratio = !is_switch && goes_by_ratio(spec)});
    }
    std::sort(knobs_.begin(), knobs_.end(), [](const Knob& a, const Knob& b) {
        return std::tie(a.key, a.param) < std::tie(b.key, b.param);
    });
}

void SceneTable::add_scenes(const Graph& graph, double rate_hz) {
    std::vector<std::size_t> by_place(knobs_.size());  // knobs by node and param, as scenes list them
    for (std::size_t k = 0; k < by_place.size(); ++k) by_place[k] = k;
    const auto place = [this](std::size_t k) { return std::pair(knobs_[k].node, knobs_[k].param); };
    std::sort(by_place.begin(), by_place.end(),
              [&](std::size_t a, std::size_t b) { return place(a) < place(b); });
    scenes_.reserve(graph.scenes.size());
    for (const GraphScene& scene : graph.scenes) {
        const std::size_t first = values_.size();
        for (const SceneValue& set : scene.values) {
            const auto at = std::lower_bound(
                by_place.begin(), by_place.end(), std::pair(set.node, set.param),
                [&](std::size_t k, const std::pair<int, int>& wanted) { return place(k) < wanted; });
            values_.push_back({.knob = static_cast<std::int32_t>(*at), .value = set.value});
        }
        std::sort(values_.begin() + static_cast<std::ptrdiff_t>(first), values_.end(),
                  [](const Value& a, const Value& b) { return a.knob < b.knob; });
        scenes_.push_back(
            {.name = number_of_scene(scene.name),
             .first = static_cast<std::uint32_t>(first),
             .count = static_cast<std::uint32_t>(scene.values.size()),
             .length = scene.morph_ms < 0.f ? SceneCue::own_length : samples_of(scene.morph_ms, rate_hz)});
        by_name_.emplace_back(scenes_.back().name, static_cast<std::int32_t>(scenes_.size() - 1));
    }
    std::sort(by_name_.begin(), by_name_.end());
}

int SceneTable::scene_of(std::uint64_t name) const noexcept GAINSTAGE_REALTIME {
    const auto at = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                     [](const std::pair<std::uint64_t, std::int32_t>& a,
                                        std::uint64_t wanted) { return a.first < wanted; });
    return at != by_name_.end() && at->first == name ? at->second : -1;
}

SceneCue SceneTable::cue(int scene, std::uint64_t now,
                         std::uint32_t length) const noexcept GAINSTAGE_REALTIME {
    return {.at = now,
            .table = number_,
            .state = {.scene = scene},
            .length = length == SceneCue::own_length ? scenes_[scene].length : length};
}

std::pair<int, int> SceneTable::knobs_of(NodeKey key) const noexcept GAINSTAGE_REALTIME {
    const auto first = std::lower_bound(knobs_.begin(), knobs_.end(), key,
                                        [](const Knob& knob, NodeKey wanted) { return knob.key < wanted; });
    auto last = first;
    while (last != knobs_.end() && last->key == key) ++last;
    return {static_cast<int>(first - knobs_.begin()), static_cast<int>(last - first)};
}

int SceneTable::knob_of(NodeKey key, std::uint32_t number) const noexcept GAINSTAGE_REALTIME {
    const auto [first, count] = knobs_of(key);
    for (int k = first; k < first + count; ++k)
        if (knobs_[k].number == number) return k;
    return -1;
}

float SceneTable::value_in(int knob, int scene) const noexcept GAINSTAGE_REALTIME {
    if (scene < 0) return knobs_[knob].base;
    const Value* const first = values_.data() + scenes_[scene].first;
    const Value* const last = first + scenes_[scene].count;
    const Value* const at =
        std::lower_bound(first, last, knob, [](const Value& v, int wanted) { return v.knob < wanted; });
    return at != last && at->knob == knob ? at->value : knobs_[knob].base;
}

float SceneTable::value(int knob, const SceneState& state) const noexcept GAINSTAGE_REALTIME {
    if (state.morph < 0) return value_in(knob, state.scene);
    const GraphMorph& ends = morphs_[state.morph];
    const float from = value_in(knob, ends.from), to = value_in(knob, ends.to);
    if (knobs_[knob].is_switch) return state.is_upper ? to : from;
    if (!(state.position > 0.f)) return from;
    if (state.position >= 1.f) return to;
    if (knobs_[knob].by_ratio) return by_ratio_between(from, to, state.position);
    return std::clamp(from + (to - from) * state.position, std::min(from, to), std::max(from, to));
}

int SceneTable::scene_like(const SceneTable& other, int scene) const noexcept GAINSTAGE_REALTIME {
    return scene < 0 ? -1 : scene_of(other.scenes_[scene].name);
}

int SceneTable::morph_like(const SceneTable& other, int morph) const noexcept GAINSTAGE_REALTIME {
    const GraphMorph& ends = other.morphs_[morph];
    const int from = scene_like(other, ends.from), to = scene_like(other, ends.to);
    for (std::size_t m = 0; m < morphs_.size(); ++m)
        if (from >= 0 && to >= 0 && morphs_[m].from == from && morphs_[m].to == to)
            return static_cast<int>(m);
    return -1;
}

SceneState SceneTable::adopt(const SceneTable& other, SceneState& theirs) const noexcept GAINSTAGE_REALTIME {
    SceneState mine = theirs;
    mine.scene = scene_like(other, theirs.scene);
    const bool is_gone =
        theirs.morph >= 0 ? (mine.morph = morph_like(other, theirs.morph)) < 0 : mine.scene < 0;
    if (!is_gone) return mine;
    theirs = {};
    return {};
}

NodeKey key_of(const SceneCue& cue) noexcept GAINSTAGE_REALTIME {
    if (cue.state.morph < 0) return cue.by_midi ? midi_scene_key : scene_key;
    return cue.state.is_upper ? upper_morph_key : lower_morph_key;
}

std::int32_t param_of(const SceneCue& cue) noexcept GAINSTAGE_REALTIME {
    return cue.state.morph < 0 ? cue.state.scene : cue.state.morph;
}

/// Tables have small numbers, which a float holds exactly.
Ramp ramp_of(const SceneCue& cue) noexcept GAINSTAGE_REALTIME {
    return {.start = cue.at,
            .length = cue.length,
            .from = static_cast<float>(cue.table),
            .to = cue.state.position};
}

SceneCue cue_of(NodeKey key, std::int32_t param, const Ramp& ramp) noexcept GAINSTAGE_REALTIME {
    SceneCue cue{.at = ramp.start,
                 .table = static_cast<std::uint32_t>(ramp.from),
                 .state = {.scene = param},
                 .length = ramp.length,
                 .by_midi = key == midi_scene_key};
    if (key == lower_morph_key || key == upper_morph_key)
        cue.state = {.scene = -1, .morph = param, .position = ramp.to, .is_upper = key == upper_morph_key};
    return cue;
}

bool move_by_cue(Ramp& ramp, float to, bool has_steps, const SceneTable::Knob& knob,
                 const SceneCue& cue) noexcept GAINSTAGE_REALTIME {
    if (!ramp.moving(cue.at) && ramp.to == to) return false;
    const bool takes_own_time = knob.is_switch || has_steps || cue.length == SceneCue::own_length;
    ramp = {.start = cue.at,
            .length = has_steps        ? 0
                      : takes_own_time ? knob.smooth
                                       : cue.length,
            .from = ramp.at(cue.at),
            .to = to,
            .by_ratio = knob.by_ratio && !takes_own_time && cue.state.morph < 0};
    return true;
}

SceneState after(const SceneState& state, const SceneCue& cue) noexcept GAINSTAGE_REALTIME {
    SceneState next = cue.state;
    if (next.morph >= 0) next.scene = state.scene;
    return next;
}

}  // namespace gainstage
