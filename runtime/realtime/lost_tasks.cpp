#include "runtime/realtime/lost_tasks.hpp"

#include <algorithm>

namespace gainstage {

namespace {

bool is_in(TaskSet set, std::size_t task) noexcept {
    return (set & task_bit(static_cast<int>(task))) != 0;
}

void redirect(PortBuffer* ports, const PortBuffer* first, const PortBuffer* all, int count,
              const Crossing& crossing) noexcept {
    for (int p = 0; p < count; ++p)
        for (float*& channel : ports[first - all + p].channel)
            if (channel == crossing.sound) channel = crossing.stand_in;
}

/// In every step but those of the lost tasks.
void use_stand_in(Plan& plan, const Crossing& crossing) noexcept {
    const PortBuffer* all = plan.ports.data();
    for (std::size_t t = 0; t < plan.tasks->list.size(); ++t) {
        if (is_in(plan.tasks->lost, t)) continue;
        for (int s = plan.tasks->list[t].begin; s < plan.tasks->list[t].end; ++s) {
            const Step& step = plan.steps[s];
            redirect(plan.ports.data(), step.inputs, all, step.input_count, crossing);
            redirect(plan.ports.data(), step.outputs, all, step.output_count, crossing);
        }
    }
}

}  // namespace

void lose_tasks(Plan& plan, TaskSet lost, std::uint64_t time) noexcept GAINSTAGE_REALTIME {
    Tasks& tasks = *plan.tasks;
    tasks.lost = lost;
    tasks.lost_since = time;
    for (std::size_t t = 0; t < tasks.list.size(); ++t)
        if (is_in(lost, t))
            for (Slot* slot : tasks.list[t].slots) slot->lose();
    for (const Crossing& crossing : tasks.crossings)
        if (crossing.writer & lost) use_stand_in(plan, crossing);
}

void part_from_lost(Plan& plan) noexcept GAINSTAGE_REALTIME {
    for (const Crossing& crossing : plan.tasks->crossings)
        if (crossing.readers & plan.tasks->lost) use_stand_in(plan, crossing);
}

void fill_stand_ins(Tasks& tasks, const Piece& piece,
                    std::uint64_t ramp_samples) noexcept GAINSTAGE_REALTIME {
    const std::uint64_t since = piece.time - tasks.lost_since;
    for (const Crossing& crossing : tasks.crossings) {
        if (!(crossing.writer & tasks.lost)) continue;
        for (int k = 0; k < piece.frames; ++k) {
            const std::uint64_t done = since + static_cast<std::uint64_t>(k) + 1;
            const float left =
                done < ramp_samples ? 1.f - static_cast<float>(done) / static_cast<float>(ramp_samples) : 0.f;
            crossing.stand_in[k] = crossing.last * left;
        }
    }
}

void hold_histories(Tasks& tasks, TaskSet set, bool held) noexcept GAINSTAGE_REALTIME {
    for (std::size_t t = 0; t < tasks.list.size(); ++t)
        if (is_in(set, t))
            for (History* history : tasks.list[t].histories) history->hold(held);
}

void switch_off_lost(Plan& plan) noexcept GAINSTAGE_REALTIME {
    for (Step& step : plan.steps) {
        if (step.kind == StepKind::loop)
            step.is_off = std::any_of(step.delays->begin(), step.delays->end(),
                                      [](const Slot* delay) { return delay->is_lost; });
        if (!step.node || !step.slot->is_lost) continue;
        step.is_off = true;
        step.is_plain = false;
    }
}

void keep_last(Tasks& tasks, int frames) noexcept GAINSTAGE_REALTIME {
    for (Crossing& crossing : tasks.crossings)
        if (crossing.writer & tasks.anyone & ~tasks.lost) crossing.last = crossing.sound[frames - 1];
}

}  // namespace gainstage
