#pragma once
/// Keeps everything below a ceiling: the last node before the loudspeakers.

#include <array>
#include <vector>

#include "nodes/dsp/knobs.hpp"
#include "nodes/dsp/lookahead_gain.hpp"
#include "nodes/dsp/true_peak.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// Looks ahead: the sound is delayed by lookahead_ms (with true_peak by 13 samples more). Within that time
/// the gain falls along an S, and it has arrived when the peak comes out.
///
/// - No sample exceeds the ceiling by a single bit: excess from rounding is clipped.
/// - With true_peak the sound between the samples exceeds it by at most 0.1 dB. That holds up to 0.45 of the
///   sample rate, where converters begin to cut as well. White noise up to half the rate may exceed it by
///   1.5 dB.
/// - NaN and infinities at the input become silence.
/// - Below the ceiling the output is the input, latency_samples() later, bit for bit.
///
/// While the ceiling moves, the gain aims at the ceiling that will hold when the sound comes out. Sound that
/// was already inside when a downward move began is clipped: inaudible over the usual 20 ms.
class Limiter final : public Node {
public:
    enum Param { ceiling_dbfs, release_ms, param_count };
    enum Reading { gain_reduction_db };

    static const NodeType& type();

    explicit Limiter(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList& list) override {
        list.add(detector_, gain_, delay_, delay_now_);
        list.add_scratch(sound_, peaks_);
    }
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
    // audio thread: settings that follow from the knobs
    Mapped<float> ceiling_of_, coming_ceiling_of_;
    Mapped<double> release_of_;
    float ceiling_ = 1.f;         ///< now
    double coming_ceiling_ = 1.;  ///< the lowest until the present input comes out
    double release_ = 0.;         ///< share of the reduction that remains after a sample
    // scratch within one call: one piece of every channel
    std::array<Piece, max_channels> sound_, peaks_;
    float least_gain_ = 1.f;
    // state, audio thread
    std::array<TruePeak, max_channels> detector_;
    std::vector<LookaheadGain> gain_;  ///< one per detector
    std::array<std::vector<float>, max_channels> delay_;
    int delay_now_ = 0;
};

}  // namespace gainstage
