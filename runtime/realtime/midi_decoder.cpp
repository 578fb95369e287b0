#include "runtime/realtime/midi_decoder.hpp"

#include <algorithm>
#include <cstdlib>

namespace gainstage {

namespace {

/// "All sound off", "reset all controllers" and so on: the message alone counts, its value says little.
constexpr bool is_deed(int controller) noexcept {
    constexpr int first_channel_mode = 120, local_control = 122;
    return controller >= first_channel_mode && controller != local_control;
}

constexpr float position_of_7_bits(int value) noexcept {
    return static_cast<float>(value) / 127.f;
}

constexpr float position_of_14_bits(int value) noexcept {
    return static_cast<float>(value) / 16383.f;
}

/// 8192 is at rest; one more value lies below it than above.
constexpr float position_of_bend(int value) noexcept {
    return value <= 8192 ? static_cast<float>(value) / 16384.f
                         : 0.5f + static_cast<float>(value - 8192) / 16382.f;
}

}  // namespace

std::span<const MidiEvent> MidiDecoder::decode(const MidiMessage& message) noexcept GAINSTAGE_REALTIME {
    count_ = 0;
    const auto [status, first, second] = message.bytes;
    MidiEvent event{.channel = static_cast<std::uint8_t>((status & 0x0F) + 1)};
    if (message.size == 2 && (status & 0xF0) == 0xC0) {
        event.source = MidiSource::program;
        event.coarse = first;
        event.position = position_of_7_bits(first);
        event.pressed = true;
        add(event);
        return {events_.data(), count_};
    }
    if (message.size != 3) return {};
    switch (status & 0xF0) {
        case 0x80:
        case 0x90:
            event.source = MidiSource::note;
            event.number = first;
            event.pressed = (status & 0xF0) == 0x90 && second > 0;
            event.coarse = event.pressed ? second : std::uint8_t{0};
            event.position = position_of_7_bits(event.coarse);
            add(event);
            break;
        case 0xB0:
            control_change(channels_[status & 0x0F], event, first, second);
            break;
        case 0xE0:
            event.source = MidiSource::pitchbend;
            event.coarse = second;
            event.pressed = second >= 96;
            event.position = position_of_bend(second * 128 + first);
            add(event);
            break;
        default:
            break;
    }
    return {events_.data(), count_};
}

void MidiDecoder::control_change(Channel& channel, MidiEvent event, int number,
                                 std::uint8_t value) noexcept GAINSTAGE_REALTIME {
    event.source = MidiSource::cc;
    event.number = static_cast<std::uint16_t>(number);
    event.coarse = value;
    event.pressed = value >= 64 || is_deed(number);
    event.position = position_of_7_bits(value);
    add(event);
    if (number < 64) {
        event.source = MidiSource::cc14;
        event.number = static_cast<std::uint16_t>(number % 32);
        add_joined(event, channel.controllers[event.number], number >= 32, value);
    }
    data_entry(channel, event, number, value);
}

void MidiDecoder::data_entry(Channel& channel, MidiEvent event, int number,
                             std::uint8_t value) noexcept GAINSTAGE_REALTIME {
    event.source = MidiSource::nrpn;
    event.number = static_cast<std::uint16_t>(channel.nrpn_coarse * 128 + channel.nrpn_fine);
    const bool selected = channel.nrpn_selected && event.number != 16383;
    switch (number) {
        case 99:
        case 98: {
            std::uint8_t& half = number == 99 ? channel.nrpn_coarse : channel.nrpn_fine;
            if (half != value)
                channel.data = {.has_fine = channel.data.has_fine,
                                .fine_first = channel.data.fine_first};  // another parameter's data
            half = value;
            channel.nrpn_selected = true;
            break;
        }
        case 101:
        case 100:
            channel.nrpn_selected = false;
            break;
        case 6:
        case 38:
            if (selected) add_joined(event, channel.data, number == 38, value);
            break;
        case 96:
        case 97:
            event.step = number == 96 ? 1 : -1;
            event.pressed = number == 96;
            if (selected) add(event);
            break;
        default:
            break;
    }
}

void MidiDecoder::Joined::judge(bool is_fine) noexcept GAINSTAGE_REALTIME {
    constexpr int smooth = 48, rough = 80;  // a coarse step is 128
    constexpr int enough = 3;               // there are two at each place
    std::int16_t& before = is_fine ? at_fine : at_coarse;
    std::int16_t& leap = is_fine ? fine_leap : coarse_leap;
    if (is_fine == last_was_fine) {  // halves that don't take turns say nothing
        at_fine = at_coarse = fine_leap = coarse_leap = -1;
        evidence = 0;
    }
    last_was_fine = is_fine;
    const auto value = static_cast<std::int16_t>(coarse * 128 + last_fine);
    leap = static_cast<std::int16_t>(before < 0 ? -1 : std::abs(value - before));
    before = value;
    if (is_fine || fine_leap < 0 || coarse_leap < 0) return;
    if (coarse_leap <= smooth && fine_leap >= rough)
        evidence = static_cast<std::int8_t>(std::min(evidence + 1, enough));
    if (fine_leap <= smooth && coarse_leap >= rough)
        evidence = static_cast<std::int8_t>(std::max(evidence - 1, -enough));
    if (std::abs(evidence) == enough) fine_first = evidence > 0;
}

void MidiDecoder::add_joined(MidiEvent event, Joined& joined, bool is_fine,
                             std::uint8_t value) noexcept GAINSTAGE_REALTIME {
    if (is_fine) {
        joined.fine = joined.last_fine = value;
        joined.has_fine = true;
    } else {
        joined.coarse = value;
        joined.fine = 0;
    }
    joined.judge(is_fine);
    event.fine_first = joined.fine_first;
    event.refines = is_fine;
    event.coarse = joined.coarse;
    event.pressed = joined.coarse >= 64;
    const auto position = [&joined](int fine) {
        return joined.has_fine ? position_of_14_bits(joined.coarse * 128 + fine)
                               : position_of_7_bits(joined.coarse);
    };
    event.position = position(joined.fine);
    event.position_after_fine = position(joined.last_fine);
    add(event);
}

void MidiDecoder::add(const MidiEvent& event) noexcept GAINSTAGE_REALTIME {
    events_[count_++] = event;  // at most one per source: cc, cc14, nrpn
}

}  // namespace gainstage
