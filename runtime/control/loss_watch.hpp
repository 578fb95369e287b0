#pragma once
/// Sees what queues have dropped, and when.

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "runtime/engine/loss.hpp"

namespace gainstage {

/// Looks at counters that only rise. What is lost between two looks lies between their samples. Control
/// thread.
class LossWatch {
public:
    using Number = std::function<std::uint64_t()>;
    using Clock = std::chrono::steady_clock;

    /// `now`: samples of the stream so far. `margin`: how far the stream may be beyond that (a block).
    LossWatch(Number now, Number margin) : now_(std::move(now)), margin_(std::move(margin)) {}

    /// The counter must outlive the watch.
    void add(Loss::Kind kind, Number counter) {
        watched_.push_back({.kind = kind, .counter = std::move(counter)});
    }
    /// What has been lost since it was told last; each counter once a second at most, or all of it when this
    /// is the `last` look.
    std::vector<Loss> look(Clock::time_point, bool last = false);

private:
    struct Watched {
        Loss::Kind kind;
        Number counter;
        std::uint64_t told = 0, seen = 0;
        std::uint64_t from = 0;  // at this sample nothing was lost that is not told
        std::uint64_t to = 0;
        Clock::time_point next = {};  // may be told from then on
    };

    const Number now_;
    const Number margin_;
    std::vector<Watched> watched_;
};

}  // namespace gainstage
