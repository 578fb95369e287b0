#pragma once
/// The last node before the loudspeakers: nothing leaves it above the ceiling.

#include <array>
#include <vector>

#include "nodes/dsp/knobs.hpp"
#include "nodes/dsp/lookahead_gain.hpp"
#include "nodes/dsp/true_peak.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// Looks ahead: the sound is delayed by lookahead_ms (and 13 samples of peak detection), the gain falls along
/// an S within that time and is there when the peak comes out.
///
/// - No sample is ever above the ceiling, not by one bit: what rounding leaves is clipped.
/// - With true_peak the sound between the samples stays below it too, within 0.1 dB, for sounds below 0.45
///   of the sample rate, where converters begin to cut as well. White noise up to half the rate may exceed it
///   by 1.5 dB.
/// - NaN and infinities at the input become silence.
/// - Below the ceiling the output is the input, latency_samples() later, bit for bit.
///
/// While the ceiling moves, the gain aims at where it will be when the sound comes out. Only what was under
/// way when a move down began is clipped to it: over the usual 20 ms, too little to hear.
class Limiter final : public Node {
public:
    enum Param { ceiling_dbfs, release_ms, param_count };
    enum Reading { gain_reduction_db };

    static const NodeType& type();

    explicit Limiter(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void reset() noexcept GAINSTAGE_REALTIME override;
    void copy_state(const Node&) noexcept GAINSTAGE_REALTIME override;
    int latency_samples() const noexcept override { return latency_; }
    std::int64_t memory_samples() const noexcept override { return memory_samples_; }

private:
    static constexpr int piece_frames = TruePeak::max_frames;
    using Piece = std::array<float, piece_frames>;

    void take(const Block&, int first, int frames) noexcept;
    void give(const Block&, int first, int frames) noexcept;
    void update(const Block&, std::uint64_t time) noexcept;

    // fixed after construction
    const int channels_, detectors_;
    const double sample_rate_hz_;
    const bool true_peak_;
    const int lookahead_, latency_;
    const std::int64_t memory_samples_;
    // audio thread: what the knobs say
    Mapped<float> ceiling_of_, coming_ceiling_of_;
    Mapped<double> release_of_;
    float ceiling_ = 1.f;         ///< now
    double coming_ceiling_ = 1.;  ///< lowest until the sound that comes in now goes out
    double release_ = 0.;         ///< what remains after a sample
    // audio thread: one piece of every channel
    std::array<Piece, max_channels> sound_, peaks_;
    float least_gain_ = 1.f;
    // audio thread: state
    std::array<TruePeak, max_channels> detector_;
    std::vector<LookaheadGain> gain_;  ///< one per detector
    std::array<std::vector<float>, max_channels> delay_;
    int delay_now_ = 0;
};

}  // namespace gainstage
