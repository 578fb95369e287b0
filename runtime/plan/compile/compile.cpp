#include <algorithm>
#include <bit>

#include "runtime/plan/compile/make_tasks.hpp"
#include "runtime/plan/compile/steps.hpp"

namespace gainstage {

namespace {

constexpr std::size_t floats_per_line = 16;

Layout layout_of(const StepList& list) {
    std::vector<BufferId> ids;
    ids.reserve(list.ports.size() * max_channels);  // spans into it are kept
    std::vector<StepBuffers> steps;
    steps.reserve(list.steps.size());
    const PortIds* port = list.ports.data();
    const auto ids_of = [&](int count) {
        const std::size_t begin = ids.size();
        for (int p = 0; p < count; ++p, ++port)
            ids.insert(ids.end(), &port->channel[0], &port->channel[0] + port->channels);
        return std::span<const BufferId>(ids.data() + begin, ids.size() - begin);
    };
    int task = 0;
    const auto begins_next_task = [&](std::size_t step) {
        const auto next = static_cast<std::size_t>(task) + 1;
        return next < list.task_begins.size() && static_cast<std::size_t>(list.task_begins[next]) <= step;
    };
    for (std::size_t s = 0; s < list.steps.size(); ++s) {
        while (begins_next_task(s)) ++task;
        const auto reads = ids_of(list.steps[s].input_count);
        const auto writes = ids_of(list.steps[s].output_count);
        steps.push_back({reads, writes, task});
    }
    return lay_out(steps, list.buffers);
}

/// Gives a list of steps memory.
class Placer {
public:
    Placer(const StepList& list, const CompileOptions& options)
        : list_(list),
          layout_(layout_of(list)),
          stride_((static_cast<std::size_t>(options.max_frames) + floats_per_line - 1) / floats_per_line *
                  floats_per_line) {
        plan_->memory.assign(stride_ * static_cast<std::size_t>(layout_.places) + floats_per_line, 0.f);
        const auto address = std::bit_cast<std::uintptr_t>(plan_->memory.data());
        base_ = plan_->memory.data() + (64 - address % 64) % 64 / sizeof(float);
    }

    std::unique_ptr<Plan> run() {
        place_ports();
        place_steps();
        return std::move(plan_);
    }

    /// Crossings between tasks and their stand-ins.
    std::vector<std::pair<float*, float*>> crossings() const {
        std::vector<std::pair<float*, float*>> list;
        for (std::size_t b = 0; b < layout_.place.size(); ++b)
            if (layout_.stand_in[b] != Layout::none)
                list.emplace_back(sound_at(layout_.place[b]), sound_at(layout_.stand_in[b]));
        return list;
    }

private:
    float* sound_at(int place) const { return base_ + stride_ * static_cast<std::size_t>(place); }

    void place_ports() {
        plan_->ports.reserve(list_.ports.size());
        for (const PortIds& ids : list_.ports) {
            PortBuffer port{.channel = {base_, base_}, .channels = ids.channels};
            for (int c = 0; c < std::max(ids.channels, 1); ++c)
                port.channel[c] = sound_at(layout_.place[ids.channel[c]]);
            if (ids.channels == 1) port.channel[1] = port.channel[0];
            plan_->ports.push_back(port);
        }
    }

    void place_steps() {
        plan_->steps = list_.steps;
        const PortBuffer* port = plan_->ports.data();
        auto delays = list_.loops.begin();
        for (Step& step : plan_->steps) {
            step.inputs = port;
            step.outputs = port + step.input_count;
            port += step.input_count + step.output_count;
            plan_->node_steps += step.node != nullptr;
            if (step.kind != StepKind::loop) continue;
            plan_->loops.push_back(std::make_unique<std::vector<Slot*>>(*delays++));
            step.delays = plan_->loops.back().get();
        }
    }

    const StepList& list_;
    const Layout layout_;
    const std::size_t stride_;  // floats from one place to the next
    std::unique_ptr<Plan> plan_ = std::make_unique<Plan>();
    float* base_ = nullptr;
};

/// The groups of the order as units that may be handed to another thread.
std::vector<Unit> units_of(const Order& order, const Wiring& wiring) {
    const SourceLists sources = sources_of(wiring);
    std::vector<int> unit_of(wiring.slots.size(), 0);
    std::vector<Unit> units(order.groups.size());
    for (std::size_t u = 0; u < units.size(); ++u)
        for (const int part : order.all(order.groups[u])) unit_of[part] = static_cast<int>(u);
    for (std::size_t u = 0; u < units.size(); ++u)
        for (const int part : order.all(order.groups[u])) {
            const Slot& slot = *wiring.slots[part];
            units[u].ns += cost_ns(slot);
            units[u].stays = units[u].stays || slot.description.input_channels.empty() ||
                             slot.description.output_channels.empty();
            for (const int source : sources[part])
                if (const int from = unit_of[source]; from != static_cast<int>(u))
                    units[u].sources.push_back(from);
        }
    return units;
}

}  // namespace

SourceLists sources_of(const Wiring& wiring) {
    SourceLists sources;
    const auto add = [&](Feed feed) {
        for (const Source& source : feed)
            if (source.part >= 0) sources.add_source(source.part);
    };
    for (int part = 0; part < wiring.feeds.parts(); ++part) {
        sources.add_node();
        add(wiring.feeds.all_of(part));
        if (wiring.before.parts() > 0) add(wiring.before.all_of(part));
    }
    return sources;
}

std::vector<bool> breakers_of(const Wiring& wiring) {
    std::vector<bool> breakers;
    for (const auto& slot : wiring.slots) breakers.push_back(slot->breaker != nullptr);
    return breakers;
}

std::unique_ptr<Plan> compile(const Wiring& wiring, const Order& order, const CompileOptions& options) {
    Branches branches;
    if (options.threads > 1)
        branches = find_branches(units_of(order, wiring), options.least_branch_ns / options.max_frames);
    const StepList list = list_steps(wiring, order, branches, options);
    Placer placer(list, options);
    std::unique_ptr<Plan> plan = placer.run();
    plan->slots = wiring.slots;
    plan->histories = wiring.recalls;
    plan->fade = options.fade;
    plan->watched = options.watch;
    if (branches.list.empty()) return plan;
    plan->tasks = make_tasks(*plan, branches, list.task_begins, placer.crossings());
    plan->tasks->least_frames = least_frames(branches, options);
    return plan;
}

}  // namespace gainstage
