#pragma once
/// One [[midi]] entry at work: what a move of its control does to its target.

#include <cstdint>

#include "runtime/graph/graph.hpp"
#include "runtime/nonblocking.hpp"
#include "runtime/realtime/midi_curve.hpp"
#include "runtime/realtime/midi_decoder.hpp"

namespace gainstage {

/// Where the scenes stand on the way of a pedal.
struct MorphStand {
    bool is_held = false;   ///< the pedal has the knobs
    double position = -1.;  ///< 0..1 along its curve; < 0: at neither of its scenes
};

/// What a mapping needs from the engine. Audio thread.
class MidiHost {
public:
    virtual ~MidiHost() = default;
    /// Where the target is going, in its units (not the point that its ramp has reached); bypass and mute: 0
    /// or 1. Sees what set() wrote before. Asked for knobs, bypass and mute only.
    virtual float value(const GraphTarget&) const noexcept GAINSTAGE_REALTIME = 0;
    virtual void set(const GraphTarget&, float value, float smooth_ms) noexcept GAINSTAGE_REALTIME = 0;
    virtual void panic() noexcept GAINSTAGE_REALTIME = 0;
    /// The target is one of the scenes' kinds; `program`: the number of a program change.
    virtual void choose_scene(const GraphTarget&, int program) noexcept GAINSTAGE_REALTIME = 0;
    virtual MorphStand morph_stand(const GraphTarget&) const noexcept GAINSTAGE_REALTIME = 0;
    /// `position`: along the curve, 0..1.
    virtual void morph(const GraphTarget&, float position, float smooth_ms) noexcept GAINSTAGE_REALTIME = 0;
};

/// One mapping: its settings, and what it remembers of its control.
///
/// - absolute: the control's travel is the target's range. Takeover, when knob and control disagree (someone
///   else moved the knob): `jump` goes there; `pickup` waits until the control reaches the knob (to a step of
///   a 7-bit controller) or crosses it; `scale` moves both in proportion to the ways they have left, so that
///   they meet at the end at the latest. Where there is no way to travel it is always `jump`: for a note
///   (velocity; its release does nothing) and for a target of two values.
/// - relative: a tick moves the knob from its present value (from the nearest end of the range, where it is
///   beyond) by 1/127 of the curve's travel, or by one value where the target has coarser steps. 2c: 1 = +1,
///   127 = -1; offset64: 65 = +1, 63 = -1; signbit: 1 = +1, 65 = -1. 14-bit sources count in their coarse
///   half.
/// - toggle: a press goes to `max`, or to `min` where the knob is nearer to `max`. momentary: `max` when
///   pressed, `min` when let go. trigger: a press goes to `max`. A press is a rise through the middle (for a
///   trigger on a controller: any value above 0, as pads send), a note, or the same high value of a
///   controller again (from pedals that send nothing when let go). The channel mode messages, controllers 120
///   to 127 but 122, are a press whatever their value, which is 0 for most: "all sound off" can be mapped to
///   `panic`.
/// - order = lsb_first: a 14-bit control that sends its fine half first. Only the coarse half moves the knob,
///   with the fine half that came before it; a fine half alone waits for its coarse half. Without an order
///   the decoder says which half comes first.
/// - NRPN increment and decrement (96, 97) are a tick up and down; for buttons, a press and a release.
/// - `panic` and scenes are fired by a press, in any mode; `scene` by a program change.
/// - `morph`: a pedal has the knobs of all scenes from the moment at which it is picked up: where it stands
/// for
///   the scene that was chosen last, or, if that is neither of its two, at one of its ends. A scene takes the
///   knobs away from it.
struct MidiMapping {
    // settings, fixed after construction
    GraphTarget target;
    std::uint64_t id = 0;  ///< of source and target's name; node indices differ from plan to plan
    int channel = 0;       ///< 1..16; 0: omni
    MidiOrder order = MidiOrder::recognised;
    MidiMode mode = MidiMode::absolute;
    MidiTakeover takeover = MidiTakeover::pickup;
    MidiCurveScale scale;
    float smooth_ms = 20.f;
    int steps = 0;           ///< the target takes only so many values; 0: any
    float value_step = 0.f;  ///< what one tick of an encoder adds to a stepped target; else 0

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

/// Control thread.
MidiMapping mapping_of(const GraphMidi&);

/// Pick-up: the control stands where the knob does. `control`, `knob`: positions; `value`: the knob's, in its
/// units. Any thread.
bool has_reached(const MidiMapping&, double control, double knob, float value) noexcept GAINSTAGE_REALTIME;

/// The event, which is of the mapping's source and channel, does its work. Audio thread, bounded.
void receive(MidiMapping&, const MidiEvent&, MidiHost&) noexcept GAINSTAGE_REALTIME;

}  // namespace gainstage
