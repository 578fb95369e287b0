#include "runtime/plan/compile/steps.hpp"

#include <bit>

#include "runtime/realtime/guard.hpp"

namespace gainstage {

namespace {

class StepWriter {
public:
    StepWriter(const Wiring& wiring, const Order& order, const CompileOptions& options)
        : wiring_(wiring), order_(order), options_(options), first_output_(wiring.slots.size(), 0) {
        list_.steps.reserve(2 * wiring.slots.size());
        list_.ports.reserve(4 * wiring.slots.size());
    }

    StepList run(const Branches& branches) {
        for (const auto& history : wiring_.recalls) recall(*history);
        for (const Branch& branch : branches.list) {
            list_.task_begins.push_back(static_cast<int>(list_.steps.size()));
            for (const int unit : branch.units) group(order_.groups[unit]);
        }
        if (branches.list.empty())
            for (const OrderGroup& one : order_.groups) group(one);
        return std::move(list_);
    }

private:
    Slot& slot(int part) const { return *wiring_.slots[part]; }
    bool remembers(int part) const { return wiring_.remembers.empty() || wiring_.remembers[part]; }

    // ports

    PortIds fresh(int channels) {
        PortIds port{.channels = channels};
        for (int c = 0; c < channels; ++c) port.channel[c] = list_.buffers++;
        return widened(port, channels);
    }
    /// The same sound at a port of `channels`: mono feeds both.
    static PortIds widened(PortIds port, int channels) {
        if (port.channels == 1) port.channel[1] = port.channel[0];
        port.channels = channels;
        return port;
    }
    const PortIds& output(const Source& source) const {
        return source.part < 0 ? recalled_[~source.part]
                               : list_.ports[first_output_[source.part] + source.port];
    }

    // steps

    /// Appends a step with these ports; returns where its outputs begin.
    int push(const Step& step, std::span<const PortIds> inputs, std::span<const PortIds> outputs) {
        list_.steps.push_back(step);
        list_.steps.back().input_count = static_cast<std::uint16_t>(inputs.size());
        list_.steps.back().output_count = static_cast<std::uint16_t>(outputs.size());
        list_.ports.insert(list_.ports.end(), inputs.begin(), inputs.end());
        const int first = static_cast<int>(list_.ports.size());
        list_.ports.insert(list_.ports.end(), outputs.begin(), outputs.end());
        return first;
    }
    static Step step_of(StepKind kind) {
        Step step;
        step.kind = kind;
        return step;
    }
    static Step step_of(StepKind kind, History* history) {
        Step step = step_of(kind);
        step.history = history;
        return step;
    }

    void recall(History& history) {
        const PortIds port = fresh(history.channels());
        push(step_of(StepKind::recall, &history), {}, {&port, 1});
        recalled_.push_back(port);
    }

    void remember(const PortIds& port, const std::shared_ptr<History>& history) {
        if (history) push(step_of(StepKind::remember, history.get()), {&port, 1}, {});
    }

    /// The sum of a feed.
    PortIds mix(Feed feed, int channels) {
        if (feed.empty()) return {.channels = channels};
        if (feed.size() == 1) return widened(output(feed.front()), channels);
        sources_.clear();
        for (const Source& source : feed) sources_.push_back(widened(output(source), channels));
        const PortIds sum = fresh(channels);
        push(step_of(StepKind::sum), sources_, {&sum, 1});
        return sum;
    }

    PortIds input(int part, int port, int channels) {
        if (channels == 0) return {};
        const PortIds now = mix(wiring_.feeds.feed(part, port), channels);
        if (!wiring_.fades(part, port)) return now;
        const std::array<PortIds, 2> both{mix(wiring_.before.feed(part, port), channels), now};
        const PortIds faded = fresh(channels);
        push(step_of(StepKind::fade), both, {&faded, 1});
        return faded;
    }

    /// What the part hears, in inputs_.
    void hear(int part) {
        inputs_.clear();
        for (int p = 0; p < wiring_.feeds.ports(part); ++p) {
            inputs_.push_back(input(part, p, slot(part).description.input_channels[p]));
            const auto& histories = slot(part).input_histories;
            if (!histories.empty() && remembers(part)) remember(inputs_.back(), histories[p]);
        }
    }

    Step node_step(int part, StepKind kind) const {
        Slot& s = slot(part);
        Step step = step_of(kind);
        step.watched = options_.watch;
        step.has_latency = s.latency_samples > 0;
        step.node = s.node.get();
        step.slot = &s;
        step.params = s.ramps.data();
        step.readings = s.readings.data();
        return step;
    }

    /// The loudest good sample. A plain effect may be as loud as its own knobs make it; a model may not, nor
    /// may anything in a loop, where sound grows with every round.
    float ceiling_of(const Slot& s) const {
        const bool is_model = !s.description.type->architecture.empty();
        return is_model || is_in_loop_ ? options_.ceiling : plain_ceiling;
    }

    /// A step that runs a node and writes its outputs.
    void run_node(int part, StepKind kind, std::span<const PortIds> inputs) {
        outputs_.clear();
        for (const int channels : slot(part).description.output_channels) outputs_.push_back(fresh(channels));
        Step step = node_step(part, kind);
        step.ceiling_bits = std::bit_cast<std::int32_t>(ceiling_of(slot(part)));
        step.is_plain = kind == StepKind::process && !step.has_latency && outputs_.size() == 1 &&
                        outputs_[0].channels == 1;
        first_output_[part] = push(step, inputs, outputs_);
    }

    void process(int part) {
        hear(part);
        run_node(part, StepKind::process, inputs_);
    }
    void absorb(int part) {
        hear(part);
        push(node_step(part, StepKind::absorb), inputs_, {});
    }

    void group(const OrderGroup& group) {
        if (!group.is_loop) return process(order_.nodes(group).front());
        const std::size_t loop_at = list_.steps.size();
        push(step_of(StepKind::loop), {}, {});
        is_in_loop_ = true;
        list_.loops.emplace_back();
        for (const int breaker : order_.breakers(group)) {
            list_.loops.back().push_back(&slot(breaker));
            run_node(breaker, StepKind::emit, {});
        }
        for (const int node : order_.nodes(group)) process(node);
        for (const int breaker : order_.breakers(group)) absorb(breaker);
        is_in_loop_ = false;
        list_.steps[loop_at].length = static_cast<std::int32_t>(list_.steps.size() - loop_at - 1);
    }

    const Wiring& wiring_;
    const Order& order_;
    const CompileOptions& options_;
    bool is_in_loop_ = false;
    StepList list_;
    std::vector<int> first_output_;  // per part, index into the ports
    std::vector<PortIds> recalled_;
    std::vector<PortIds> inputs_, outputs_, sources_;  // of the step at hand
};

}  // namespace

StepList list_steps(const Wiring& wiring, const Order& order, const Branches& branches,
                    const CompileOptions& options) {
    return StepWriter(wiring, order, options).run(branches);
}

}  // namespace gainstage
