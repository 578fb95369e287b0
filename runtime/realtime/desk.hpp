#pragma once
/// Where messages become moves of knobs.

#include <cstdint>
#include <vector>

#include "runtime/realtime/knob_trail.hpp"
#include "runtime/realtime/midi_decoder.hpp"
#include "runtime/realtime/outbox.hpp"

namespace gainstage {

/// Moves the knobs of the score that plays, remembers and reports every move, and keeps what the controllers
/// of every MIDI port have said so far. Audio thread; the constructor allocates all there is.
class Desk {
public:
    /// `decoders`: one for each port, from 0 on. Messages of other ports are passed over.
    Desk(double sample_rate_hz, int decoders, KnobTrail&, Outbox&);

    /// A controller's message, by the score's map. True: it asks for a panic.
    bool receive(Score&, const Event& midi, std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    /// A knob by its name's number. Does nothing where an edit that overtook the event took the node or the
    /// knob away.
    void turn(Score&, const Event&, std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    /// A scene, by its name's number or by its neighbour. Does nothing where the patch has no such scene.
    void choose(Score&, const Event&, std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    /// The moves that belong to an edit.
    void follow(Score&, const std::vector<KnobMove>&, std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    /// All nodes have forgotten what they heard: newcomers forget it at the same sample.
    void forget(std::uint64_t now) noexcept GAINSTAGE_REALTIME;

private:
    class Hands;  // what the MIDI map sees of the desk
    friend class Hands;

    void move(TargetSlot&, std::int32_t param, float value, float smooth_ms,
              std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    /// Moves all knobs of the scenes, by one entry of the trail.
    void follow(Score&, const SceneCue&) noexcept GAINSTAGE_REALTIME;
    void choose(Score&, int scene, float morph_ms, bool by_midi,
                std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    void morph(Score&, int morph, float position, float smooth_ms,
               std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    Ramp start_ramp(Slot&, std::int32_t param, float value, float smooth_ms,
                    std::uint64_t now) noexcept GAINSTAGE_REALTIME;

    const double sample_rate_hz_;
    KnobTrail& trail_;
    Outbox& outbox_;
    std::vector<MidiDecoder> decoders_;  // per port
};

}  // namespace gainstage
