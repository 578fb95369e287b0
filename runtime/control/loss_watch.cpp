#include "runtime/control/loss_watch.hpp"

#include <utility>

namespace gainstage {

namespace {
constexpr std::chrono::seconds tell_every{1};
}  // namespace

std::vector<Loss> LossWatch::look(Clock::time_point time, bool last) {
    std::vector<Loss> losses;
    for (Watched& watched : watched_) {
        const std::uint64_t before = now_(), count = watched.counter();
        if (count != std::exchange(watched.seen, count)) watched.to = now_() + margin_();
        if (count == watched.told) {
            watched.from = before;
        } else if (last || time >= watched.next) {
            losses.push_back({.kind = watched.kind,
                              .from = watched.from,
                              .to = watched.to,
                              .count = count - std::exchange(watched.told, count)});
            watched.from = before;
            watched.next = time + tell_every;
        }
    }
    return losses;
}

}  // namespace gainstage
