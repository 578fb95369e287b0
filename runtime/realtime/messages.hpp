#pragma once
/// What travels between the audio thread and the control thread: plain values.

#include <cstdint>

#include "runtime/param.hpp"
#include "runtime/realtime/midi_message.hpp"
#include "runtime/realtime/slot.hpp"

namespace gainstage {

enum class EventKind : std::uint8_t {
    knob,         ///< a knob of `key` moves to `value`
    midi,         ///< a controller's message, decoded by the playing patch's map
    panic,        ///< silence, forget all sound in flight, come back
    panic_reset,  ///< the middle of a panic; made by the audio thread itself
    fade_out,     ///< the stream ends: to silence in `value` milliseconds
    scene,        ///< a scene is chosen
    master,       ///< the knob `param` of the master (a MasterKnob) moves to `value`
};

/// Which scene is asked for.
enum class SceneAsk : std::uint8_t { named, next, previous };

/// Something that happens at a sample of the stream.
struct Event {
    static constexpr std::uint64_t at_once = 0;  ///< stamp: as soon as it is read

    EventKind kind = EventKind::knob;
    std::uint8_t port = 0;  ///< midi: which input
    MidiMessage midi{};
    SceneAsk ask = SceneAsk::named;
    bool by_midi = false;  ///< scene, once told: a MIDI message chose it, which a replay hears by itself
    NodeKey key = 0;
    std::uint32_t knob = 0;   ///< number of its name, see slot.hpp
    std::int32_t param = -1;  ///< once applied: its index in the ramps of the slot that it moved; scene: its
                              ///< index in the graph; of the master always
    float value = 0.f;
    float smooth_ms = -1.f;  ///< < 0: as the knob or the scene says
    std::uint64_t stamp = at_once;

    /// scene, named: the number of its name is in `key` and `knob`.
    std::uint64_t scene_name() const noexcept GAINSTAGE_REALTIME { return std::uint64_t{key} << 32 | knob; }
    void set_scene_name(std::uint64_t number) noexcept {
        key = static_cast<NodeKey>(number >> 32);
        knob = static_cast<std::uint32_t>(number);
    }
};

/// A knob was asked beyond its range. For people; see outbox.hpp.
struct Report {
    std::uint64_t stamp = 0;
    NodeKey key = 0;
    std::int32_t param = 0;
    float value = 0.f;
};

}  // namespace gainstage
