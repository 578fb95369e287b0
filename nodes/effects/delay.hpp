#pragma once
/// The same sound, later; and the node through which a loop may run.

#include "nodes/dsp/delay_line.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// Whole samples: delay_ms is rounded to them, the option delay_samples gives them exactly. When the knob
/// moves, the sound fades from the old tap to the new one (no change of pitch) for as long as the knob's ramp
/// would last; a move during a fade waits for its end, and of several only the last counts. Without a ramp
/// (smooth_ms = 0) the tap jumps.
///
/// In a loop the latency of the loop's other nodes is taken off, so that the loop takes exactly as long as
/// the patch says; at least 1 sample is left (less is a SetupError, or, where a knob asks for it, 1).
class Delay final : public LoopBreaker {
public:
    enum Param { delay_ms };
    static constexpr float longest_ms = 2000.f;
    static constexpr int longest_fixed_samples = 192'000;

    static const NodeType& type();

    explicit Delay(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void emit(const Block&) noexcept GAINSTAGE_REALTIME override;
    void absorb(const Block&) noexcept GAINSTAGE_REALTIME override;
    int shortest_delay_samples(const Ramp* params,
                               std::uint64_t time) const noexcept GAINSTAGE_REALTIME override;
    void reset() noexcept GAINSTAGE_REALTIME override;
    void copy_state(const Node& twin) noexcept GAINSTAGE_REALTIME override;
    std::int64_t memory_samples() const noexcept override { return longest_; }

private:
    /// What is heard: `to`, or on the way there a mixture with `from`. Delays in samples.
    struct Taps {
        bool chosen = false;  ///< since reset
        int from = 0, to = 0;
        Ramp fade = settled(1.f);  ///< share of `to`
    };

    int samples_of(float ms) const noexcept;
    void choose_taps(const Ramp& knob, std::uint64_t time) noexcept;
    void read(const Block&, std::int64_t first, int least_delay) noexcept;
    void read_plain(const Block&, int begin, int end, std::int64_t first, int delay) noexcept;
    void read_fading(const Block&, int begin, int end, std::int64_t first, int least_delay) noexcept;

    // fixed after construction
    const int channels_;
    const double samples_per_ms_;
    const int fixed_samples_;  ///< 0: the knob counts
    const int loop_latency_;
    const int longest_;
    // state, audio thread
    Taps taps_;
    std::vector<DelayLine> lines_;  ///< per channel
};

}  // namespace gainstage
