#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/plan/align_delay.hpp"
#include "runtime/plan/arrangement.hpp"
#include "runtime/plan/build_node.hpp"
#include "runtime/plan/order.hpp"
#include "runtime/plan/timing.hpp"

namespace gainstage {

NodeKey KeyTable::key(const std::string& id) {
    const auto [at, added] = keys_.try_emplace(id, static_cast<NodeKey>(ids_.size()));
    if (added) ids_.push_back(id);
    return at->second;
}

std::int64_t warm_samples(const Slot& slot, double rate_hz) {
    const auto limit = static_cast<std::int64_t>(longest_memory_s * rate_hz);
    return std::min(limit, 2 * slot.node->memory_samples() + slot.latency_samples);
}

std::shared_ptr<Slot> build_slot(NodeKey key, const GraphNode& node, int loop_latency,
                                 const ArrangeConfig& config) {
    const Setup setup{.sample_rate_hz = config.sample_rate_hz,
                      .max_frames = config.max_frames,
                      .channels = node.channels,
                      .input_channels = node.input_channels,
                      .output_channels = node.output_channels,
                      .options = node.options,
                      .start = node.values,
                      .loop_latency_samples = loop_latency};
    GraphNode ready = node;
    ready.prepared = prepared_for(node, config.sample_rate_hz);
    auto built = build_node(*node.type, ready.prepared.get(), setup);
    return std::make_shared<Slot>(key, ready, std::move(built), config.sample_rate_hz, config.max_frames,
                                  loop_latency);
}

namespace {

bool same_content(const std::shared_ptr<const Model>& a, const std::shared_ptr<const Model>& b) {
    if (!a || !b) return a == b;
    return a->content_hash == b->content_hash;
}

/// Everything that a node is built from is equal: it may live on.
bool survives(const GraphNode& old, const GraphNode& now) {
    return old.type->name == now.type->name && same_content(old.model, now.model) &&
           old.options == now.options && old.refuse_other_rates == now.refuse_other_rates &&
           old.channels == now.channels && old.input_channels == now.input_channels &&
           old.output_channels == now.output_channels && old.smooth_ms == now.smooth_ms;
}

class Arranger {
public:
    Arranger(Graph graph, const Arrangement* previous, KeyTable& keys, const ArrangeConfig& config)
        : previous_(previous), keys_(keys), config_(config) {
        result_.graph = std::move(graph);
    }

    Arrangement run() {
        collect_feeds();
        index_previous();
        const Order order = order_nodes(sources(), breakers());
        result_.slots.resize(node_count());
        result_.arrival_samples.assign(node_count(), 0);
        leaving_samples_.assign(node_count(), 0);
        for (const OrderGroup& group : order.groups)
            group.is_loop ? place_loop(group) : place(group.nodes.front(), 0);
        if (has_errors(result_.problems)) return std::move(result_);
        align_outputs();
        align_inputs();
        if (config_.with_histories) keep_histories();
        return std::move(result_);
    }

private:
    std::size_t node_count() const { return result_.graph.nodes.size(); }
    GraphNode& node(int n) { return result_.graph.nodes[n]; }

    void collect_feeds() {
        for (const GraphNode& n : result_.graph.nodes) result_.feeds.emplace_back(n.type->inputs.size());
        for (const GraphLink& link : result_.graph.links)
            result_.feeds[link.to][link.to_port].push_back({link.from, link.from_port});
    }

    void index_previous() {
        if (!previous_) return;
        for (std::size_t n = 0; n < previous_->slots.size(); ++n)
            previous_of_key_[previous_->slots[n]->key] = static_cast<int>(n);
    }

    std::vector<std::vector<int>> sources() const {
        std::vector<std::vector<int>> list(node_count());
        for (std::size_t n = 0; n < node_count(); ++n)
            for (const Feed& feed : result_.feeds[n])
                for (const Source& source : feed) list[n].push_back(source.part);
        return list;
    }
    std::vector<bool> breakers() const {
        std::vector<bool> list;
        for (const GraphNode& n : result_.graph.nodes) list.push_back(n.type->closes_loops);
        return list;
    }

    // -------------------------------------------------------------------------------- building

    const Slot* previous_slot(NodeKey key) const {
        const auto found = previous_of_key_.find(key);
        return found == previous_of_key_.end() ? nullptr : previous_->slots[found->second].get();
    }

    void build(int n, int loop_latency) {
        const NodeKey key = keys_.key(node(n).id);
        const Slot* old = previous_slot(key);
        if (old && !config_.rebuild.contains(key) && old->loop_latency_samples == loop_latency &&
            survives(old->description, node(n))) {
            result_.slots[n] = previous_->slots[previous_of_key_[key]];
            return;
        }
        try {
            result_.slots[n] = build_slot(key, node(n), loop_latency, config_);
            tell_of_resampler(n, old);
        } catch (const ModelError& error) {
            refuse(n, error.what(), error.exit_code);
        } catch (const std::exception& error) {
            refuse(n, error.what(), 65);
        }
    }

    /// Once, not again for each instance that sounds the same.
    void tell_of_resampler(int n, const Slot* old) {
        const NodeTiming now = timing_of(*result_.slots[n], config_.sample_rate_hz);
        if (now.way != RateWay::resampled) return;
        if (old && old->description.type == node(n).type &&
            timing_of(*old, config_.sample_rate_hz).way == now.way &&
            old->latency_samples == now.latency_samples)
            return;
        result_.problems.push_back(
            {.file = result_.graph.file,
             .place = node(n).place,
             .key = "nodes." + node(n).id,
             .message =
                 fmt::format("its model was made for {:g} Hz and plays at that rate, behind a resampler "
                             "({:.2g} ms of latency); rate = \"refuse\" would make this an error",
                             now.model_rate_hz, 1000. * now.resampler_samples / config_.sample_rate_hz),
             .is_note = true});
    }

    void refuse(int n, const std::string& message, int exit_code) {
        result_.problems.push_back({.file = result_.graph.file,
                                    .place = node(n).place,
                                    .key = "nodes." + node(n).id,
                                    .message = message,
                                    .exit_code = exit_code});
    }

    int node_latency(int n) const { return result_.slots[n] ? result_.slots[n]->latency_samples : 0; }

    // -------------------------------------------------------------------------------- latency

    /// How late the latest cable into a node is; `from` tells which sources count.
    template <class Counts>
    int latest(int n, Counts counts) const {
        int late = 0;
        for (const Feed& feed : result_.feeds[n])
            for (const Source& source : feed)
                if (counts(source.part)) late = std::max(late, leaving_samples_[source.part]);
        return late;
    }

    void place(int n, int loop_latency) {
        build(n, loop_latency);
        result_.arrival_samples[n] = latest(n, [](int) { return true; });
        leaving_samples_[n] = result_.arrival_samples[n] + node_latency(n);
    }

    /// A loop counts its lateness from what enters it; what its nodes add is taken off the delay that closes
    /// it.
    void place_loop(const OrderGroup& group) {
        std::vector<bool> inside(node_count(), false);
        for (const int n : group.nodes) inside[n] = true;
        for (const int n : group.breakers) inside[n] = true;
        const auto outside = [&](int source) { return !inside[source]; };
        int base = 0;
        for (const auto& list : {group.nodes, group.breakers})
            for (const int n : list) base = std::max(base, latest(n, outside));
        for (const int n : group.breakers) leaving_samples_[n] = base;
        for (const int n : group.nodes) {
            build(n, 0);
            result_.arrival_samples[n] = std::max(base, latest(n, [](int) { return true; }));
            leaving_samples_[n] = result_.arrival_samples[n] + node_latency(n);
        }
        for (const int n : group.breakers) {
            result_.arrival_samples[n] = std::max(base, latest(n, [](int) { return true; }));
            build(n, result_.arrival_samples[n] - base);
        }
    }

    void align_outputs() {
        for (std::size_t n = 0; n < node_count(); ++n)
            if (result_.graph.nodes[n].output_channels.empty())
                result_.latency_samples = std::max(result_.latency_samples, result_.arrival_samples[n]);
        for (std::size_t n = 0; n < node_count(); ++n)
            if (result_.graph.nodes[n].output_channels.empty())
                result_.arrival_samples[n] = result_.latency_samples;
    }

    void align_inputs() {
        const int last = static_cast<int>(node_count());
        for (int n = 0; n < last; ++n)
            for (std::size_t p = 0; p < result_.feeds[n].size(); ++p)
                for (std::size_t s = 0; s < result_.feeds[n][p].size(); ++s) {
                    const Source source = result_.feeds[n][p][s];
                    const int early = result_.arrival_samples[n] - leaving_samples_[source.part];
                    if (early > 0)
                        result_.feeds[n][p][s] = {add_align(source, n, static_cast<int>(p), early), 0};
                }
    }

    int add_align(Source source, int to, int to_port, int samples) {
        const int channels = node(source.part).output_channels[source.port];
        GraphNode align;
        align.id = fmt::format("~{}.{}>{}.{}", node(source.part).id, source.port, node(to).id, to_port);
        align.type = &AlignDelay::type();
        align.place = node(to).place;
        align.options.values = {{"samples", std::int64_t{samples}}};
        align.channels = channels;
        align.input_channels = align.output_channels = {channels};
        result_.graph.nodes.push_back(std::move(align));
        result_.feeds.push_back({{source}});
        result_.arrival_samples.push_back(leaving_samples_[source.part]);
        leaving_samples_.push_back(leaving_samples_[source.part] + samples);
        result_.slots.emplace_back();
        const int n = static_cast<int>(node_count()) - 1;
        build(n, 0);
        return n;
    }

    // -------------------------------------------------------------------------------- histories

    /// The same instances in the same order: what a port heard before is what it hears now.
    bool same_feed(const Feed& mine, const Arrangement& other, const Feed& theirs) const {
        return std::equal(mine.begin(), mine.end(), theirs.begin(), theirs.end(),
                          [&](const Source& a, const Source& b) {
                              return a.port == b.port && result_.slots[a.part] == other.slots[b.part];
                          });
    }

    void keep_histories() {
        for (int n = 0; n < static_cast<int>(node_count()); ++n) {
            Slot& slot = *result_.slots[n];
            const bool lives_on = previous_slot(slot.key) == &slot;
            if (lives_on) continue;
            const auto old = previous_of_key_.find(slot.key);
            const auto samples = warm_samples(slot, config_.sample_rate_hz) + catch_up_samples();
            const GraphNode& description = node(n);
            if (!description.type->architecture.empty())
                for (std::size_t p = 0; p < description.input_channels.size(); ++p) {
                    if (description.input_channels[p] == 0) continue;
                    if (old != previous_of_key_.end())
                        slot.input_histories[p] =
                            shared_history(slot, result_.feeds[n][p], old->second, p, samples);
                    if (!slot.input_histories[p])
                        slot.input_histories[p] =
                            std::make_shared<History>(description.input_channels[p], samples);
                }
            if (description.type->inputs.empty() && !description.output_channels.empty())
                slot.output_history =
                    std::make_shared<History>(description.output_channels[0], longest_samples());
        }
    }

    std::shared_ptr<History> shared_history(const Slot& slot, const Feed& feed, int old, std::size_t port,
                                            std::int64_t samples) const {
        const Slot& theirs = *previous_->slots[old];
        if (port >= theirs.input_histories.size() || !theirs.input_histories[port]) return nullptr;
        const auto& history = theirs.input_histories[port];
        const bool fits =
            history->channels() == slot.description.input_channels[port] && history->keeps() >= samples;
        return fits && same_feed(feed, *previous_, previous_->feeds[old][port]) ? history : nullptr;
    }

    /// What passes while a newcomer catches up must not overwrite what it still has to hear.
    std::int64_t catch_up_samples() const { return std::llround(4. * config_.sample_rate_hz); }
    std::int64_t longest_samples() const {
        return std::llround(longest_memory_s * config_.sample_rate_hz) + catch_up_samples();
    }

    Arrangement result_;
    const Arrangement* previous_;
    KeyTable& keys_;
    const ArrangeConfig& config_;
    std::unordered_map<NodeKey, int> previous_of_key_;
    std::vector<int> leaving_samples_;  // per node: how late its outputs are
};

}  // namespace

Arrangement arrange(Graph graph, const Arrangement* previous, KeyTable& keys, const ArrangeConfig& config) {
    return Arranger(std::move(graph), previous, keys, config).run();
}

Wiring wire(const Arrangement& arrangement) {
    Wiring wiring;
    for (std::size_t n = 0; n < arrangement.slots.size(); ++n) {
        WiredPart part{.slot = arrangement.slots[n], .inputs = {}};
        for (const Feed& feed : arrangement.feeds[n]) part.inputs.push_back({.feed = feed, .old_feed = {}});
        wiring.parts.push_back(std::move(part));
    }
    return wiring;
}

}  // namespace gainstage
