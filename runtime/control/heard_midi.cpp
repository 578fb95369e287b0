#include "runtime/control/heard_midi.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/number_text.hpp"
#include "runtime/realtime/midi_mapping.hpp"

namespace gainstage {

namespace {

bool listens(const PatchMidi& entry, const MidiEvent& event) {
    return entry.source == event.source && entry.number == event.number &&
           (entry.channel == 0 || entry.channel == event.channel);
}

/// 98 and 99 choose an NRPN, 6 and 38 are its data: parts of a control, and no controls themselves.
bool is_part_of_nrpn(const MidiEvent& event) {
    return event.source == MidiSource::cc &&
           (event.number == 98 || event.number == 99 || event.number == 6 || event.number == 38);
}

/// "115" for a 7-bit controller, else "91 %".
std::string place_text(MidiSource source, double position) {
    if (source == MidiSource::cc) return fmt::format("{:.0f}", position * 127.);
    return fmt::format("{:.0f} %", position * 100.);
}

bool may_wait(const GraphMidi& midi, const MidiEvent& event) {
    if (midi.target.kind != TargetKind::parameter || event.refines || event.step != 0) return false;
    const MidiMapping mapping = mapping_of(midi);
    return mapping.mode == MidiMode::absolute && mapping.takeover == MidiTakeover::pickup;
}

std::string value_text(const Graph& graph, const GraphTarget& target, const MidiListener::Value& value) {
    if (target.kind != TargetKind::parameter || !value) return {};
    const std::optional<float> now = value(target);
    if (!now) return {};
    const std::string unit = graph.nodes[target.node].params[target.param].unit;
    return number_text(*now, 3) + (unit.empty() ? "" : " " + unit);
}

/// Where a control must go to take its knob; empty: it has it. A control that holds its knob stands where the
/// knob does.
std::string wait_text(const GraphMidi& midi, const MidiEvent& event, float value) {
    const MidiMapping mapping = mapping_of(midi);
    const double knob = mapping.scale.position_of(value), control = event.position;
    if (has_reached(mapping, control, knob, value)) return {};
    return fmt::format("waits: turn {} to {}", knob > control ? "up" : "down",
                       place_text(event.source, knob));
}

}  // namespace

std::string text_of(const MidiMessage& m) {
    if (m.size == 0) return {};
    const int channel = (m.bytes[0] & 0x0f) + 1;
    switch (m.bytes[0] & 0xf0) {
        case 0x80:
            return fmt::format("ch {} note {} off", channel, m.bytes[1]);
        case 0x90:
            return fmt::format("ch {} note {} {}", channel, m.bytes[1], m.bytes[2] ? "on" : "off");
        case 0xa0:
            return fmt::format("ch {} note {} pressure = {}", channel, m.bytes[1], m.bytes[2]);
        case 0xb0:
            return fmt::format("ch {} cc {} = {}", channel, m.bytes[1], m.bytes[2]);
        case 0xc0:
            return fmt::format("ch {} program {}", channel, m.bytes[1]);
        case 0xd0:
            return fmt::format("ch {} pressure = {}", channel, m.bytes[1]);
        default:
            return fmt::format("ch {} bend = {}", channel, (m.bytes[2] << 7 | m.bytes[1]) - 8192);
    }
}

std::string text_of(const HeardMidi& heard) {
    if (heard.control.empty()) return {};
    if (heard.moves.empty()) return heard.control + (heard.is_mapped ? "" : " (not mapped)");
    return fmt::format("{} -> {}{}{}{}", heard.control, heard.moves.front(),
                       heard.value.empty() || !heard.waits.empty() ? "" : " " + heard.value,
                       heard.moves.size() > 1 ? fmt::format(" and {} more", heard.moves.size() - 1) : "",
                       heard.waits.empty() ? "" : " " + heard.waits);
}

void MidiListener::set_ports(std::vector<std::string> names) {
    names_ = std::move(names);
    decoders_.resize(names_.size());
}

const std::string& MidiListener::port_name(std::size_t port) const {
    static const std::string unknown;
    return port < names_.size() ? names_[port] : unknown;
}

void MidiListener::hear(const MidiMessage& message, std::size_t port) {
    message_ = message;
    port_ = port;
    events_.clear();
    if (port >= decoders_.size()) return;
    for (const MidiEvent& event : decoders_[port].decode(message)) events_.push_back(event);
}

HeardMidi MidiListener::latest(const Graph* playing, const Value& value) const {
    HeardMidi heard{
        .control = text_of(message_), .port = port_name(port_), .moves = {}, .value = {}, .waits = {}};
    if (!playing) return heard;
    for (const GraphMidi& midi : playing->midi)
        for (const MidiEvent& event : events_) {
            const bool may_be_nrpn = midi.entry.source == MidiSource::nrpn && is_part_of_nrpn(event);
            heard.is_mapped = heard.is_mapped || may_be_nrpn;
            if (!listens(midi.entry, event)) continue;
            heard.is_mapped = true;
            heard.moves.push_back(midi.entry.target);
            if (heard.moves.size() == 1) heard.value = value_text(*playing, midi.target, value);
            if (!heard.waits.empty() || !may_wait(midi, event)) continue;
            if (const std::optional<float> now = value(midi.target))
                heard.waits = wait_text(midi, event, *now);
        }
    return heard;
}

}  // namespace gainstage
