#include "runtime/plan/compile/layout.hpp"

namespace gainstage {

namespace {

class LayingOut {
public:
    LayingOut(std::span<const StepBuffers> steps, int buffers)
        : steps_(steps), last_use_(static_cast<std::size_t>(buffers), -1), task_(last_use_.size(), none) {
        layout_.place.resize(last_use_.size(), none);
        layout_.stand_in.resize(last_use_.size(), none);
        free_.resize(steps.empty() ? 1 : static_cast<std::size_t>(steps.back().task) + 1);
    }

    Layout run() {
        layout_.place[silence] = layout_.places++;
        for (int s = 0; s < count(); ++s) {
            for (const BufferId b : steps_[s].reads) note_use(b, s);
            for (const BufferId b : steps_[s].writes) note_use(b, s);
        }
        // Outputs take their places before the inputs leave theirs: the two never share.
        for (int s = 0; s < count(); ++s) {
            for (const BufferId b : steps_[s].writes) take(b, steps_[s].task);
            for (const BufferId b : steps_[s].reads) release(b, s);
            for (const BufferId b : steps_[s].writes) release(b, s);
        }
        return std::move(layout_);
    }

private:
    static constexpr int none = Layout::none;
    int count() const { return static_cast<int>(steps_.size()); }

    void note_use(BufferId b, int step) {
        const int task = steps_[step].task;
        last_use_[b] = step;
        if (task_[b] == none) task_[b] = task;
        if (b != silence && task_[b] != task && layout_.stand_in[b] == none)
            layout_.stand_in[b] = layout_.places++;
    }
    void take(BufferId b, int task) {
        std::vector<int>& free = free_[task];
        if (b == silence || layout_.place[b] != none) return;
        if (free.empty() || layout_.stand_in[b] != none) {
            layout_.place[b] = layout_.places++;
        } else {
            layout_.place[b] = free.back();
            free.pop_back();
        }
    }
    void release(BufferId b, int step) {
        if (b == silence || last_use_[b] != step || layout_.stand_in[b] != none) return;
        last_use_[b] = -1;  // a step may name a buffer twice
        free_[steps_[step].task].push_back(layout_.place[b]);
    }

    const std::span<const StepBuffers> steps_;
    Layout layout_;
    std::vector<int> last_use_, task_;    // per buffer: the last step and the first task that use it
    std::vector<std::vector<int>> free_;  // per task: places that nobody uses now
};

}  // namespace

Layout lay_out(std::span<const StepBuffers> steps, int buffers) {
    return LayingOut(steps, buffers).run();
}

}  // namespace gainstage
