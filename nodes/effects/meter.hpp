#pragma once
/// Shows levels and changes nothing.

#include "runtime/node.hpp"

namespace gainstage {

/// Passes `in` through bit for bit, and reports
/// - peak_dbfs: the highest sample of any channel, falling 20 dB per second after it;
/// - rms_dbfs: power averaged over channels and, exponentially, over 300 ms (a full-scale sine shows -3);
/// - gain_reduction_db: how far `in` lies below `reference`, both in rms: with `reference` before a
/// compressor and `in`
///   behind it, what it takes away. 0 without a cable at `reference` and where either is near silence.
/// Readings never fall below -144.
class Meter final : public Node {
public:
    enum Input { in, reference };
    enum Reading { peak_dbfs, rms_dbfs, gain_reduction_db };
    static constexpr double window_s = 0.3, fall_db_per_s = 20.;
    static constexpr float near_silence_dbfs = -100.f;

    static const NodeType& type();

    explicit Meter(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void reset() noexcept GAINSTAGE_REALTIME override;
    void copy_state(const Node& twin) noexcept GAINSTAGE_REALTIME override;

private:
    struct Levels {
        double peak = 0.;   ///< amplitude, with its fall
        double power = 0.;  ///< mean square of `in`
        double reference_power = 0.;
    };
    void report(const Block&) const noexcept;

    // fixed after construction
    const int channels_;
    const double fall_, weight_;  ///< per sample: factor of the peak, share of the newest power
    // state, audio thread
    Levels levels_;
};

}  // namespace gainstage
