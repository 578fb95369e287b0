#pragma once
/// Who runs which task of a plan: a round of work that several threads share without a lock.
///
/// Two words say all. Each holds the number of the round in its upper half and a set of tasks in the lower
/// one. Whoever comes late holds a word of an earlier round, so that its compare-and-swap fails.
///
///                    63           32 31            0
///                   +---------------+---------------+
///        claimed    |  round        |  begun tasks  |   a bit is set by whoever takes the task
///        done       |  round        |  over tasks   |   a bit is set by whoever finished it
///                   +---------------+---------------+   tasks that the plan does not have: set in both
///
///     audio thread                                          a worker
///     open()   needs, who may      --+
///              done    = (r, none)   |  released by
///              claimed = (r, none) --+  this store
///                                                           claim()  reads claimed, done, needs;
///     claim()  ...                                                   claimed |= bit   (CAS, same round)
///     run                                                   run
///     finish_own()  done |= bit                             finish() done |= bit      (CAS, same round)
///     all over?  next round
///
///     a worker stays away too long:
///     stop_claims()    claimed = (r, all)    nobody begins anything any more
///     stop_finishes()  done = (r + 1, all)   nobody finishes anything any more: begun and not over is lost
///                                                           finish() sees another round: the task is lost,
///                                                           and only the worker touches it
///
/// tests/runtime/realtime/round_test.cpp explores every order of these steps.

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include "runtime/nonblocking.hpp"
#include "runtime/realtime/tasks.hpp"

namespace gainstage {

class Round {
public:
    static constexpr TaskSet every_task = ~TaskSet{0};

    // How to read the words. Pure functions: the model check calls them too.
    static constexpr std::uint64_t word(std::uint32_t round, TaskSet set) noexcept GAINSTAGE_REALTIME {
        return std::uint64_t{round} << 32 | set;
    }
    static constexpr std::uint32_t round_of(std::uint64_t word) noexcept GAINSTAGE_REALTIME {
        return static_cast<std::uint32_t>(word >> 32);
    }
    static constexpr TaskSet set_of(std::uint64_t word) noexcept GAINSTAGE_REALTIME {
        return static_cast<TaskSet>(word);
    }
    /// The first task that may begin; -1: none. `needs(task)`: the tasks that must be over first.
    template <class Needs>
    static constexpr int choose(TaskSet claimed, TaskSet done, TaskSet allowed, Needs needs) noexcept {
        TaskSet open = ~claimed & allowed;
        while (open && (needs(std::countr_zero(open)) & ~done)) open &= open - 1;
        return open ? std::countr_zero(open) : -1;
    }
    static constexpr TaskSet lost(TaskSet begun, TaskSet done) noexcept GAINSTAGE_REALTIME {
        return begun & ~done;
    }

    struct Claim {
        int task = -1;  ///< -1: none
        std::uint32_t round = 0;
    };
    enum class Owner { audio, worker };

    // any thread
    /// Takes a task that may begin. A failure to take it means that somebody else took one, so the loop ends.
    Claim claim(Owner) noexcept GAINSTAGE_REALTIME;

    // workers
    /// False: the round was given up.
    bool is_open(Claim claim) const noexcept GAINSTAGE_REALTIME {
        return round_of(done_.load(std::memory_order_relaxed)) == claim.round;
    }
    /// The task is over. False: it was given up meanwhile.
    bool finish(Claim) noexcept GAINSTAGE_REALTIME;

    // audio thread
    /// Opens the next round. REQUIRES: all that its tasks read is written; the round before is over.
    void open(const Tasks&) noexcept GAINSTAGE_REALTIME;
    void finish_own(int task) noexcept GAINSTAGE_REALTIME;
    TaskSet done() const noexcept GAINSTAGE_REALTIME { return set_of(done_.load(std::memory_order_acquire)); }
    /// From now on nobody begins a task. Returns the tasks that were begun.
    TaskSet stop_claims() noexcept GAINSTAGE_REALTIME;
    /// From now on nobody finishes a task. Returns the tasks that are over. After stop_claims().
    TaskSet stop_finishes() noexcept GAINSTAGE_REALTIME;

private:
    alignas(64) std::atomic<std::uint64_t> claimed_{word(0, every_task)};
    alignas(64) std::atomic<std::uint64_t> done_{word(0, every_task)};
    // Written before a round is opened, read by those who claim in it.
    alignas(64) std::array<std::atomic<TaskSet>, max_tasks> needs_{};
    std::atomic<TaskSet> anyone_{0};
    std::uint32_t round_ = 0;  // audio thread
};

}  // namespace gainstage
