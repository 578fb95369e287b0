#pragma once
/// Threads that help the audio thread with branches of a plan. The audio thread runs every task that no
/// worker has begun. It waits only for tasks that a worker is running, and gives up after `patience_ms`.
///
/// Workers are never woken. They poll while a block is due or playing, and sleep by their own clocks in
/// between (pace.hpp). A late worker finds its work done.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/realtime/pace.hpp"
#include "runtime/realtime/plan.hpp"
#include "runtime/realtime/round.hpp"
#include "runtime/thread.hpp"

namespace gainstage {

struct CrewConfig {
    int threads = 1;              ///< the audio thread counts; 1: nobody helps; at most Crew::max_threads
    double least_branch_us = 3.;  ///< what a branch must cost in a block to be worth a hand-over
    /// How long the audio thread waits in one piece of the stream for workers that do not come back from a
    /// branch. The default is for offline use.
    double patience_ms = 60'000.;
    int period_frames = 0;                  ///< of the device's blocks; 0: offline
    std::function<void()> prepare = {};     ///< run once on every worker (its priority)
    void (*around)(bool begins) = nullptr;  ///< run on the worker around every branch (the tests' guard)
};

/// Written by the audio thread, read by any.
struct CrewStats {
    std::atomic<std::uint64_t> shared{0};  ///< pieces that a worker had a part in
    std::atomic<std::uint64_t> alone{0};   ///< pieces with branches that no worker came to in time
    std::atomic<std::uint64_t> waits{0};   ///< pieces in which the audio thread waited for a worker
    std::atomic<std::uint64_t> longest_wait_ticks{0};
    std::atomic<std::uint64_t> stalls{0};  ///< branches that were given up
};

class Crew {
public:
    static constexpr int max_threads = 16;

    /// Control thread; the workers begin. Those for which the system has no thread are missing.
    Crew(const CrewConfig&, double sample_rate_hz);
    ~Crew();
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    // control thread
    /// Ends the workers, after the last play(). Waits for a worker that is stuck.
    void dismiss();
    /// No worker is in a branch that was given up. Until then, free nothing that it may touch. Any thread.
    bool is_whole() const noexcept { return abroad_.load(std::memory_order_acquire) == 0; }
    const CrewStats& stats() const noexcept { return stats_; }
    /// Why workers are missing; empty: none is.
    const std::string& shortage() const noexcept { return shortage_; }

    // audio thread
    /// Around the pieces of a block, so that workers know when to poll.
    /// `freewheels`: the driver waits, so nobody is given up before two seconds.
    void begin_block(bool freewheels = false) noexcept GAINSTAGE_REALTIME;
    void end_block() noexcept GAINSTAGE_REALTIME;
    /// Plays a plan that has tasks. Adds branches that it gives up to the plan's `lost`.
    void play(Plan&, Piece&) noexcept GAINSTAGE_REALTIME;
    /// Before a plan plays for the first time: switches off the slots in which a worker was given up.
    void leave_out_the_lost(Plan&) noexcept GAINSTAGE_REALTIME;

private:
    void begin();
    struct alignas(64) Worker {
        std::atomic<int> step{-1};  ///< the plan's step that it is in
        Thread thread;
    };
    // workers
    void work(Worker&) noexcept;
    void run(Worker&, Round::Claim) noexcept GAINSTAGE_REALTIME;
    void finish(Task&, Round::Claim) noexcept GAINSTAGE_REALTIME;
    void rest() const;
    // audio thread
    void run_alone(Plan&, Piece&, TaskSet) noexcept GAINSTAGE_REALTIME;
    void hand_out(const Plan&, const Piece&) noexcept GAINSTAGE_REALTIME;
    void run_own(const Plan&, int task) noexcept GAINSTAGE_REALTIME;
    bool play_together(const Plan&) noexcept GAINSTAGE_REALTIME;
    void give_up(Plan&, Piece&) noexcept GAINSTAGE_REALTIME;
    NodeKey stands_in(const Plan&, const Task&) const noexcept GAINSTAGE_REALTIME;
    void count_wait(std::uint64_t ticks) noexcept GAINSTAGE_REALTIME;

    const CrewConfig config_;
    const Pace pace_;
    const std::uint64_t patience_ticks_, freewheel_patience_ticks_;
    const std::uint64_t stand_in_ramp_;  ///< samples

    Round round_;
    // Written before a round is opened, read by those who claimed in it.
    const Plan* plan_ = nullptr;
    Piece piece_;

    alignas(64) std::atomic<std::uint64_t> begun_{0};  ///< ticks at which the latest block began
    std::atomic<bool> playing_{false}, leaving_{false};
    std::atomic<int> abroad_{0};  ///< workers in branches that were given up
    CrewStats stats_;
    std::string shortage_;

    // audio thread only
    bool has_tasks_ = false;  ///< the latest plan
    bool ever_lost_ = false;
    bool is_patient_ = false;
    std::vector<Worker> workers_;
};

}  // namespace gainstage
