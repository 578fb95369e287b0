#include "runtime/plan/change.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "runtime/plan/warm_wiring.hpp"

namespace gainstage {

FadeCurve raised_cosine(int samples) {
    FadeCurve curve(static_cast<std::size_t>(samples));
    for (int k = 0; k < samples; ++k)
        curve[k] = static_cast<float>(0.5 - 0.5 * std::cos(std::numbers::pi * (k + 0.5) / samples));
    return curve;
}

namespace {

/// Old and new side by side. Parts are those of `now`, then the leaving ones of `old`.
class Merge {
public:
    Merge(const Arrangement& old, const Arrangement& now) : old_(old), now_(now) {
        std::unordered_map<const Slot*, int> part_of;
        for (std::size_t n = 0; n < now.slots.size(); ++n) part_of[now.slots[n].get()] = static_cast<int>(n);
        for (std::size_t n = 0; n < old.slots.size(); ++n) {
            const auto found = part_of.find(old.slots[n].get());
            if (found != part_of.end()) {
                part_of_old_.push_back(found->second);
                old_of_part_[found->second] = static_cast<int>(n);
            } else {
                part_of_old_.push_back(static_cast<int>(now.slots.size() + leaving_.size()));
                leaving_.push_back(static_cast<int>(n));
            }
        }
    }

    Wiring wiring() const {
        Wiring merged = wire(now_);
        for (std::size_t n = 0; n < now_.slots.size(); ++n) fade_part(merged.parts[n], static_cast<int>(n));
        for (const int n : leaving_) merged.parts.push_back(leaving_part(n));
        return merged;
    }
    bool anything_fades(const Wiring& merged) const {
        return std::any_of(merged.parts.begin(), merged.parts.end(), [](const WiredPart& part) {
            return std::any_of(part.inputs.begin(), part.inputs.end(),
                               [](const WiredInput& in) { return in.fades; });
        });
    }
    bool is_survivor(int part) const { return old_of_part_.contains(part); }

private:
    Feed translated(const Feed& feed) const {
        Feed result;
        for (const Source& source : feed) result.push_back({part_of_old_[source.part], source.port});
        return result;
    }
    static bool is_sink(const Slot& slot) { return slot.description.output_channels.empty(); }

    void fade_part(WiredPart& part, int n) const {
        const auto survivor = old_of_part_.find(n);
        for (std::size_t p = 0; p < part.inputs.size(); ++p) {
            WiredInput& input = part.inputs[p];
            if (survivor != old_of_part_.end()) {
                input.old_feed = translated(old_.feeds[survivor->second][p]);
                input.fades = input.old_feed != input.feed;
                if (!input.fades) input.old_feed.clear();
            } else {
                input.fades = is_sink(*part.slot);  // from silence
            }
        }
        if (survivor == old_of_part_.end()) part.remembers = !shares_history(*part.slot);
    }

    /// The leaving node still writes what both hear.
    bool shares_history(const Slot& slot) const {
        for (const int n : leaving_)
            for (const auto& theirs : old_.slots[n]->input_histories)
                for (const auto& mine : slot.input_histories)
                    if (mine && mine == theirs) return true;
        return false;
    }

    WiredPart leaving_part(int n) const {
        WiredPart part{.slot = old_.slots[n], .inputs = {}};
        for (const Feed& feed : old_.feeds[n]) {
            const Feed heard = translated(feed);
            if (is_sink(*part.slot))
                part.inputs.push_back({.feed = {}, .fades = true, .old_feed = heard});  // to silence
            else
                part.inputs.push_back({.feed = heard, .old_feed = {}});
        }
        return part;
    }

    const Arrangement& old_;
    const Arrangement& now_;
    std::vector<int> part_of_old_;
    std::unordered_map<int, int> old_of_part_;
    std::vector<int> leaving_;
};

class Planner {
public:
    Planner(const Arrangement* old, Arrangement& now, const KeyTable& keys, const ChangeConfig& config)
        : old_(old), now_(now), keys_(keys), config_(config), transition_(std::make_unique<Transition>()) {
        if (old)
            for (std::size_t n = 0; n < old->slots.size(); ++n)
                old_of_key_[old->slots[n]->key] = static_cast<int>(n);
    }

    Change run() {
        transition_->curve = raised_cosine(fade_samples());
        if (old_) plan_fade();
        transition_->after = std::move(compile(wire(now_), options(nullptr)).plan);
        if (old_) {
            copy_equal_states();
            plan_warming();
            collect_moves();
            say_latency();
        }
        make_score();
        change_.transition = std::move(transition_);
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
                .fade = fade,
                .threads = config_.threads,
                .least_branch_ns = config_.least_branch_ns};
    }
    /// The past is caught up with on one thread.
    CompileOptions warm_options() const {
        return {.max_frames = config_.arrange.max_frames, .watch = config_.watch};
    }

    /// Index in `old` of the node with this key; -1: none.
    int old_index(NodeKey key) const {
        const auto found = old_of_key_.find(key);
        return found == old_of_key_.end() ? -1 : found->second;
    }
    const Slot* old_slot(NodeKey key) const {
        const int index = old_index(key);
        return index < 0 ? nullptr : old_->slots[index].get();
    }

    // ---------------------------------------------------------------------------- the fade

    void plan_fade() {
        for (;;) {
            const Merge merge(*old_, now_);
            const Wiring wiring = merge.wiring();
            if (!merge.anything_fades(wiring)) return;
            Compiled compiled = compile(wiring, options(&transition_->curve));
            if (compiled.plan) {
                transition_->during = std::move(compiled.plan);
                return;
            }
            for (const int part : compiled.bad_cycle)
                if (merge.is_survivor(part)) give_own_instance(part);
        }
    }

    /// Survivors swapped in order would each wait for the other while both orders sound. The new order gets
    /// instances of its own; all of them, or the one that stays would hear a mixture that belongs to neither.
    void give_own_instance(int part) {
        std::shared_ptr<Slot>& slot = now_.slots[part];
        const std::shared_ptr<Slot> before = slot;
        slot = build_slot(before->key, before->description, before->loop_latency_samples, config_.arrange);
        for (std::size_t p = 0; p < before->input_histories.size(); ++p)
            if (const auto& history = before->input_histories[p]) slot->input_histories[p] = history->twin();
        change_.notes.push_back(fmt::format(
            "{}: plays as a second instance from now on, continuing the state of the first, because the "
            "edit reverses its place in the chain",
            keys_.id(before->key)));
    }

    // ---------------------------------------------------------------------------- states and warming

    static bool sounds_equal(const Slot& a, const Slot& b) {
        const GraphNode &x = a.description, &y = b.description;
        const bool models =
            x.model && y.model ? x.model->meaning_hash == y.model->meaning_hash : x.model == y.model;
        return x.type == y.type && models && x.options == y.options && x.channels == y.channels &&
               x.input_channels == y.input_channels && x.output_channels == y.output_channels &&
               a.loop_latency_samples == b.loop_latency_samples;
    }

    void copy_equal_states() {
        for (const auto& slot : now_.slots) {
            const Slot* before = old_slot(slot->key);
            if (!before || before == slot.get()) continue;
            if (keys_.id(slot->key).front() != '~') change_.swapped.push_back(keys_.id(slot->key));
            if (sounds_equal(*before, *slot) && !config_.arrange.rebuild.contains(slot->key))
                transition_->copies.push_back({before, slot.get()});
        }
    }

    bool is_newcomer(const Slot& slot) const {
        const bool copied = std::any_of(transition_->copies.begin(), transition_->copies.end(),
                                        [&](const auto& copy) { return copy.to == &slot; });
        return old_slot(slot.key) != &slot && !copied;
    }

    void plan_warming() {
        std::vector<int> newcomers;
        for (int n = 0; n < static_cast<int>(now_.slots.size()); ++n)
            if (is_newcomer(*now_.slots[n]) &&
                warm_samples(*now_.slots[n], config_.arrange.sample_rate_hz) > 0)
                newcomers.push_back(n);
        if (newcomers.empty()) return;
        WarmWiring warm = wire_warming(*old_, now_, newcomers, config_.arrange);
        for (const int n : newcomers) warm.newcomers.push_back(now_.slots[n].get());
        transition_->warming = std::make_unique<Warming>();
        Compiled compiled = compile(warm.wiring, warm_options());
        if (!compiled.plan) {  // cannot be: the new patch has no such loop, and clones add none
            transition_->warming.reset();
            return;
        }
        transition_->warming->plan = std::move(*compiled.plan);
        transition_->warming->slots = std::move(warm.slots);
        transition_->warming->newcomers = std::move(warm.newcomers);
        change_.warm_samples = warm.samples;
    }

    // ---------------------------------------------------------------------------- knobs, targets, words

    /// Knobs whose written value the edit changed. What only a controller moved stays where the player put
    /// it.
    void collect_moves() {
        for (std::size_t n = 0; n < now_.graph.nodes.size(); ++n) {
            const GraphNode& node = now_.graph.nodes[n];
            const int before = old_index(now_.slots[n]->key);
            if (before < 0) continue;
            const GraphNode& was = old_->graph.nodes[before];
            for (std::size_t p = 0; p < node.params.size(); ++p) {
                const int theirs = was.param_index(node.params[p].name);
                if (theirs >= 0 && was.values[theirs] != node.values[p])
                    transition_->moves.push_back(
                        {now_.slots[n].get(), static_cast<std::int32_t>(p), node.values[p]});
            }
        }
    }

    void say_latency() {
        if (old_->latency_samples != now_.latency_samples)
            change_.notes.push_back(
                fmt::format("the latency of the whole patch changes from {} to {} samples",
                            old_->latency_samples, now_.latency_samples));
    }

    void make_score() {
        auto score = std::make_unique<Score>();
        score->target_of_key.assign(keys_.size(), -1);
        score->ceiling = std::pow(10.f, now_.graph.ceiling_dbfs / 20.f);
        for (std::size_t n = 0; n < now_.slots.size(); ++n) {
            score->target_of_key[now_.slots[n]->key] = static_cast<int>(n);
            score->targets.push_back(target(now_.slots[n].get()));
        }
        score->midi = std::make_unique<MidiMap>(now_.graph.midi);
        transition_->score = std::move(score);
    }

    TargetSlot target(Slot* slot) const {
        TargetSlot target{.slot = slot, .leaving = nullptr, .leaving_param = {}};
        if (!old_) return target;
        const int before = old_index(slot->key);
        if (before < 0 || old_->slots[before].get() == slot) return target;
        target.leaving = old_->slots[before].get();
        target.leaving_param = params_by_name(*slot, *target.leaving);
        return target;
    }

    const Arrangement* old_;
    Arrangement& now_;
    const KeyTable& keys_;
    const ChangeConfig& config_;
    std::unordered_map<NodeKey, int> old_of_key_;
    std::unique_ptr<Transition> transition_;
    Change change_;
};

}  // namespace

Change plan_change(const Arrangement* old, Arrangement& now, const KeyTable& keys,
                   const ChangeConfig& config) {
    return Planner(old, now, keys, config).run();
}

}  // namespace gainstage
