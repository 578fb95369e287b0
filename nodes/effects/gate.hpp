#pragma once
/// Turns down soft sound: hum, spill, noise between the notes.

#include <vector>

#include "nodes/dsp/knobs.hpp"
#include "nodes/dsp/sliding_maximum.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// Opens when the peak level of the key reaches threshold_db. Begins to close when the level has stayed below
/// threshold_db - hysteresis_db for hold_ms. The gain of the closed gate is range_db. Attack and release are
/// exponential, to 63 % of the way in gain: the release falls by 8.7 dB per release_ms. A fully open gate
/// changes no bit. The level is the highest peak of the last 12.5 ms, half a period of 40 Hz: steady tones
/// from there on have no ripple.
class Gate final : public Node {
public:
    enum Param { threshold_db, hysteresis_db, range_db, attack_ms, hold_ms, release_ms, param_count };
    enum Reading { gain_reduction_db };
    static constexpr double level_window_ms = 12.5;

    static const NodeType& type();

    explicit Gate(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList& list) override { list.add(door_); }
    std::int64_t memory_samples() const noexcept override { return memory_samples_; }

private:
    /// One detector and its gain.
    struct Door {
        SlidingMaximum peak;
        bool open = false;
        int hold_left = 0;     ///< samples
        double openness = 0.;  ///< 0: range_db, 1: untouched

        void list_state(StateList& list) { list.add(peak, open, hold_left, openness); }
    };
    void update(const Block&, std::uint64_t time) noexcept;
    float gain_of(Door&, float level) noexcept;

    // fixed after construction
    const int channels_, detectors_;
    const double sample_rate_hz_;
    const std::int64_t memory_samples_;
    // audio thread: settings that follow from the knobs
    Mapped<float> open_above_, close_below_, closed_gain_;
    Mapped<double> attack_, release_;
    struct {
        float open_above = 1.f, close_below = 1.f;
        double closed_gain = 1.;
        int hold = 0;
        double attack = 0., release = 0.;
    } now_;
    // state, audio thread
    std::vector<Door> door_;  ///< one per detector
};

}  // namespace gainstage
