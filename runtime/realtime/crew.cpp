#include "runtime/realtime/crew.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <thread>

#include "runtime/realtime/denormals.hpp"
#include "runtime/realtime/lost_tasks.hpp"
#include "runtime/realtime/realtime_scope.hpp"

namespace gainstage {

namespace {

/// Tells the core that this loop waits.
void breathe() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

std::uint64_t in_ticks(double ms) {
    return static_cast<std::uint64_t>(ms * 1e-3 * ticks_per_second());
}

/// Branches that workers play never touch the device's channels.
const DeviceBlock no_device;

Piece part_of(const Piece& whole, const DeviceBlock* device) noexcept {
    Piece part = whole;
    part.device = device;
    part.trip_count = 0;
    return part;
}

void gather(const Task& task, Piece& piece) noexcept {
    const Piece& part = task.piece;
    piece.history_lost = piece.history_lost || part.history_lost;
    piece.trip_count += part.trip_count;
}

/// This thread is the only writer.
void count(std::atomic<std::uint64_t>& counter) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

Crew::Crew(const CrewConfig& config, double sample_rate_hz)
    : config_(config),
      pace_{.period = in_ticks(config.period_frames / sample_rate_hz * 1e3), .ms = in_ticks(1.)},
      patience_ticks_(in_ticks(config.patience_ms)),
      freewheel_patience_ticks_(in_ticks(2'000.)),
      stand_in_ramp_(static_cast<std::uint64_t>(std::lround(Quarantine::ramp_s * sample_rate_hz))),
      workers_(static_cast<std::size_t>(std::clamp(config.threads, 1, max_threads) - 1)) {
    try {
        begin();
    } catch (...) {  // no destructor runs
        dismiss();
        throw;
    }
}

void Crew::begin() {
    int begun = 1;
    try {
        for (Worker& worker : workers_) {
            worker.thread = Thread("gainstage-crew", [this, &worker] { work(worker); });
            ++begun;
        }
    } catch (const NoThread& cause) {
        shortage_ = fmt::format("{} of {} threads play: {}", begun, workers_.size() + 1, cause.what());
    }
}

Crew::~Crew() {
    dismiss();
}

void Crew::dismiss() {
    leaving_ = true;
    for (Worker& worker : workers_)
        if (worker.thread.joinable()) worker.thread.join();
}

// Workers

void Crew::work(Worker& me) noexcept {
    if (config_.prepare) config_.prepare();
    const FlushDenormals flush;
    while (!leaving_.load(std::memory_order_relaxed)) {
        const Round::Claim mine = round_.claim(Round::Owner::worker);
        if (mine.task < 0) {
            rest();
            continue;
        }
        if (config_.around) config_.around(true);
        run(me, mine);
        if (config_.around) config_.around(false);
    }
}

/// Step by step, so that the audio thread can tell where a worker is, and a worker that was given up leaves
/// soon.
void Crew::run(Worker& me, Round::Claim mine) noexcept GAINSTAGE_REALTIME {
    const DeviceCallbackScope scope;
    const Plan& plan = *plan_;
    Task& task = plan.tasks->list[mine.task];
    task.piece = part_of(piece_, &no_device);
    for (int step = task.begin; step < task.end && round_.is_open(mine);) {
        me.step.store(step, std::memory_order_relaxed);
        step = run_steps(plan, task.piece, step, step + 1);
    }
    finish(task, mine);
    me.step.store(-1, std::memory_order_relaxed);
}

/// Touches nothing of the plan after this.
void Crew::finish(Task& task, Round::Claim mine) noexcept GAINSTAGE_REALTIME {
    if (round_.finish(mine)) return;
    for (History* history : task.histories) history->hold(false);
    abroad_.fetch_sub(1, std::memory_order_release);
}

void Crew::rest() const {
    const std::uint64_t nap = pace_.nap(read_ticks(), begun_.load(std::memory_order_relaxed),
                                        playing_.load(std::memory_order_relaxed));
    if (nap == 0) return breathe();
    std::this_thread::sleep_for(std::chrono::nanoseconds(
        static_cast<std::int64_t>(1e6 * static_cast<double>(nap) / static_cast<double>(pace_.ms))));
}

// The audio thread

void Crew::begin_block(bool freewheels) noexcept GAINSTAGE_REALTIME {
    is_patient_ = freewheels;
    if (!has_tasks_) return;
    begun_.store(read_ticks(), std::memory_order_relaxed);
    playing_.store(true, std::memory_order_relaxed);
}

void Crew::end_block() noexcept GAINSTAGE_REALTIME {
    playing_.store(false, std::memory_order_relaxed);
}

void Crew::play(Plan& plan, Piece& piece) noexcept GAINSTAGE_REALTIME {
    Tasks& tasks = *plan.tasks;
    if (tasks.lost) {
        fill_stand_ins(tasks, piece, stand_in_ramp_);
        return run_alone(plan, piece, tasks.all & ~tasks.lost);
    }
    if (piece.frames < tasks.least_frames || !is_whole()) {
        run_plan(plan, piece);
    } else {
        hand_out(plan, piece);
        if (!play_together(plan)) return give_up(plan, piece);
        for (const Task& task : tasks.list) gather(task, piece);
    }
    keep_last(tasks, piece.frames);
}

void Crew::run_alone(Plan& plan, Piece& piece, TaskSet set) noexcept GAINSTAGE_REALTIME {
    for (const Task& task : plan.tasks->list)
        if (set & task_bit(static_cast<int>(&task - plan.tasks->list.data())))
            run_steps(plan, piece, task.begin, task.end);
}

void Crew::hand_out(const Plan& plan, const Piece& piece) noexcept GAINSTAGE_REALTIME {
    plan_ = &plan;
    piece_ = piece;
    round_.open(*plan.tasks);
}

void Crew::run_own(const Plan& plan, int number) noexcept GAINSTAGE_REALTIME {
    Task& task = plan.tasks->list[number];
    task.piece = part_of(piece_, piece_.device);
    run_steps(plan, task.piece, task.begin, task.end);
    round_.finish_own(number);
}

/// False: a worker stayed away too long.
bool Crew::play_together(const Plan& plan) noexcept GAINSTAGE_REALTIME {
    TaskSet own = 0;
    std::uint64_t waited = 0;
    bool in_time = true;
    while (round_.done() != Round::every_task) {
        if (const Round::Claim mine = round_.claim(Round::Owner::audio); mine.task >= 0) {
            run_own(plan, mine.task);
            own |= task_bit(mine.task);
            continue;
        }
        const std::uint64_t begin = read_ticks();
        breathe();
        waited += read_ticks() - begin;
        if (waited > (is_patient_ ? freewheel_patience_ticks_ : patience_ticks_)) {
            in_time = false;
            break;
        }
    }
    count(own == plan.tasks->all ? stats_.alone : stats_.shared);
    if (waited) count_wait(waited);
    return in_time;
}

void Crew::count_wait(std::uint64_t ticks) noexcept GAINSTAGE_REALTIME {
    count(stats_.waits);
    if (ticks > stats_.longest_wait_ticks.load(std::memory_order_relaxed))
        stats_.longest_wait_ticks.store(ticks, std::memory_order_relaxed);
}

/// First nobody may begin a task, then nobody may finish one. Tasks that were begun and are not finished are
/// lost. The rest of the piece plays with stand-ins.
void Crew::give_up(Plan& plan, Piece& piece) noexcept GAINSTAGE_REALTIME {
    Tasks& tasks = *plan.tasks;
    const TaskSet begun = round_.stop_claims() & tasks.all;
    const TaskSet perhaps = Round::lost(begun, round_.done());
    hold_histories(tasks, perhaps, true);
    const TaskSet done = round_.stop_finishes() & tasks.all;
    hold_histories(tasks, perhaps & done, false);
    const TaskSet lost = Round::lost(begun, done);
    if (lost) {
        ever_lost_ = true;
        abroad_.fetch_add(std::popcount(lost), std::memory_order_acq_rel);
        for (int n = std::popcount(lost); n > 0; --n) count(stats_.stalls);
        lose_tasks(plan, lost, piece.time);
        for (std::size_t t = 0; t < tasks.list.size(); ++t)
            if (lost & task_bit(static_cast<int>(t)))
                tasks.list[t].stands_in = stands_in(plan, tasks.list[t]);
        tasks.given_up.store(lost, std::memory_order_release);
        fill_stand_ins(tasks, piece, stand_in_ramp_);
    }
    for (const Task& task : tasks.list)
        if (done & task_bit(static_cast<int>(&task - tasks.list.data()))) gather(task, piece);
    run_alone(plan, piece, tasks.all & ~done & ~lost);
    if (lost)
        part_from_lost(plan);
    else
        keep_last(tasks, piece.frames);
}

NodeKey Crew::stands_in(const Plan& plan, const Task& task) const noexcept GAINSTAGE_REALTIME {
    int at = task.begin;
    for (const Worker& worker : workers_) {
        const int step = worker.step.load(std::memory_order_relaxed);
        if (step >= task.begin && step < task.end) at = step;
    }
    for (; at < task.end; ++at)
        if (const Step& step = plan.steps[at]; step.node) return step.slot->key;
    return task.slots.back()->key;
}

void Crew::leave_out_the_lost(Plan& plan) noexcept GAINSTAGE_REALTIME {
    has_tasks_ = plan.tasks != nullptr;
    if (ever_lost_) switch_off_lost(plan);
}

}  // namespace gainstage
