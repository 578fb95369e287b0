#include <fmt/format.h>

#include <cstddef>
#include <utility>
#include <variant>

#include "runtime/control/answer.hpp"
#include "runtime/control/command.hpp"
#include "runtime/control/session_report.hpp"
#include "runtime/model/json_value.hpp"
#include "runtime/plain_text.hpp"
#include "runtime/resolve/resolve.hpp"

namespace gainstage {

using json = JsonValue;
using Kind = SessionReport::Kind;

namespace {

void add_event(json& object, const SessionReport& report) {
    const Event& event = report.event;
    switch (event.kind) {
        case EventKind::midi:
            object["midi"] =
                std::vector<int>(event.midi.bytes.begin(), event.midi.bytes.begin() + event.midi.size);
            object["port"] = event.port;
            break;
        case EventKind::knob:
        case EventKind::master:
            object["set"] = report.node + "." + report.parameter;
            object["value"] = event.value;
            object["smooth_ms"] = event.smooth_ms;
            break;
        case EventKind::scene:
            object["scene"] = report.parameter;
            if (event.smooth_ms >= 0.f) object["morph_ms"] = event.smooth_ms;
            break;
        case EventKind::fade_out:
            object["fade_out_ms"] = event.value;
            break;
        default:
            object["panic"] = true;
    }
}

const char* kind_of(const Event& event) {
    switch (event.kind) {
        case EventKind::midi:
            return "midi";
        case EventKind::knob:
        case EventKind::master:
            return "knob";
        case EventKind::scene:
            return "scene";
        default:
            return "action";
    }
}

json lost(const Loss& loss) {
    return {{"from", loss.from}, {"to", loss.to}, {word_of(loss.kind), loss.count}};
}

/// The key `driver` is missing where nobody knows.
json latency_json(const HeardLatency& heard) {
    json object{{"patch", heard.ms(heard.patch_samples)}, {"period", heard.ms(heard.period_samples)}};
    if (heard.driver_samples) object["driver"] = heard.ms(*heard.driver_samples);
    object["total"] = heard.total_ms();
    return object;
}

json master_json(const MasterKnobs& knobs) {
    return {{"gain_db", knobs.gain_db}, {"mute", knobs.mute > 0.f}, {"bypass", knobs.bypass > 0.f}};
}

void add_status(json& object, const LiveStatus& s) {
    object["in_peak_dbfs"] = s.in_peak_db;
    object["out_peak_dbfs"] = s.out_peak_db;
    object["load"] = s.load;
    object["worst_load"] = s.worst_load;
    object["xruns"] = s.xruns;
    object["quarantines"] = s.quarantines;
    object["resting"] = s.resting;
    object["memory_bytes"] = s.memory_bytes;
    json& readings = object["readings"] = json::List();
    for (const NodeReading& reading : s.readings)
        readings.push_back({{"node", reading.node},
                            {"name", reading.name},
                            {"unit", reading.unit},
                            {"value", reading.value}});
    object["scene"] = s.scene;
    object["usual_load"] = s.usual_load;
    object["latency_ms"] = latency_json(s.latency);
    object["midi_late"] = s.midi_late;
    object["master"] = master_json(s.master);
    object["last_midi"] = s.last_midi.control;
    object["last_midi_port"] = s.last_midi.port;
    object["last_midi_moves"] = s.last_midi.moves;
    object["last_midi_value"] = s.last_midi.value;
    object["last_midi_waits"] = s.last_midi.waits;
}

void add_summary(json& object, const LiveSummary& s) {
    object["seconds"] = s.seconds;
    object["blocks"] = s.blocks;
    object["xruns"] = s.xruns;
    object["late_blocks"] = s.late_blocks;
    object["worst_load"] = s.worst_load;
    object["worst_at_s"] = s.worst_at_s;
    object["swaps"] = s.swaps;
    object["edits"] = s.edits;
    object["quarantines"] = s.trips;
    object["refused"] = s.failures;
    object["midi_messages"] = s.midi_messages;
    object["midi_dropped"] = s.midi_dropped;
    object["midi_late"] = s.midi_late;
    object["reports_lost"] = s.reports_lost;
    object["events_lost"] = s.events_lost;
    object["moves_lost"] = s.moves_lost;
    object["commands_refused"] = s.commands_refused;
    object["log_lost"] = s.log_lost;
    object["queue_bytes"] = s.queue_bytes;
    object["swaps_postponed_turns"] = s.swaps_postponed;
    object["shared_pieces"] = s.shared_pieces;
    object["unshared_pieces"] = s.unshared_pieces;
    object["longest_wait_us"] = s.longest_wait_us;
    object["longest_turn_ms"] = s.longest_turn_ms;
    object["control_load"] = s.control_load;
    object["stalls"] = s.stalls;
    object["slowest_node"] = s.busiest.empty() ? std::string() : s.busiest.front().node;
    object["slowest_node_load"] = s.busiest.empty() ? 0. : s.busiest.front().load;
    json& busiest = object["busiest"] = json::List();
    for (const NodeLoad& node : s.busiest) busiest.push_back({{"node", node.node}, {"load", node.load}});
    object["usual_load"] = s.usual_load;
    object["block_frames"] = s.block_frames;
    object["verdict"] = s.verdict;
    object["recorded_s"] = s.recorded_s;
    object["record_lost_s"] = s.record_lost_s;
    object["device_lost"] = s.device_lost;
    object["incomplete"] = s.is_incomplete;
}

// what a command asked for

json knob_json(const std::string& node, const ParamSpec& spec, double value) {
    json knob{{"address", node + "." + spec.name},
              {"unit", spec.unit},
              {"min", spec.min},
              {"max", spec.max},
              {"value", value}};
    if (spec.steps > 1) knob["steps"] = spec.steps;
    return knob;
}

/// Its knobs, bypass and mute. `value`: the first of them.
json node_json(const GraphNode& node, const float* value) {
    json knobs = json::List();
    for (const std::string_view name : names_of_targets(node)) {
        const int param = node.param_index(name);
        const auto count = static_cast<std::ptrdiff_t>(node.params.size());
        if (param >= 0)
            knobs.push_back(knob_json(node.id, node.params[param], double{value[param]}));
        else
            knobs.push_back(knob_json(node.id, {.name = std::string(name), .steps = 2},
                                      double{value[name == "bypass" ? count : count + 1]}));
    }
    return {{"node", node.id}, {"type", node.type->name}, {"knobs", std::move(knobs)}};
}

std::string port_of(const GraphNode& node, const std::vector<PortSpec>& ports, int port) {
    return ports.size() > 1 ? node.id + "." + ports[port].name : node.id;
}

void add_body(json& object, const KnobValue& knob) {
    object["address"] = knob.address;
    object["value"] = knob.value;
    object["unit"] = knob.unit;
}

void add_body(json& object, const PlayingNodes& playing) {
    object["patch"] = playing.name;
    object["file"] = playing.file;
    json& nodes = object["nodes"] = json::List();
    const float* value = playing.values.data();
    for (const GraphNode& node : playing.nodes) {
        if (node.id.front() != '~') nodes.push_back(node_json(node, value));
        value += node.params.size() + Slot::extra_count;
    }
    json& links = object["links"] = json::List();
    for (const GraphLink& link : playing.links) {
        const GraphNode &from = playing.nodes[link.from], &to = playing.nodes[link.to];
        links.push_back(port_of(from, from.type->outputs, link.from_port) + " -> " +
                        port_of(to, to.type->inputs, link.to_port));
    }
    json& master = object["master"] = json::List();
    for (int k = 0; k < master_knob_count; ++k)
        master.push_back(
            knob_json("master", master_specs()[k], double{playing.master[static_cast<MasterKnob>(k)]}));
}

void add_body(json& object, const PlayingStatus& playing) {
    object["patch"] = playing.name;
    object["file"] = playing.file;
    object["device"] = {{"api", playing.device.api},
                        {"name", playing.device.name},
                        {"rate_hz", playing.device.rate_hz},
                        {"block_frames", playing.device.block_frames},
                        {"in_channels", playing.device.in_channels},
                        {"out_channels", playing.device.out_channels}};
    add_status(object, playing.status);
}

void add_body(json& object, const WrittenFile& written) {
    object["file"] = written.file;
    object["former"] = written.former;
    object["wrote"] = written.wrote;
}

void add_answer(json& object, const Answer& answer) {
    object["command"] = answer.command;
    if (!answer.id.empty()) object["id"] = answer.id;
    if (!answer.done) object["reason"] = answer.reason;
    if (answer.body) std::visit([&](const auto& body) { add_body(object, body); }, answer.body->value);
}

/// The keys that both `run --json` and the log of a take have.
void add_details(json& object, const SessionReport& report) {
    if (report.kind == Kind::event) return add_event(object, report);
    if (report.kind == Kind::lost) object["lost"] = lost(report.loss);
    if (report.kind != Kind::fade) return;
    if (report.warmed) object["warm_from"] = report.warm_from;
    if (!report.swapped.empty()) object["swapped"] = report.swapped;
    if (!report.returned.empty()) object["returned"] = report.returned;
}

void add_patch(json& object, const PlayedPatch& patch) {
    json models = json::Object();
    for (const PlayedPatch::PlayedModel& model : patch.models) models[model.path] = content_name(model.hash);
    object["play"] = {{"file", patch.file}, {"text", patch.text}, {"models", models}};
    if (patch.link_folders.empty()) return;
    object["play"]["folder"] = patch.folder;
    if (patch.link_folders.size() == 1)  // as earlier versions read it
        object["play"]["link_folder"] = patch.link_folders.front();
    else
        object["play"]["link_folder"] = patch.link_folders;
}

/// Bytes that are not UTF-8 are replaced.
std::string line_of(const json& object) {
    return plain_json(object.sorted_text());
}

}  // namespace

std::string content_name(std::uint64_t hash) {
    return fmt::format("{:016x}", hash);
}

std::string to_log_line(const SessionReport& report) {
    json object{{"at", report.at}};
    add_details(object, report);
    switch (report.kind) {
        case Kind::event:  // a scene that a message chose follows from that message
            if (report.event.kind == EventKind::scene && report.event.by_midi) return {};
            break;
        case Kind::lost:
            break;
        case Kind::fade:
            if (report.patch) add_patch(object, *report.patch);
            break;
        case Kind::quarantine:
        case Kind::latched:
            object["tripped"] = report.node;
            object["latched"] = report.kind == Kind::latched;
            break;
        case Kind::stalled:
            object["stalled"] = report.node;
            break;
        default:
            return {};
    }
    return line_of(object);
}

std::string log_end(const TakeRecording& recording) {
    const json recorded{{"frames", recording.frames},
                        {"channels", recording.channels},
                        {"fnv1a64", content_name(recording.print)}};
    return line_of(json{{"recorded", recorded}});
}

std::string log_head(double rate_hz, const Loss& loss) {
    json object{{"gainstage_log", 2}, {"sample_rate_hz", rate_hz}};
    if (loss.count > 0) object["lost"] = lost(loss);
    return line_of(object);
}

std::string to_json(const SessionReport& report) {
    json object{{"event", word_of(report.kind)}, {"at", report.at}, {"seconds", report.seconds}};
    if (!report.text.empty()) object["text"] = report.text;
    if (!report.node.empty()) object["node"] = report.node;
    if (report.kind == Kind::event) object["kind"] = kind_of(report.event);
    if (!report.midi.control.empty()) {
        object["control"] = report.midi.control;
        object["port_name"] = report.midi.port;
        object["moves"] = report.midi.moves;
    }
    add_details(object, report);
    if (report.status) add_status(object, *report.status);
    if (report.summary) add_summary(object, *report.summary);
    if (report.answer) add_answer(object, *report.answer);
    return line_of(object);
}

}  // namespace gainstage
