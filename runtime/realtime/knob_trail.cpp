#include "runtime/realtime/knob_trail.hpp"

#include <algorithm>

namespace gainstage {

namespace {

std::uint64_t word_of(std::uint32_t low, std::uint32_t high) noexcept {
    return std::uint64_t{high} << 32 | low;
}
std::uint32_t low(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word);
}
std::uint32_t high(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word >> 32);
}

}  // namespace

/// The words are stored with release: a reader that sees one of them sees the count before it too, and knows
/// that the place was taken again.
void KnobTrail::add(const Move& move) noexcept GAINSTAGE_REALTIME {
    const std::uint64_t number = next_.load(std::memory_order_relaxed);
    auto& words = places_.data()[number & (size_ - 1)].words;
    words[0].store(move.ramp.start, std::memory_order_release);
    words[1].store(word_of(move.ramp.length, std::bit_cast<std::uint32_t>(move.ramp.from)),
                   std::memory_order_release);
    words[2].store(word_of(std::bit_cast<std::uint32_t>(move.ramp.to), move.key), std::memory_order_release);
    words[3].store(word_of(static_cast<std::uint32_t>(move.param), move.ramp.by_ratio),
                   std::memory_order_release);
    next_.store(number + 1, std::memory_order_release);
}

bool KnobTrail::read(std::uint64_t number, Move& move) const noexcept GAINSTAGE_REALTIME {
    const auto& words = places_.data()[number & (size_ - 1)].words;
    const std::uint64_t start = words[0].load(std::memory_order_acquire),
                        length_and_from = words[1].load(std::memory_order_acquire),
                        to_and_key = words[2].load(std::memory_order_acquire),
                        param = words[3].load(std::memory_order_acquire);
    if (next_.load(std::memory_order_acquire) - number >= size_) return false;
    move = {.key = high(to_and_key),
            .param = static_cast<std::int32_t>(low(param)),
            .ramp = {.start = start,
                     .length = low(length_and_from),
                     .from = std::bit_cast<float>(high(length_and_from)),
                     .to = std::bit_cast<float>(low(to_and_key)),
                     .by_ratio = high(param) != 0}};
    return true;
}

bool KnobTrail::reaches(const Warming& warming) const noexcept GAINSTAGE_REALTIME {
    return next_.load(std::memory_order_relaxed) - warming.knob_sequence < size_;
}

std::uint64_t KnobTrail::move_due(Warming& warming, std::uint64_t end) const noexcept GAINSTAGE_REALTIME {
    const std::uint64_t count = next_.load(std::memory_order_relaxed);
    for (Move move; warming.knob_sequence < count; ++warming.knob_sequence) {
        read(warming.knob_sequence, move);
        if (move.ramp.start > warming.time) return std::min(end, move.ramp.start);
        move_warm_knob(warming, move.key, move.param, move.ramp);
    }
    return end;
}

}  // namespace gainstage
