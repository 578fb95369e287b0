#include "runtime/realtime/round.hpp"

namespace gainstage {

/// Reads the task set after the round number. The compare-and-swap fails if the round has changed, so a stale
/// set is never acted on: in another plan a worker may take other tasks.
Round::Claim Round::claim(Owner who) noexcept GAINSTAGE_REALTIME {
    std::uint64_t claimed = claimed_.load(std::memory_order_acquire);
    for (;;) {
        const std::uint64_t done = done_.load(std::memory_order_acquire);
        if (round_of(done) != round_of(claimed)) return {};
        const TaskSet allowed = who == Owner::audio ? every_task : anyone_.load(std::memory_order_relaxed);
        const int task = choose(set_of(claimed), set_of(done), allowed,
                                [this](int t) noexcept { return needs_[t].load(std::memory_order_relaxed); });
        if (task < 0) return {};
        if (claimed_.compare_exchange_strong(claimed, claimed | task_bit(task), std::memory_order_acq_rel,
                                             std::memory_order_acquire))
            return {.task = task, .round = round_of(claimed)};
    }
}

bool Round::finish(Claim mine) noexcept GAINSTAGE_REALTIME {
    std::uint64_t done = done_.load(std::memory_order_acquire);
    while (round_of(done) == mine.round)
        if (done_.compare_exchange_strong(done, done | task_bit(mine.task), std::memory_order_acq_rel,
                                          std::memory_order_acquire))
            return true;
    return false;
}

void Round::open(const Tasks& tasks) noexcept GAINSTAGE_REALTIME {
    for (std::size_t t = 0; t < tasks.list.size(); ++t)
        needs_[t].store(tasks.list[t].needs, std::memory_order_relaxed);
    anyone_.store(tasks.anyone, std::memory_order_relaxed);
    ++round_;
    done_.store(word(round_, ~tasks.all), std::memory_order_release);
    claimed_.store(word(round_, ~tasks.all), std::memory_order_release);
}

void Round::finish_own(int task) noexcept GAINSTAGE_REALTIME {
    done_.fetch_or(task_bit(task), std::memory_order_acq_rel);
}

TaskSet Round::stop_claims() noexcept GAINSTAGE_REALTIME {
    return set_of(claimed_.exchange(word(round_, every_task), std::memory_order_acq_rel));
}

TaskSet Round::stop_finishes() noexcept GAINSTAGE_REALTIME {
    ++round_;
    return set_of(done_.exchange(word(round_, every_task), std::memory_order_acq_rel));
}

}  // namespace gainstage
