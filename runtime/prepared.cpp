#include "runtime/prepared.hpp"

#include <fmt/format.h>

#include <atomic>

namespace gainstage {

namespace {
std::atomic<std::uint64_t> preparations_made{0}, preparations_freed{0};
}

Prepared::Prepared() noexcept {
    preparations_made.fetch_add(1, std::memory_order_relaxed);
}

Prepared::~Prepared() {
    preparations_freed.fetch_add(1, std::memory_order_relaxed);
}

Prepared::Counts Prepared::counts() noexcept {
    const std::uint64_t freed = preparations_freed.load(), made = preparations_made.load();
    return {.made = made, .alive = made - freed};
}

std::unique_ptr<Node> Prepared::make(const Setup& setup) const {
    const PreparedFacts& known = facts();
    if (!same_rate(setup.sample_rate_hz, known.sample_rate_hz))
        throw SetupError(
            fmt::format("{}: its weights are for {:g} Hz and don't run at {:g} Hz; run the "
                        "device at {:g} Hz",
                        known.file, known.sample_rate_hz, setup.sample_rate_hz, known.sample_rate_hz));
    return build(setup);
}

}  // namespace gainstage
