#include "runtime/plan/change.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <set>

#include "runtime/plan/histories.hpp"
#include "runtime/plan/merge.hpp"
#include "runtime/plan/warm_wiring.hpp"

namespace gainstage {

FadeCurve raised_cosine(int samples) {
    FadeCurve curve(static_cast<std::size_t>(samples));
    for (int k = 0; k < samples; ++k)
        curve[k] = static_cast<float>(0.5 - 0.5 * std::cos(std::numbers::pi * (k + 0.5) / samples));
    return curve;
}

std::vector<int> params_by_name(const Slot& to, const Slot& from) {
    std::vector<int> indices;
    indices.reserve(to.specs.size());
    for (std::size_t p = 0; p < to.specs.size(); ++p) {
        const auto has_name = [&](const ParamSpec& other) { return other.name == to.specs[p].name; };
        if (p < from.specs.size() && has_name(from.specs[p])) {  // as a rule it stands at the same index
            indices.push_back(static_cast<int>(p));
            continue;
        }
        const auto same = std::find_if(from.specs.begin(), from.specs.end(), has_name);
        indices.push_back(same == from.specs.end() ? -1 : static_cast<int>(same - from.specs.begin()));
    }
    return indices;
}

namespace {

class Planner {
public:
    Planner(const Arrangement* old, Arrangement& now, const KeyTable& keys, const ChangeConfig& config)
        : old_(old),
          now_(now),
          keys_(keys),
          config_(config),
          transition_(std::make_unique<Transition>()),
          is_copied_(now.slots.size(), false) {}

    Change run() {
        now_.scenes = std::make_shared<const SceneTable>(now_.graph, now_.slots,
                                                         config_.arrange.sample_rate_hz, config_.scene_table);
        transition_->curve = raised_cosine(fade_samples());
        if (old_) plan_fade();
        transition_->after = compile(steady_wiring(), now_.order, options(nullptr));
        if (old_) {
            copy_equal_states();
            plan_warming();
            collect_moves();
            tell_latency();
        }
        for (Plan* plan : {transition_->during.get(), transition_->after.get()})
            if (plan) plan->device_past = now_.device_past;
        make_score();
        collect_scene_moves();
        count_buffers();
        if (!has_errors(change_.problems)) change_.transition = std::move(transition_);
        return std::move(change_);
    }

private:
    int fade_samples() const {
        return std::max(1, static_cast<int>(std::lround(static_cast<double>(now_.graph.fade_ms) *
                                                        config_.arrange.sample_rate_hz / 1000.)));
    }
    CompileOptions options(const FadeCurve* fade) const {
        return {.max_frames = config_.arrange.max_frames,
                .watch = config_.watch,
                .ceiling = ceiling(),
                .fade = fade,
                .threads = config_.threads,
                .least_branch_ns = config_.least_branch_ns};
    }
    /// One thread catches up with the past.
    CompileOptions warm_options() const {
        return {.max_frames = config_.arrange.max_frames, .watch = config_.watch, .ceiling = ceiling()};
    }
    float ceiling() const { return std::pow(10.f, now_.graph.ceiling_dbfs / 20.f); }

    int node_count() const { return static_cast<int>(now_.slots.size()); }
    /// The node of the old arrangement under the same id; -1: none.
    int old_node(int n) const { return old_ ? old_->node_of(now_.slots[n]->key) : -1; }
    /// Its slot; null: none.
    const Slot* old_slot(int n) const {
        const int before = old_node(n);
        return before < 0 ? nullptr : old_->slots[before].get();
    }

    Wiring steady_wiring() const {
        Wiring wiring;
        wiring.slots = now_.slots;
        wiring.feeds = now_.feeds;
        return wiring;
    }

    // memory

    static std::size_t bytes_of(const Plan* plan) {
        if (!plan) return 0;
        return plan->memory.size() * sizeof(float) + plan->steps.size() * sizeof(Step) +
               plan->ports.size() * sizeof(PortBuffer);
    }

    /// Those of a fade and of a warming are not counted: as large again, and gone after a while. Else a patch
    /// that may play could not be edited, nor could its nodes return from quarantine.
    void count_buffers() {
        now_.memory.add("sound between nodes", bytes_of(transition_->after.get()));
        const std::size_t most = config_.arrange.most_bytes;
        if (most > 0 && now_.memory.total() > most) change_.problems.push_back(too_large(now_, most));
    }

    // the fade

    void plan_fade() {
        for (;;) {
            merged_ = merge(*old_, now_);
            merged_order_.reset();
            if (merged_.wiring.before.parts() == 0) return;
            order_merged();
            if (merged_order_->bad_cycle.empty()) break;
            for (const int part : merged_order_->bad_cycle)
                if (part < node_count() && old_slot(part) == now_.slots[part].get()) give_own_instance(part);
        }
        transition_->during = compile(merged_.wiring, *merged_order_, options(&transition_->curve));
    }

    void order_merged() {
        merged_order_ = order_nodes(sources_of(merged_.wiring), breakers_of(merged_.wiring));
    }

    /// Nodes that live on but change places would each wait for the other while both orders sound. The new
    /// order gets instances of its own; all of them, or the one that stays would hear a mixture that belongs
    /// to neither.
    void give_own_instance(int n) {
        const std::shared_ptr<Slot> before = now_.slots[n];
        auto slot = build_slot(before->key, before->shared_description, before->loop_latency_samples,
                               now_.graph.file, config_.arrange);
        for (std::size_t p = 0; p < before->input_histories.size(); ++p)
            if (const auto& history = before->input_histories[p]) slot->input_histories[p] = history->twin();
        now_.slots[n] = std::move(slot);
        note(now_.graph.nodes[n].place, "nodes." + now_.graph.nodes[n].id,
             "plays as a second instance from now on, continuing the state of the first, because the edit "
             "reverses its place in the chain");
    }

    void note(Place place, std::string key, std::string message) {
        change_.problems.push_back({.file = now_.graph.file,
                                    .place = place,
                                    .key = std::move(key),
                                    .message = std::move(message),
                                    .is_note = true});
    }

    // states and warming

    static bool sounds_equal(const Slot& a, const Slot& b) {
        const GraphNode &x = a.description, &y = b.description;
        const bool models =
            x.model && y.model ? x.model->meaning_hash == y.model->meaning_hash : x.model == y.model;
        return x.type == y.type && models && x.options == y.options && x.channels == y.channels &&
               x.input_channels == y.input_channels && x.output_channels == y.output_channels &&
               a.loop_latency_samples == b.loop_latency_samples;
    }

    void copy_equal_states() {
        for (int n = 0; n < node_count(); ++n) {
            Slot* slot = now_.slots[n].get();
            const Slot* before = old_slot(n);
            if (!before || before == slot) continue;
            if (now_.graph.nodes[n].id.front() != '~') change_.swapped.push_back(now_.graph.nodes[n].id);
            if (!sounds_equal(*before, *slot) || config_.arrange.rebuild.contains(slot->key)) continue;
            transition_->copies.push_back({before, slot});
            is_copied_[n] = true;
        }
    }

    std::vector<int> newcomers_with_memory() const {
        std::vector<int> newcomers;
        for (int n = 0; n < node_count(); ++n) {
            const Slot& slot = *now_.slots[n];
            if (old_slot(n) != &slot && !is_copied_[n] &&
                warm_samples(slot, config_.arrange.sample_rate_hz) > 0)
                newcomers.push_back(n);
        }
        return newcomers;
    }

    void plan_warming() {
        const std::vector<int> newcomers = newcomers_with_memory();
        if (newcomers.empty()) return;
        WarmWiring warm = wire_warming(*old_, now_, newcomers, config_.arrange);
        auto warming = std::make_unique<Warming>();
        warming->plan = std::move(*compile(warm.wiring, order_of(warm), warm_options()));
        warming->slots = std::move(warm.slots);
        for (const auto& past : warm.device_past)
            if (past) warming->plan.histories.push_back(past);
        warming->device = RecalledDevice(std::move(warm.device_past), config_.arrange.max_frames);
        for (const int n : newcomers) warming->newcomers.push_back(now_.slots[n].get());
        transition_->warming = std::move(warming);
        change_.warm_samples = warm.samples;
    }

    /// Every cable of the warming is also one of old and new side by side, so that order serves here too.
    Order order_of(const WarmWiring& warm) {
        if (!merged_order_) order_merged();
        std::vector<int> part_of_merged(merged_.wiring.slots.size(), -1);
        for (std::size_t part = 0; part < warm.slots.size(); ++part) {
            const int now = warm.node_of_now[part];
            part_of_merged[now >= 0 ? now : merged_.part_of_old[warm.node_of_old[part]]] =
                static_cast<int>(part);
        }
        return part_of_order(*merged_order_, part_of_merged);
    }

    // knobs, targets, words

    /// Knobs whose written value the edit changed. What only a controller moved stays where the player put
    /// it.
    void collect_moves() {
        for (int n = 0; n < node_count(); ++n) {
            const int before = old_node(n);
            if (before < 0) continue;
            const GraphNode& node = now_.graph.nodes[n];
            const GraphNode& was = old_->graph.nodes[before];
            for (std::size_t p = 0; p < node.params.size(); ++p) {
                const int theirs = was.param_index(node.params[p].name);
                if (theirs >= 0 && was.values[theirs] != node.values[p] && !is_of_scenes(n, p))
                    transition_->moves.push_back(
                        {now_.slots[n].get(), static_cast<std::int32_t>(p), node.values[p]});
            }
            move_switch(n, Slot::bypass, was.bypass, node.bypass);
            move_switch(n, Slot::mute, was.mute, node.mute);
        }
    }

    void move_switch(int n, Slot::Extra extra, bool was_on, bool is_on) {
        Slot* slot = now_.slots[n].get();
        const int param = slot->param_of(extra);
        if (was_on != is_on && !is_of_scenes(n, static_cast<std::size_t>(param)))
            transition_->moves.push_back({slot, param, is_on ? 1.f : 0.f});
    }

    // scenes

    static const SceneTable& no_scenes() {
        static const SceneTable none;
        return none;
    }
    const SceneTable& old_scenes() const { return old_ && old_->scenes ? *old_->scenes : no_scenes(); }

    /// Where such a knob stands depends on the scene that plays when the edit begins.
    bool is_of_scenes(int n, std::size_t param) const {
        const Slot& slot = *now_.slots[n];
        const std::uint32_t number = slot.knob_numbers[param];
        return now_.scenes->knob_of(slot.key, number) >= 0 || old_scenes().knob_of(slot.key, number) >= 0;
    }

    /// Knobs that a scene names, before the edit or behind it.
    void collect_scene_moves() {
        const auto knobs = now_.scenes->knobs();
        for (int k = 0; k < now_.scenes->knob_count(); ++k) collect_scene_move(k, knobs[k]);
        for (int k = 0; k < old_scenes().knob_count(); ++k) collect_former(k, old_scenes().knobs()[k]);
        transition_->moves.reserve(transition_->moves.size() + transition_->scene_moves.size());
    }

    void collect_scene_move(int k, const SceneTable::Knob& knob) {
        Slot* slot = now_.slots[knob.node].get();
        const Slot* before = old_slot(knob.node);
        const int theirs = before ? param_with_number(*before, knob.number) : -1;
        if (theirs < 0) return transition_->fresh_knobs.push_back(k);
        transition_->scene_moves.push_back({.slot = slot,
                                            .param = knob.param,
                                            .old_knob = old_scenes().knob_of(knob.key, knob.number),
                                            .new_knob = k,
                                            .old_value = written(*old_, old_node(knob.node), theirs),
                                            .new_value = knob.base});
    }

    /// A knob that the scenes have given back to the hands.
    void collect_former(int k, const SceneTable::Knob& knob) {
        const int n = now_.node_of(knob.key);
        if (n < 0 || now_.scenes->knob_of(knob.key, knob.number) >= 0) return;
        const int param = param_with_number(*now_.slots[n], knob.number);
        if (param < 0) return;
        transition_->scene_moves.push_back({.slot = now_.slots[n].get(),
                                            .param = param,
                                            .old_knob = k,
                                            .new_knob = -1,
                                            .old_value = knob.base,
                                            .new_value = written(now_, n, param)});
    }

    static int param_with_number(const Slot& slot, std::uint32_t number) {
        const auto at = std::find(slot.knob_numbers.begin(), slot.knob_numbers.end(), number);
        return at == slot.knob_numbers.end() ? -1 : static_cast<int>(at - slot.knob_numbers.begin());
    }

    /// The value in [nodes].
    static float written(const Arrangement& patch, int n, int param) {
        const GraphNode& node = patch.graph.nodes[static_cast<std::size_t>(n)];
        const std::size_t own = node.values.size(), index = static_cast<std::size_t>(param);
        if (index < own) return node.values[index];
        return (index == own ? node.bypass : node.mute) ? 1.f : 0.f;
    }

    void tell_latency() {
        if (old_->latency_samples != now_.latency_samples)
            note({}, {},
                 fmt::format("the latency of the whole patch changes from {} to {} samples",
                             old_->latency_samples, now_.latency_samples));
    }

    void make_score() {
        auto score = std::make_unique<Score>();
        score->target_of_key = now_.node_of_key;
        score->target_of_key.resize(keys_.size(), -1);
        score->targets.reserve(now_.slots.size());
        for (int n = 0; n < node_count(); ++n) score->targets.push_back(target(n));
        score->midi = std::make_unique<MidiMap>(now_.graph.midi);
        score->scenes = now_.scenes;
        score->straight = straight_route();
        transition_->score = std::move(score);
    }

    /// The first output of the patch gets its first input, and so on; with more outputs than inputs it begins
    /// again at the first. Channels that the patch doesn't use stay silent.
    StraightRoute straight_route() const {
        StraightRoute route;
        route.delay = now_.latency_samples;
        const std::set<int> inputs = door_channels(now_.graph, Door::in);
        if (inputs.empty()) return route;
        auto input = inputs.begin();
        for (const int output : door_channels(now_.graph, Door::out)) {
            if (output <= StraightRoute::most_channels)
                route.input_of[output - 1] = static_cast<std::int8_t>(*input - 1);
            if (++input == inputs.end()) input = inputs.begin();
        }
        return route;
    }

    TargetSlot target(int n) const {
        Slot* slot = now_.slots[n].get();
        TargetSlot target{.slot = slot, .leaving = nullptr, .leaving_param = {}};
        const int before = old_node(n);
        if (before < 0 || old_->slots[before].get() == slot) return target;
        target.leaving = old_->slots[before].get();
        target.leaving_param = params_by_name(*slot, *target.leaving);
        return target;
    }

    const Arrangement* old_;
    Arrangement& now_;
    const KeyTable& keys_;
    const ChangeConfig& config_;
    std::unique_ptr<Transition> transition_;
    Change change_;
    Merged merged_;
    std::optional<Order> merged_order_;
    std::vector<bool> is_copied_;  // per node: it continues the state of the one that it replaces
};

}  // namespace

Change plan_change(const Arrangement* old, Arrangement& now, const KeyTable& keys,
                   const ChangeConfig& config) {
    try {
        return Planner(old, now, keys, config).run();
    } catch (const NodeRefused& refused) {
        Change change;
        change.problems.push_back(refused.problem);
        return change;
    }
}

}  // namespace gainstage
