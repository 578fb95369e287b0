#pragma once
/// What a test and its test card share: a file that both map into memory, also when the card plays in another
/// process.

#include <atomic>
#include <cstdint>

#include "runtime/io/sample_format.hpp"

namespace gainstage::test {

/// What a card can do. Its output leads to its input by a cable.
struct CardAbility {
    int in_channels = 2, out_channels = 2;  ///< no more and no less; 0: it has no such direction
    int rate_hz = 48'000;
    SampleFormat format = SampleFormat::f32;
    bool interleaved = true;
    int block_frames = 0;  ///< it has only these; 0: any
    int most_periods = 0;  ///< of its buffers; 0: many
    /// False: it waits for whoever plays, and each wait lasts exactly until the next block. True: it has a
    /// clock.
    bool keeps_time = false;
    double drift_ppm = 0.;     ///< of the clock
    int cable_frames = 0;      ///< so much later a sound that goes out comes in
    int skew_frames = 0;       ///< the output begins later than it was started by so much
    bool plays_noise = false;  ///< its input is card_noise(), not the cable
    std::uint64_t most_frames = ~std::uint64_t{0};  ///< then its clock stands still
};

struct CardState {
    static constexpr int most_channels = 8, kept_frames = 1 << 16;
    static constexpr int in = 0, out = 1;

    CardAbility ability;

    // What happens to it, at once.
    std::atomic<int> skipped_frames{0};  ///< its clock jumps once by so much, as if nobody had come in time
    std::atomic<bool> is_unplugged{false}, sleeps{false}, is_busy{false}, hangs{false};

    // What it has seen.
    std::atomic<int> starts[2]{}, xruns[2]{}, transfers_odd{0};
    std::atomic<int> block_frames[2]{}, buffer_frames[2]{};

    // The card itself.
    std::atomic<std::uint64_t> clock{0};    ///< frames since it was opened first
    std::atomic<std::uint64_t> began[2]{};  ///< on the clock: since when each direction runs
    std::atomic<bool> runs[2]{};
    std::atomic<std::uint64_t> moved[2]{};  ///< frames that were read or written since prepare
    std::int64_t epoch_ns = 0;              ///< steady clock at 0 of `clock`
    std::uint32_t played[kept_frames]
                        [most_channels]{};  ///< the latest output since prepare, as the card has it
};

/// The input of a card that plays noise: any sample of any channel, as the card has it in the lower bytes of
/// a word. Half of full scale at most.
inline std::uint32_t card_noise(SampleFormat format, std::uint64_t frame, int channel) {
    std::uint64_t mixed = (frame * 8 + static_cast<std::uint64_t>(channel) + 1) * 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ mixed >> 29) * 0xbf58476d1ce4e5b9U;
    const auto sample = static_cast<float>(static_cast<std::int32_t>(mixed >> 40) - (1 << 23)) * 0x1p-24f;
    std::uint32_t word = 0;
    encode(format, &sample, reinterpret_cast<std::byte*>(&word), 4, 1);
    return word;
}

}  // namespace gainstage::test
