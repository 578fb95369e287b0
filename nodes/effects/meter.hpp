#pragma once
/// Shows levels and changes nothing.

#include "runtime/node.hpp"

namespace gainstage {

/// Passes `in` through bit for bit, and reports
/// - peak_dbfs: the highest sample of any channel; falls by 20 dB per second after it;
/// - rms_dbfs: mean power of the channels, averaged exponentially over 300 ms (a full-scale sine shows -3);
/// - gain_reduction_db: how far the RMS of `in` lies below that of `reference`. With `reference` before a
///   compressor and `in` behind it, this is its gain reduction. 0 without a cable at `reference`, and while
///   either is near silence.
/// No reading falls below -144.
class Meter final : public Node {
public:
    enum Input { in, reference };
    enum Reading { peak_dbfs, rms_dbfs, gain_reduction_db };
    static constexpr double window_s = 0.3, fall_db_per_s = 20.;
    static constexpr float near_silence_dbfs = -100.f;

    static const NodeType& type();

    explicit Meter(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList& list) override { list.add(levels_); }
    /// The sound has none; the readings fade.
    std::optional<std::int64_t> exact_memory_samples() const noexcept override { return 0; }

private:
    struct Levels {
        double peak = 0.;   ///< amplitude, with its fall
        double power = 0.;  ///< mean square of `in`
        double reference_power = 0.;
    };
    void report(const Block&) const noexcept;

    // fixed after construction
    const int channels_;
    const double fall_, weight_;  ///< per sample: factor of the peak, weight of the newest power
    // state, audio thread
    Levels levels_;
};

}  // namespace gainstage
