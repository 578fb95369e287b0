#pragma once
/// The classic digital compressor: feed-forward, in decibels, with a sidechain.

#include <array>

#include "nodes/dsp/gain_computer.hpp"
#include "nodes/dsp/knobs.hpp"
#include "nodes/dsp/smooth_detector.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// D. Giannoulis, M. Massberg, J. Reiss, "Digital dynamic range compressor design - a tutorial and analysis",
/// JAES 60(6), 2012: level in dB -> static curve (eq. 4) -> smooth detector (eq. 17 or 16) -> gain.
///
///     out = (1 - mix) in + mix * 10^((makeup_db - reduction_db) / 20) in
///
/// Times are to 63 %. With `link` the louder channel of the key turns both channels down by the same amount.
/// No look-ahead, no latency.
class Compressor final : public Node {
public:
    enum Param { threshold_db, ratio, knee_db, attack_ms, release_ms, makeup_db, mix_percent, param_count };
    enum Reading { gain_reduction_db };

    static const NodeType& type();

    explicit Compressor(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList& list) override { list.add(detector_); }
    std::int64_t memory_samples() const noexcept override { return memory_samples_; }

private:
    void update(const Block&, std::uint64_t time) noexcept;

    // fixed after construction
    const int channels_, detectors_;
    const DetectorKind kind_;
    const double sample_rate_hz_;
    const std::int64_t memory_samples_;
    // audio thread: settings that follow from the knobs
    GainComputer curve_;
    Mapped<double> attack_, release_;
    double attack_remaining_ = 0., release_remaining_ = 0.;
    float makeup_db_ = 0.f, mix_ = 1.f;
    // state, audio thread
    std::array<SmoothDetector, max_channels> detector_;
};

}  // namespace gainstage
