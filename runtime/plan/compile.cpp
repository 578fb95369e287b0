#include <algorithm>
#include <bit>

#include "runtime/plan/make_tasks.hpp"
#include "runtime/plan/order.hpp"
#include "runtime/plan/wiring.hpp"

namespace gainstage {

namespace {

/// A one-channel buffer by number, before it has memory. Number 0 is silence.
using BufferId = int;
constexpr BufferId silence = 0;

struct PortDraft {
    std::array<BufferId, max_channels> channel{silence, silence};
    int channels = 0;
};

/// A step before its buffers have memory.
struct StepDraft {
    Step step;
    std::vector<PortDraft> inputs, outputs;
};

StepDraft draft_of(StepKind kind, std::vector<PortDraft> inputs, std::vector<PortDraft> outputs) {
    StepDraft draft;
    draft.step.kind = kind;
    draft.inputs = std::move(inputs);
    draft.outputs = std::move(outputs);
    return draft;
}

/// Writes the steps of a wiring in order.
class Draft {
public:
    Draft(const Wiring& wiring, const CompileOptions& options)
        : wiring_(wiring), options_(options), outputs_(wiring.parts.size()) {}

    std::vector<StepDraft> steps;
    std::vector<std::vector<Slot*>> loops;
    BufferId buffers = 1;

    void group(const OrderGroup& group) {
        if (!group.is_loop) return part(group.nodes.front());
        const std::size_t loop_at = steps.size();
        steps.push_back(draft_of(StepKind::loop, {}, {}));
        steps.back().step.length = static_cast<std::int32_t>(loops.size());  // which one, until it is placed
        loops.emplace_back();
        for (const int breaker : group.breakers) {
            loops.back().push_back(slot(breaker));
            emit(breaker);
        }
        for (const int node : group.nodes) part(node);
        for (const int breaker : group.breakers) absorb(breaker);
        loop_lengths.push_back(static_cast<std::int32_t>(steps.size() - loop_at - 1));
    }
    std::vector<std::int32_t> loop_lengths;

    /// The steps from here on belong to the next task.
    void begin_task() { task_begins.push_back(static_cast<int>(steps.size())); }
    std::vector<int> task_begins;

    void recalls() {
        for (const auto& history : wiring_.recalls) {
            StepDraft recall = draft_of(StepKind::recall, {}, {fresh(history->channels())});
            recall.step.history = history.get();
            recalled_.push_back(recall.outputs[0]);
            steps.push_back(std::move(recall));
        }
    }

private:
    Slot* slot(int part) const { return wiring_.parts[part].slot.get(); }

    PortDraft fresh(int channels) {
        PortDraft port{.channels = channels};
        for (int c = 0; c < channels; ++c) port.channel[c] = buffers++;
        return widened(port, channels);
    }

    /// The same sound at a port of `channels`: mono feeds both.
    static PortDraft widened(PortDraft port, int channels) {
        if (port.channels == 1) port.channel[1] = port.channel[0];
        port.channels = channels;
        return port;
    }

    const PortDraft& output(const Source& source) const {
        if (source.part < 0) return recalled_[~source.part];
        return outputs_[source.part][source.port];
    }

    PortDraft mix(const Feed& feed, int channels) {
        if (feed.empty()) return {.channels = channels};
        if (feed.size() == 1) return widened(output(feed.front()), channels);
        StepDraft sum = draft_of(StepKind::sum, {}, {fresh(channels)});
        for (const Source& source : feed) sum.inputs.push_back(widened(output(source), channels));
        steps.push_back(sum);
        return sum.outputs[0];
    }

    PortDraft input(const WiredInput& wired, int channels) {
        if (channels == 0) return {};
        const PortDraft now = mix(wired.feed, channels);
        if (!wired.fades) return now;
        StepDraft fade = draft_of(StepKind::fade, {mix(wired.old_feed, channels), now}, {fresh(channels)});
        steps.push_back(fade);
        return fade.outputs[0];
    }

    void remember(const PortDraft& port, const std::shared_ptr<History>& history) {
        if (!history) return;
        steps.push_back(draft_of(StepKind::remember, {port}, {}));
        steps.back().step.history = history.get();
    }

    std::vector<PortDraft> inputs(int index) {
        const WiredPart& part = wiring_.parts[index];
        std::vector<PortDraft> ports;
        for (std::size_t p = 0; p < part.inputs.size(); ++p) {
            ports.push_back(input(part.inputs[p], part.slot->description.input_channels[p]));
            if (part.remembers) remember(ports.back(), part.slot->input_histories[p]);
        }
        return ports;
    }

    StepDraft node_step(int index, StepKind kind) {
        Slot& s = *slot(index);
        StepDraft draft;
        draft.step.kind = kind;
        draft.step.watched = options_.watch;
        draft.step.has_latency = s.latency_samples > 0;
        draft.step.node = s.node.get();
        draft.step.slot = &s;
        draft.step.params = s.ramps.data();
        draft.step.readings = s.readings.data();
        return draft;
    }

    std::vector<PortDraft> fresh_outputs(int index) {
        std::vector<PortDraft> ports;
        for (const int channels : slot(index)->description.output_channels) ports.push_back(fresh(channels));
        return ports;
    }

    void part(int index) {
        std::vector<PortDraft> in = inputs(index);
        StepDraft draft = node_step(index, StepKind::process);
        draft.inputs = std::move(in);
        draft.outputs = fresh_outputs(index);
        finish(index, std::move(draft));
    }

    void emit(int index) {
        StepDraft draft = node_step(index, StepKind::emit);
        draft.outputs = fresh_outputs(index);
        finish(index, std::move(draft));
    }

    void absorb(int index) {
        std::vector<PortDraft> in = inputs(index);
        StepDraft draft = node_step(index, StepKind::absorb);
        draft.inputs = std::move(in);
        steps.push_back(std::move(draft));
    }

    void finish(int index, StepDraft draft) {
        outputs_[index] = draft.outputs;
        const WiredPart& part = wiring_.parts[index];
        steps.push_back(std::move(draft));
        if (part.remembers && !outputs_[index].empty())
            remember(outputs_[index][0], part.slot->output_history);
    }

    const Wiring& wiring_;
    const CompileOptions& options_;
    std::vector<std::vector<PortDraft>> outputs_;
    std::vector<PortDraft> recalled_;
};

/// Gives drafts as little memory as their lifetimes allow: the buffer freed last is taken first, so that a
/// chain stays in the nearest cache. A step's outputs are taken before its inputs are freed: they never
/// share. Tasks share no memory but the buffers through which they hear each other; such a crossing has a
/// place of its own for good, and another one for its stand-in.
class Layout {
public:
    explicit Layout(const Draft& draft)
        : place(static_cast<std::size_t>(draft.buffers), none),
          stand_in(static_cast<std::size_t>(draft.buffers), none),
          last_use_(static_cast<std::size_t>(draft.buffers), -1),
          task_(static_cast<std::size_t>(draft.buffers), none),
          free_(std::max<std::size_t>(draft.task_begins.size(), 1)) {
        place[silence] = places++;
        each_step(draft, [&](const StepDraft& step, int s, int task) {
            each(step.inputs, [&](BufferId b) { use(b, s, task); });
            each(step.outputs, [&](BufferId b) { use(b, s, task); });
        });
        each_step(draft, [&](const StepDraft& step, int s, int task) {
            each(step.outputs, [&](BufferId b) { take(b, task); });
            each(step.inputs, [&](BufferId b) { release(b, s, task); });
            each(step.outputs, [&](BufferId b) { release(b, s, task); });
        });
    }

    static constexpr int none = -1;
    int places = 0;
    std::vector<int> place, stand_in;  ///< per buffer; a stand-in only for crossings

private:
    template <class Visit>
    static void each_step(const Draft& draft, Visit visit) {
        int task = 0;
        const auto begins_at = [&](std::size_t t) { return static_cast<std::size_t>(draft.task_begins[t]); };
        for (std::size_t s = 0; s < draft.steps.size(); ++s) {
            while (static_cast<std::size_t>(task) + 1 < draft.task_begins.size() &&
                   begins_at(static_cast<std::size_t>(task) + 1) <= s)
                ++task;
            visit(draft.steps[s], static_cast<int>(s), task);
        }
    }
    template <class Visit>
    static void each(const std::vector<PortDraft>& ports, Visit visit) {
        for (const PortDraft& port : ports)
            for (int c = 0; c < port.channels; ++c) visit(port.channel[c]);
    }
    void use(BufferId b, int step, int task) {
        const auto n = static_cast<std::size_t>(b);
        last_use_[n] = step;
        if (task_[n] == none) task_[n] = task;
        if (b != silence && task_[n] != task && stand_in[n] == none) stand_in[n] = places++;
    }
    void take(BufferId b, int task) {
        const auto n = static_cast<std::size_t>(b);
        std::vector<int>& free = free_[task];
        if (b == silence || place[n] != none) return;
        if (free.empty() || stand_in[n] != none) {
            place[n] = places++;
        } else {
            place[n] = free.back();
            free.pop_back();
        }
    }
    void release(BufferId b, int step, int task) {
        const auto n = static_cast<std::size_t>(b);
        if (b == silence || last_use_[n] != step || stand_in[n] != none) return;
        last_use_[n] = -1;  // a port may name a buffer twice
        free_[task].push_back(place[n]);
    }
    std::vector<int> last_use_, task_;
    std::vector<std::vector<int>> free_;  // per task
};

constexpr std::size_t floats_per_line = 16;

/// Turns drafts into steps with addresses.
std::unique_ptr<Plan> place(const Draft& draft, const Branches& branches, const Wiring& wiring,
                            const CompileOptions& options) {
    auto plan = std::make_unique<Plan>();
    const Layout layout(draft);
    const std::size_t stride = (static_cast<std::size_t>(options.max_frames) + floats_per_line - 1) /
                               floats_per_line * floats_per_line;
    plan->memory.assign(stride * static_cast<std::size_t>(layout.places) + floats_per_line, 0.f);
    const auto address = std::bit_cast<std::uintptr_t>(plan->memory.data());
    float* base = plan->memory.data() + (64 - address % 64) % 64 / sizeof(float);

    std::size_t port_count = 0;
    for (const StepDraft& step : draft.steps) port_count += step.inputs.size() + step.outputs.size();
    plan->ports.reserve(port_count);  // pointers into it are kept
    const auto add_ports = [&](const std::vector<PortDraft>& ports) {
        const PortBuffer* first = plan->ports.data() + plan->ports.size();
        for (const PortDraft& port : ports) {
            PortBuffer buffer{.channel = {base, base}, .channels = port.channels};
            for (int c = 0; c < std::max(port.channels, 1); ++c)
                buffer.channel[c] = base + stride * static_cast<std::size_t>(layout.place[port.channel[c]]);
            if (port.channels == 1) buffer.channel[1] = buffer.channel[0];
            plan->ports.push_back(buffer);
        }
        return first;
    };
    for (const auto& delays : draft.loops)
        plan->loops.push_back(std::make_unique<std::vector<Slot*>>(delays));
    for (const StepDraft& from : draft.steps) {
        Step step = from.step;
        step.input_count = static_cast<std::uint16_t>(from.inputs.size());
        step.output_count = static_cast<std::uint16_t>(from.outputs.size());
        step.inputs = add_ports(from.inputs);
        step.outputs = add_ports(from.outputs);
        step.is_plain = step.kind == StepKind::process && !step.has_latency && from.outputs.size() == 1 &&
                        from.outputs[0].channels == 1;
        if (step.kind == StepKind::loop) {
            const auto loop = static_cast<std::size_t>(step.length);
            step.delays = plan->loops[loop].get();
            step.length = draft.loop_lengths[loop];
        }
        plan->node_steps += step.node != nullptr;
        plan->steps.push_back(step);
    }
    for (const WiredPart& part : wiring.parts) plan->slots.push_back(part.slot);
    plan->histories = wiring.recalls;
    plan->fade = options.fade;
    plan->watched = options.watch;
    if (branches.list.empty()) return plan;
    const auto sound_at = [&](int place) { return base + stride * static_cast<std::size_t>(place); };
    std::vector<std::pair<float*, float*>> shared;  // crossings and their stand-ins
    for (std::size_t b = 0; b < layout.place.size(); ++b)
        if (layout.stand_in[b] != Layout::none)
            shared.emplace_back(sound_at(layout.place[b]), sound_at(layout.stand_in[b]));
    plan->tasks = make_tasks(*plan, branches, draft.task_begins, shared);
    plan->tasks->least_frames = least_frames(branches, options);
    return plan;
}

std::vector<std::vector<int>> sources_of(const Wiring& wiring) {
    std::vector<std::vector<int>> sources(wiring.parts.size());
    for (std::size_t n = 0; n < wiring.parts.size(); ++n)
        for (const WiredInput& input : wiring.parts[n].inputs) {
            for (const Source& source : input.feed)
                if (source.part >= 0) sources[n].push_back(source.part);
            for (const Source& source : input.old_feed)
                if (source.part >= 0) sources[n].push_back(source.part);
        }
    return sources;
}

/// A group of the order as a unit that may be handed to another thread.
std::vector<Unit> units_of(const Order& order, const Wiring& wiring) {
    std::vector<int> unit_of(wiring.parts.size(), 0);
    std::vector<Unit> units(order.groups.size());
    const auto sources = sources_of(wiring);
    const auto each_part = [&](std::size_t u, auto visit) {
        for (const int part : order.groups[u].nodes) visit(static_cast<std::size_t>(part));
        for (const int part : order.groups[u].breakers) visit(static_cast<std::size_t>(part));
    };
    for (std::size_t u = 0; u < units.size(); ++u)
        each_part(u, [&](std::size_t part) { unit_of[part] = static_cast<int>(u); });
    for (std::size_t u = 0; u < units.size(); ++u)
        each_part(u, [&](std::size_t part) {
            const Slot& slot = *wiring.parts[part].slot;
            units[u].ns += cost_ns(slot);
            units[u].stays = units[u].stays || slot.description.input_channels.empty() ||
                             slot.description.output_channels.empty();
            for (const int source : sources[part])
                if (const int from = unit_of[source]; from != static_cast<int>(u))
                    units[u].sources.push_back(from);
        });
    return units;
}

}  // namespace

Compiled compile(const Wiring& wiring, const CompileOptions& options) {
    std::vector<bool> breakers;
    for (const WiredPart& part : wiring.parts) breakers.push_back(part.slot->breaker != nullptr);
    const Order order = order_nodes(sources_of(wiring), breakers);
    if (!order.bad_cycle.empty()) return {.plan = nullptr, .bad_cycle = order.bad_cycle};
    Draft draft(wiring, options);
    draft.recalls();
    Branches branches;
    if (options.threads > 1)
        branches = find_branches(units_of(order, wiring), options.least_branch_ns / options.max_frames);
    for (const Branch& branch : branches.list) {
        draft.begin_task();
        for (const int unit : branch.units) draft.group(order.groups[unit]);
    }
    if (branches.list.empty())
        for (const OrderGroup& group : order.groups) draft.group(group);
    return {.plan = place(draft, branches, wiring, options), .bad_cycle = {}};
}

}  // namespace gainstage
