#include "runtime/plan/compile/make_tasks.hpp"

#include <algorithm>

namespace gainstage {

namespace {

bool mentions(const PortBuffer* ports, int count, const float* sound) {
    return std::any_of(ports, ports + count, [&](const PortBuffer& port) {
        return port.channel[0] == sound || (port.channels > 1 && port.channel[1] == sound);
    });
}

Task task_of(const Plan& plan, const Branch& branch, int begin, int end) {
    Task task;
    task.begin = begin;
    task.end = end;
    task.needs = branch.needs;
    task.anyone = branch.anyone;
    for (int s = begin; s < end; ++s) {
        const Step& step = plan.steps[s];
        if (step.node && (task.slots.empty() || task.slots.back() != step.slot))
            task.slots.push_back(step.slot);
        if (step.kind == StepKind::remember) task.histories.push_back(step.history);
    }
    return task;
}

Crossing crossing_of(const Plan& plan, const Tasks& tasks, float* sound, float* stand_in) {
    Crossing crossing{.sound = sound, .stand_in = stand_in};
    for (std::size_t t = 0; t < tasks.list.size(); ++t)
        for (int s = tasks.list[t].begin; s < tasks.list[t].end; ++s) {
            const Step& step = plan.steps[s];
            const TaskSet here = task_bit(static_cast<int>(t));
            if (mentions(step.outputs, step.output_count, sound)) crossing.writer |= here;
            if (mentions(step.inputs, step.input_count, sound)) crossing.readers |= here;
        }
    return crossing;
}

}  // namespace

std::unique_ptr<Tasks> make_tasks(const Plan& plan, const Branches& branches, const std::vector<int>& begins,
                                  const std::vector<std::pair<float*, float*>>& shared) {
    auto tasks = std::make_unique<Tasks>();
    for (std::size_t t = 0; t < begins.size(); ++t) {
        const int end = t + 1 < begins.size() ? begins[t + 1] : static_cast<int>(plan.steps.size());
        tasks->list.push_back(task_of(plan, branches.list[t], begins[t], end));
        const TaskSet bit = task_bit(static_cast<int>(t));
        tasks->all |= bit;
        if (branches.list[t].anyone) tasks->anyone |= bit;
    }
    for (const auto& [sound, stand_in] : shared)
        tasks->crossings.push_back(crossing_of(plan, *tasks, sound, stand_in));
    return tasks;
}

int least_frames(const Branches& branches, const CompileOptions& options) {
    if (options.least_branch_ns <= 0. || branches.second_ns <= 0.) return 1;
    return std::max(1, static_cast<int>(0.5 * options.least_branch_ns / branches.second_ns));
}

}  // namespace gainstage
