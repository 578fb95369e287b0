#pragma once
/// Bytes -> what a controller did: joins the halves of 14-bit controllers and the parts of NRPNs.
/// Source: MIDI 1.0 Detailed Specification 4.2 (control change, registered and non-registered parameters).

#include <array>
#include <cstdint>
#include <span>

#include "runtime/nonblocking.hpp"
#include "runtime/patch/patch.hpp"
#include "runtime/realtime/midi_message.hpp"

namespace gainstage {

/// One move of one control. A message can be several: controller 6 is also the coarse half of 14-bit
/// controller 6 and, when an NRPN is selected, its data.
struct MidiEvent {
    MidiSource source = MidiSource::cc;
    std::uint8_t channel = 1;  ///< 1..16
    std::uint16_t number = 0;  ///< controller, NRPN or note; 0 for pitch bend and program change
    float position = 0.f;      ///< 0..1, both ends exact; pitch bend rests at exactly 0.5
    /// Of a coarse half: the position if the fine half was sent before it. Else the same as `position`.
    float position_after_fine = 0.f;
    bool fine_first = false;  ///< of a half: its sender sends the fine half first, as far as its moves show
    std::uint8_t coarse = 0;  ///< the upper 7 bits, what relative encoders speak in; a program's number
    bool pressed = false;     ///< as a button: upper half of a controller, upper quarter of a bend, note on
    bool refines = false;  ///< the fine half of a move that was already told: no second press, no second tick
    std::int8_t step = 0;  ///< +1, -1: NRPN data increment, decrement; `position` then says nothing
};

/// Keeps the running state of the 16 channels. Audio thread; allocates nothing; copying it copies the state.
///
/// 14 bits: a coarse half acts at once and sets the fine half to 0, as the standard has it; a fine half
/// refines. For controls that send the fine half first, a coarse half tells what it makes together with the
/// last fine half, too. Which half comes first shows where the coarse half changes in a slow move: read in
/// the right order the values go on smoothly, in the wrong one they leap by a coarse step. Two such places
/// decide. A sender that has not yet sent a fine half is taken for a 7-bit one, whose 127 is all the way up.
/// Data entry (6, 38, 96, 97) belongs to the NRPN that 99 and 98 selected last; an RPN (101, 100) or the null
/// NRPN (127, 127) ends that.
class MidiDecoder {
public:
    /// The events that the message makes, valid until the next call. Empty for message kinds that no source
    /// listens to (pressure).
    std::span<const MidiEvent> decode(const MidiMessage&) noexcept GAINSTAGE_REALTIME;

private:
    struct Joined {
        std::uint8_t coarse = 0, fine = 0;
        std::uint8_t last_fine = 0;  ///< as it was sent; a coarse half leaves it alone
        bool has_fine = false;       ///< this sender speaks 14 bits
        bool fine_first = false;

        /// Learns the order from a half that has just come.
        void judge(bool is_fine) noexcept GAINSTAGE_REALTIME;

        // what judge() keeps: values and leaps as the one order and the other have them, -1: none yet
        std::int16_t at_fine = -1, at_coarse = -1, fine_leap = -1, coarse_leap = -1;
        std::int8_t evidence = 0;  ///< for the fine half first, if above 0
        bool last_was_fine = false;
    };
    struct Channel {
        std::array<Joined, 32> controllers{};
        Joined data{};
        std::uint8_t nrpn_coarse = 127, nrpn_fine = 127;
        bool nrpn_selected = false;
    };

    void control_change(Channel&, MidiEvent, int number, std::uint8_t value) noexcept GAINSTAGE_REALTIME;
    void data_entry(Channel&, MidiEvent, int number, std::uint8_t value) noexcept GAINSTAGE_REALTIME;
    void add(const MidiEvent&) noexcept GAINSTAGE_REALTIME;
    void add_joined(MidiEvent, Joined&, bool is_fine, std::uint8_t value) noexcept GAINSTAGE_REALTIME;

    std::array<Channel, 16> channels_{};
    std::array<MidiEvent, 3> events_{};
    std::size_t count_ = 0;
};

}  // namespace gainstage
