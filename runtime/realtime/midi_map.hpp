#pragma once
/// The [[midi]] table of a plan at work: controller moves become knob moves, in stream time.

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/graph/graph.hpp"
#include "runtime/realtime/midi_curve.hpp"
#include "runtime/realtime/midi_decoder.hpp"
#include "runtime/realtime/midi_message.hpp"
#include "runtime/realtime/nonblocking.hpp"

namespace gainstage {

/// What a mapping needs from the engine. Audio thread.
class MidiHost {
public:
    virtual ~MidiHost() = default;
    /// Where the target is going, in its units (not the point that its ramp has reached); bypass and mute: 0
    /// or 1. Sees what set() wrote before. Never asked for `panic`.
    virtual float value(const GraphTarget&) const noexcept GAINSTAGE_REALTIME = 0;
    virtual void set(const GraphTarget&, float value, float smooth_ms) noexcept GAINSTAGE_REALTIME = 0;
    virtual void panic() noexcept GAINSTAGE_REALTIME = 0;
};

/// One mapping: its settings, and what it remembers of its control.
struct MidiMapping {
    // settings, fixed after construction
    GraphTarget target;
    std::uint64_t id = 0;  ///< of source and target's name; node indices differ from plan to plan
    int channel = 0;       ///< 1..16; 0: omni
    MidiMode mode = MidiMode::absolute;
    MidiTakeover takeover = MidiTakeover::pickup;
    MidiCurveScale scale;
    float smooth_ms = 20.f;
    int steps = 0;     ///< the target takes only so many values
    double tick = 0.;  ///< travel of one tick of an encoder

    // state
    struct State {
        bool heard = false;  ///< the control has spoken: `control` and `coarse` are known
        bool holds = false;  ///< pickup: the control has the knob
        bool moved = false;  ///< this mapping has set the target: `position` belongs to `last_value`
        std::uint8_t coarse = 0;
        bool pressed = false;
        double control = 0.;   ///< where the control stands
        double position = 0.;  ///< where the knob stands, before rounding to steps
        float last_value = 0.f;
    } state;
};

/// Decodes messages and moves every target that listens. Built on the control thread with its plan;
/// afterwards audio thread only, allocates nothing, and a message costs as many steps as mappings listen to
/// its control.
///
/// - absolute: the control's travel is the target's range. Takeover, when knob and control disagree (someone
///   else moved the knob): `jump` goes there; `pickup` waits until the control reaches or crosses the knob;
///   `scale` divides the travel that both have left in proportion, so that they meet at the end. A note's
///   velocity always jumps and its release does nothing: a key has no place from which it could be picked up.
/// - relative: a tick moves the knob from its present value by 1/127 of the curve's travel, by one value
/// where
///   the target has steps. 2c: 1 = +1, 127 = -1; offset64: 65 = +1, 63 = -1; signbit: 1 = +1, 65 = -1. The
///   14-bit sources count in their coarse half.
/// - toggle: a press goes to `max`, or to `min` from the half nearer to `max`. momentary: `max` while
/// pressed,
///   then `min`. trigger: a press goes to `max`. A press is a rise through the middle, or the same high value
///   again (pedals that send nothing when let go).
/// - NRPN increment and decrement (96, 97) are a tick in all modes, for buttons a press and a release.
/// - `panic` is fired by a press in any mode.
class MidiMap {
public:
    explicit MidiMap(const std::vector<GraphMidi>&);

    void receive(const MidiMessage&, MidiHost&) noexcept GAINSTAGE_REALTIME;

    /// Takes over from the table of the plan before: what controllers said, and which mappings (same source,
    /// same target name) hold their knob. Linear in the number of mappings.
    void adopt(const MidiMap& old) noexcept GAINSTAGE_REALTIME;

private:
    std::span<const std::uint32_t> listeners(const MidiEvent&) const noexcept GAINSTAGE_REALTIME;
    void build_index(const std::vector<GraphMidi>&);

    MidiDecoder decoder_;
    std::vector<MidiMapping> mappings_;     ///< in the patch's order
    std::vector<std::uint32_t> by_id_;      ///< indices of mappings, sorted by id
    std::vector<std::uint32_t> first_;      ///< per control: where its listeners begin
    std::vector<std::uint32_t> listeners_;  ///< indices of mappings, grouped by control
};

}  // namespace gainstage
