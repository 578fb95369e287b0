#pragma once
/// Plays its input later. A loop of cables must run through one.

#include "nodes/dsp/delay_line.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// Delays are whole samples: delay_ms is rounded, the option delay_samples is exact. When the knob moves, the
/// output fades from the old tap to the new one, without a change of pitch, for as long as the knob's ramp
/// lasts. A move during a fade waits until the fade ends; of several moves the last counts. Without a ramp
/// (smooth_ms = 0) the tap jumps.
///
/// The option longest_ms bounds delay_ms, and with it the memory that the node takes.
///
/// In a loop the delay is shorter by the latency of the loop's other nodes, so that one round takes exactly
/// as long as the patch says. It is at least 1 sample: a patch that asks for less gets a SetupError, a knob
/// gets 1.
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
    void list_state(StateList& list) override { list.add(taps_, lines_); }
    std::int64_t memory_samples() const noexcept override { return longest_; }
    std::optional<std::int64_t> exact_memory_samples() const noexcept override { return longest_; }

private:
    /// The tap that is heard, `to`; during a fade a mixture of `from` and `to`. Delays in samples.
    struct Taps {
        bool chosen = false;  ///< false before the first sample
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
    const int fixed_samples_;  ///< the option delay_samples; 0: the knob sets the delay
    const int loop_latency_;
    const int longest_;
    // state, audio thread
    Taps taps_;
    std::vector<DelayLine> lines_;  ///< per channel
};

}  // namespace gainstage
