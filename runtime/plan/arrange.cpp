#include <fmt/format.h>

#include <algorithm>

#include "runtime/graph/grouped.hpp"
#include "runtime/number_text.hpp"
#include "runtime/plan/align_delay.hpp"
#include "runtime/plan/arrangement.hpp"
#include "runtime/plan/build_node.hpp"
#include "runtime/plan/histories.hpp"
#include "runtime/plan/settle.hpp"
#include "runtime/plan/timing.hpp"

namespace gainstage {

std::int64_t warm_samples(const Slot& slot, double rate_hz) {
    const auto limit = static_cast<std::int64_t>(longest_memory_s * rate_hz);
    const std::int64_t twice = 2 * slot.node->memory_samples();
    // Sound in a loop fades as it does in a recursive node.
    const std::int64_t enough =
        slot.breaker ? twice : std::min(twice, slot.node->exact_memory_samples().value_or(twice));
    return std::min(limit, enough + slot.latency_samples);
}

namespace {

Problem refusal(const GraphNode& node, const std::string& file, const std::string& message, int exit_code) {
    return {.file = file,
            .place = node.place,
            .key = "nodes." + node.id,
            .message = message,
            .exit_code = exit_code};
}

void take_setup(Setup& setup, const GraphNode& node, int loop_latency, const ArrangeConfig& config) {
    setup.sample_rate_hz = config.sample_rate_hz;
    setup.max_frames = config.max_frames;
    setup.channels = node.channels;
    setup.input_channels = node.input_channels;
    setup.output_channels = node.output_channels;
    setup.options = node.options;
    const std::vector<float>& start = node.start.empty() ? node.values : node.start;
    setup.start.assign(start.begin(), start.begin() + static_cast<std::ptrdiff_t>(node.values.size()));
    setup.loop_latency_samples = loop_latency;
}

/// `setup` is room for what the node is built from. One serves many nodes in turn: its lists keep their
/// memory.
std::shared_ptr<Slot> build_slot_in(Setup& setup, NodeKey key,
                                    const std::shared_ptr<const GraphNode>& description, int loop_latency,
                                    const std::string& file, const ArrangeConfig& config) {
    const GraphNode& node = *description;
    try {
        take_setup(setup, node, loop_latency, config);
        const auto prepared = prepared_for(node, config.sample_rate_hz);
        auto built = build_node(*node.type, prepared.get(), setup);
        std::shared_ptr<const GraphNode> ready = description;
        if (prepared != node.prepared) {
            auto own = std::make_shared<GraphNode>(node);
            own->prepared = prepared;
            ready = std::move(own);
        }
        auto slot = std::make_shared<Slot>(key, std::move(ready), std::move(built), config.sample_rate_hz,
                                           config.max_frames, loop_latency);
        if (prepared)
            slot->rest = settle(*slot->node, slot->memory, *node.type, *prepared, setup, config.given_up);
        return slot;
    } catch (const GivenUp&) {
        throw;
    } catch (const ModelError& error) {
        throw NodeRefused(refusal(node, file, error.what(), error.exit_code));
    } catch (const std::bad_alloc&) {
        throw;  // no fault of the node
    } catch (const std::exception& error) {
        throw NodeRefused(refusal(node, file, error.what(), sysexits::bad_data));
    }
}

}  // namespace

std::shared_ptr<Slot> build_slot(NodeKey key, const std::shared_ptr<const GraphNode>& description,
                                 int loop_latency, const std::string& file, const ArrangeConfig& config) {
    Setup setup;
    return build_slot_in(setup, key, description, loop_latency, file, config);
}

namespace {

bool same_content(const std::shared_ptr<const Model>& a, const std::shared_ptr<const Model>& b) {
    if (!a || !b) return a == b;
    return a->content_hash == b->content_hash;
}

/// True: both would be built from the same things, so the old one may live on.
bool survives(const GraphNode& old, const GraphNode& now) {
    return (old.type == now.type || old.type->name == now.type->name) && same_content(old.model, now.model) &&
           old.options == now.options && old.refuse_other_rates == now.refuse_other_rates &&
           old.channels == now.channels && old.input_channels == now.input_channels &&
           old.output_channels == now.output_channels && old.smooth_ms == now.smooth_ms;
}

class Arranger {
public:
    Arranger(Graph graph, const Arrangement* previous, KeyTable& keys, const ArrangeConfig& config)
        : previous_(previous), keys_(keys), config_(config) {
        result_.graph = std::move(graph);
        if (!previous_) keys_.reserve(node_count());
    }

    Arrangement run() {
        collect_feeds();
        result_.order = order_nodes(sources(), breakers());
        result_.slots.resize(node_count());
        arrival_samples_.assign(node_count(), 0);
        leaving_samples_.assign(node_count(), 0);
        for (const OrderGroup& group : result_.order.groups)
            group.is_loop ? place_loop(group) : place(result_.order.nodes(group).front(), 0);
        if (has_errors(result_.problems)) return std::move(result_);
        align_outputs();
        align_inputs();
        order_aligns();
        note_keys();
        note_outputs();
        give_histories(result_, previous_, config_);
        return std::move(result_);
    }

private:
    std::size_t node_count() const { return result_.graph.nodes.size(); }
    const GraphNode& node(int n) const { return result_.graph.nodes[n]; }

    void collect_feeds() {
        const std::vector<GraphLink>& links = result_.graph.links;
        const Grouped entering(node_count(), links.size(), [&](int link) { return links[link].to; });
        result_.feeds.reserve(node_count(), links.size());
        for (int n = 0; n < static_cast<int>(node_count()); ++n) {
            result_.feeds.add_part();
            for (int p = 0; p < static_cast<int>(node(n).type->inputs.size()); ++p) {
                result_.feeds.add_port();
                for (const int link : entering[n])
                    if (links[link].to_port == p)
                        result_.feeds.add({links[link].from, links[link].from_port});
            }
        }
    }

    SourceLists sources() const {
        SourceLists lists;
        for (int n = 0; n < result_.feeds.parts(); ++n) {
            lists.add_node();
            for (const Source& source : result_.feeds.all_of(n)) lists.add_source(source.part);
        }
        return lists;
    }
    std::vector<bool> breakers() const {
        std::vector<bool> list;
        for (const GraphNode& n : result_.graph.nodes) list.push_back(n.type->closes_loops);
        return list;
    }

    // building

    /// The slot that plays under this key; null: none.
    std::shared_ptr<Slot> previous_slot(NodeKey key) const {
        const int before = previous_ ? previous_->node_of(key) : -1;
        return before < 0 ? nullptr : previous_->slots[before];
    }

    void build(int n, int loop_latency) {
        if (is_too_large_) return;
        unless_given_up(config_.given_up);
        build_or_keep(n, loop_latency);
        if (!result_.slots[n]) return;
        count_memory(*result_.slots[n]);
        is_too_large_ = config_.most_bytes > 0 && result_.memory.total() > config_.most_bytes;
        if (is_too_large_) result_.problems.push_back(too_large(result_, config_.most_bytes));
    }

    void count_memory(const Slot& slot) {
        result_.memory.add(slot.description.type->name, slot.bytes());
        const auto& model = slot.description.model;
        if (!model || !counted_models_.insert(model->content_hash).second) return;
        std::size_t weights = 0;
        for (const Tensor& tensor : model->tensors) weights += tensor.data.size() * sizeof(float);
        result_.memory.add("weights", model->bytes.size() + 2 * weights);  // as read, and as prepared
    }

    void build_or_keep(int n, int loop_latency) {
        const NodeKey key = keys_.key(node(n).id);
        std::shared_ptr<Slot> old = previous_slot(key);
        if (old && !config_.rebuild.contains(key) && old->loop_latency_samples == loop_latency &&
            survives(old->description, node(n))) {
            result_.slots[n] = std::move(old);
            return;
        }
        try {
            result_.slots[n] = build_slot_in(setup_, key, result_.graph.nodes.shared(n), loop_latency,
                                             result_.graph.file, config_);
            tell_of_resampler(n, old.get());
            tell_of_rest(n, old.get());
        } catch (const NodeRefused& refused) {
            result_.problems.push_back(refused.problem);
        }
    }

    /// A new instance that sounds like the old one is not reported again.
    void tell_of_resampler(int n, const Slot* old) {
        const NodeTiming now = timing_of(*result_.slots[n], config_.sample_rate_hz);
        if (now.way != RateWay::resampled) return;
        if (old && old->description.type == node(n).type &&
            timing_of(*old, config_.sample_rate_hz).way == now.way &&
            old->latency_samples == now.latency_samples)
            return;
        note(n, fmt::format("its model was made for {:g} Hz and plays at that rate, behind a resampler "
                            "({} ms of latency); rate = \"refuse\" would make this an error",
                            now.model_rate_hz,
                            number_text(1000. * now.resampler_samples / config_.sample_rate_hz, 2)));
    }

    /// A model that played before is not reported again.
    void tell_of_rest(int n, const Slot* old) {
        if (!node(n).model || (old && same_content(old->description.model, node(n).model))) return;
        const Rest& rest = result_.slots[n]->rest;
        if (rest.blows_up)
            return note(
                n, "its model blows up at silence, so it will be bypassed; train it again, or play another");
        if (!rest.is_known) return;
        if (const std::string text = warning_of_offset(rest.offset_dbfs); !text.empty() && offset_leaves(n))
            note(n, "its model " + text);
        if (const std::string text = warning_of_noise(rest.noise_dbfs); !text.empty())
            note(n, "its model " + text);
    }

    /// True if a node hears this one that doesn't take out its offset.
    bool offset_leaves(int n) const {
        const std::vector<GraphLink>& links = result_.graph.links;
        return std::any_of(links.begin(), links.end(), [&](const GraphLink& link) {
            return link.from == n && !node(link.to).type->takes_out_offset;
        });
    }

    void note(int n, std::string message) {
        result_.problems.push_back({.file = result_.graph.file,
                                    .place = node(n).place,
                                    .key = "nodes." + node(n).id,
                                    .message = std::move(message),
                                    .is_note = true});
    }

    int node_latency(int n) const { return result_.slots[n] ? result_.slots[n]->latency_samples : 0; }

    // latency

    /// How late the latest cable into a node is; `counts` tells which sources count.
    template <class Counts>
    int latest(int n, Counts counts) const {
        int late = 0;
        for (const Source& source : result_.feeds.all_of(n))
            if (counts(source.part)) late = std::max(late, leaving_samples_[source.part]);
        return late;
    }
    int latest(int n) const {
        return latest(n, [](int) { return true; });
    }

    void place(int n, int loop_latency) {
        build(n, loop_latency);
        arrival_samples_[n] = latest(n);
        leaving_samples_[n] = arrival_samples_[n] + node_latency(n);
    }

    /// A loop is as late as the latest cable that enters it. The latency of its own nodes is taken off the
    /// delay that closes it.
    void place_loop(const OrderGroup& group) {
        loop_of_.resize(node_count(), -1);
        const int loop = loops_++;
        for (const int n : result_.order.all(group)) loop_of_[n] = loop;
        const auto outside = [&](int source) { return loop_of_[source] != loop; };
        int base = 0;
        for (const int n : result_.order.all(group)) base = std::max(base, latest(n, outside));
        for (const int n : result_.order.breakers(group)) leaving_samples_[n] = base;
        for (const int n : result_.order.nodes(group)) {
            build(n, 0);
            arrival_samples_[n] = std::max(base, latest(n));
            leaving_samples_[n] = arrival_samples_[n] + node_latency(n);
        }
        for (const int n : result_.order.breakers(group)) {
            arrival_samples_[n] = std::max(base, latest(n));
            build(n, arrival_samples_[n] - base);
        }
    }

    void align_outputs() {
        for (std::size_t n = 0; n < node_count(); ++n)
            if (result_.graph.nodes[n].output_channels.empty())
                result_.latency_samples = std::max(result_.latency_samples, arrival_samples_[n]);
        for (std::size_t n = 0; n < node_count(); ++n)
            if (result_.graph.nodes[n].output_channels.empty()) arrival_samples_[n] = result_.latency_samples;
    }

    void align_inputs() {
        const int last = static_cast<int>(node_count());
        for (int n = 0; n < last; ++n)
            for (int p = 0; p < result_.feeds.ports(n); ++p)
                for (std::size_t s = 0; s < result_.feeds.feed(n, p).size(); ++s) {
                    const Source source = result_.feeds.feed(n, p)[s];
                    const int early = arrival_samples_[n] - leaving_samples_[source.part];
                    if (early <= 0) continue;
                    const int align = add_align(source, n, p, early);
                    result_.feeds.feed(n, p)[s] = {align, 0};
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
        result_.feeds.add_part();
        result_.feeds.add_port({&source, 1});
        result_.slots.emplace_back();
        const int n = static_cast<int>(node_count()) - 1;
        build(n, 0);
        aligns_.push_back({n, source.part, to});
        return n;
    }

    // order

    bool are_in_one_loop(int a, int b) const {
        return !loop_of_.empty() && loop_of_[a] >= 0 && loop_of_[a] == loop_of_[b];
    }

    /// A delay that aligns paths runs just before the node that hears it, or before the loop of that node;
    /// between two nodes of one loop it is one of the loop's.
    void order_aligns() {
        if (aligns_.empty()) return;
        const Grouped before(node_count(), aligns_.size(), [&](int align) { return aligns_[align].to; });
        const Order old = std::move(result_.order);
        Order& order = result_.order = {};
        std::vector<int> nodes;
        for (const OrderGroup& group : old.groups) {
            nodes.clear();
            const auto add_inner_aligns = [&](int n) {
                for (const int a : before[n])
                    if (are_in_one_loop(aligns_[a].from, n)) nodes.push_back(aligns_[a].node);
            };
            for (const int n : old.all(group))
                for (const int a : before[n])
                    if (!are_in_one_loop(aligns_[a].from, n))
                        order.add_group({&aligns_[a].node, 1}, {}, false);
            for (const int n : old.nodes(group)) {
                add_inner_aligns(n);
                nodes.push_back(n);
            }
            for (const int n : old.breakers(group)) add_inner_aligns(n);
            order.add_group(nodes, old.breakers(group), group.is_loop);
        }
    }

    void note_keys() {
        result_.node_of_key.assign(keys_.size(), -1);
        for (std::size_t n = 0; n < result_.slots.size(); ++n)
            result_.node_of_key[result_.slots[n]->key] = static_cast<int>(n);
    }

    void note_outputs() {
        for (int n = 0; n < static_cast<int>(node_count()); ++n)
            if (node(n).type->device == Door::out) result_.outputs.push_back(n);
    }

    struct Align {
        int node, from, to;  // the delay, and the nodes between which it stands
    };

    Arrangement result_;
    const Arrangement* previous_;
    KeyTable& keys_;
    const ArrangeConfig& config_;
    std::vector<int> arrival_samples_, leaving_samples_;  // per node: how late its inputs and its outputs are
    std::vector<int> loop_of_;  // per node: the number of its loop, or -1; empty: there are no loops
    int loops_ = 0;
    bool is_too_large_ = false;
    Setup setup_;                             // of the node being built
    std::set<std::uint64_t> counted_models_;  // by content
    std::vector<Align> aligns_;
};

}  // namespace

Arrangement arrange(Graph graph, const Arrangement* previous, KeyTable& keys, const ArrangeConfig& config) {
    return Arranger(std::move(graph), previous, keys, config).run();
}

}  // namespace gainstage
