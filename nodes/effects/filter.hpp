#pragma once
/// A two-pole filter that may be swept by hand: low, high and band pass, notch, shelves, bell.

#include <array>
#include <optional>

#include "nodes/dsp/knobs.hpp"
#include "nodes/dsp/svf.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// gain_db lifts the shelf or the bell; in the other modes it lifts everything that passes. Lowpass and
/// highpass fall by 12 dB per octave. While knobs move, the coefficients are computed for every sample;
/// cutoff and q move on a logarithmic scale. A cutoff above 0.49 of the sample rate acts as 0.49 of it.
class Filter final : public Node {
public:
    enum Param { cutoff_hz, q, gain_db, param_count };

    static const NodeType& type();

    explicit Filter(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList& list) override { list.add(state_); }
    std::int64_t memory_samples() const noexcept override { return memory_samples_; }

private:
    void update(float cutoff, float resonance, float gain) noexcept;

    // fixed after construction
    const SvfMode mode_;
    const int channels_;
    const double sample_rate_hz_;
    const std::int64_t memory_samples_;
    // state, audio thread
    struct State {
        LogRamp cutoff, resonance;
        std::array<Svf, max_channels> svf;
    } state_;
    // audio thread
    std::array<float, 3> knobs_{-1.f, -1.f, 0.f};  ///< the coefficients belong to these
    SvfCoefficients coefficients_;
};

}  // namespace gainstage
