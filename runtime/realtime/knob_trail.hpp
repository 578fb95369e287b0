#pragma once
/// The latest moves of all knobs: newcomers make them too.

#include <atomic>
#include <bit>
#include <cstdint>

#include "runtime/realtime/flood.hpp"
#include "runtime/realtime/large_array.hpp"
#include "runtime/realtime/transition.hpp"

namespace gainstage {

/// A ring of numbered moves; a scene is one of them, however many knobs it moves. The audio thread writes it,
/// and makes newcomers that catch up with the stream move. The control thread reads it at its leisure,
/// without a lock, and sees where a move was overwritten before it came. The constructor allocates all there
/// is, and touches it.
class KnobTrail {
public:
    struct Move {
        NodeKey key = 0;
        std::int32_t param = 0;
        Ramp ramp{};
    };

    /// Holds at least so many moves.
    explicit KnobTrail(int moves = QueueSizes().moves) : size_(places(moves)), places_(size_) {}

    // audio thread
    void add(const Move&) noexcept GAINSTAGE_REALTIME;
    void add_cue(const SceneCue& cue) noexcept GAINSTAGE_REALTIME {
        add({.key = key_of(cue), .param = param_of(cue), .ramp = ramp_of(cue)});
    }
    /// The ring still holds every move that the warming has not made.
    bool reaches(const Warming&) const noexcept GAINSTAGE_REALTIME;
    /// Makes the moves up to and including the warming's present time. Returns the sample of the next one, at
    /// most `end`.
    std::uint64_t move_due(Warming&, std::uint64_t end) const noexcept GAINSTAGE_REALTIME;

    // any thread
    /// How many moves there were so far.
    std::uint64_t count() const noexcept GAINSTAGE_REALTIME { return next_.load(std::memory_order_acquire); }
    std::uint64_t size() const noexcept { return size_; }
    /// REQUIRES: `number` < count(). False: it was overwritten, or is being so.
    bool read(std::uint64_t number, Move&) const noexcept GAINSTAGE_REALTIME;

    std::size_t bytes() const noexcept { return size_ * sizeof(Place); }

private:
    /// A move in words that two threads may touch: its first sample, length and begin, end and key, param and
    /// law.
    struct Place {
        std::atomic<std::uint64_t> words[4];
    };

    static std::uint64_t places(int moves) noexcept {
        return std::bit_ceil(static_cast<std::uint64_t>(moves) + 1);
    }

    const std::uint64_t size_;  // a power of two
    const LargeArray<Place> places_;
    std::atomic<std::uint64_t> next_{0};
};

}  // namespace gainstage
