#include "tools/gainstage/completion.hpp"

#include <fmt/format.h>

#include <chrono>

#include "nodes/all_nodes.hpp"
#include "runtime/control/parse_command.hpp"
#include "runtime/control/session_socket.hpp"
#include "runtime/io/audio_devices.hpp"
#include "runtime/io/choose_device.hpp"
#include "runtime/io/midi_input.hpp"
#include "runtime/patch/read_patch.hpp"
#include "tools/gainstage/console.hpp"
#include "tools/gainstage/session_client.hpp"
#include "tools/gainstage/shipped.hpp"

namespace gainstage {

namespace {

void add_shipped(Shipped what, Offers& offers) {
    for (const std::string& name : shipped_names(what)) offers.values.push_back({name, ""});
}

/// Node types; behind a dot, the knobs and options of one.
void add_node_types(const std::string& begun, Offers& offers) {
    const std::size_t dot = begun.find('.');
    for (const NodeType& type : all_nodes()) {
        if (dot == std::string::npos) offers.values.push_back({type.name, type.summary});
        if (begun.substr(0, dot) != type.name || dot == std::string::npos) continue;
        for (const ParamSpec& knob : type.params)
            offers.values.push_back({type.name + "." + knob.name, knob.summary});
        for (const OptionSpec& option : type.options)
            offers.values.push_back({type.name + "." + option.name, option.summary});
    }
}

/// A server that does not answer has nothing to offer.
void add_devices(Offers& offers) {
    for (const std::string& api : compiled_audio_apis()) try {
            for (const AudioDeviceInfo& device : list_audio_devices(api))
                offers.values.push_back({device.name, fmt::format("{}, {} in, {} out", device.api,
                                                                  device.in_channels, device.out_channels)});
        } catch (const DeviceError&) {
        }
}

void add_midi_ports(Offers& offers) {
    try {
        for (const MidiPortInfo& port : list_midi_ports()) offers.values.push_back({port.name, port.api});
    } catch (const DeviceError&) {
    }
    offers.values.push_back({"virtual:", "a port of Gainstage's own, by the name that follows"});
}

void add_audio_apis(Offers& offers) {
    for (const std::string& api : compiled_audio_apis()) offers.values.push_back({api, ""});
}

/// Of the first word that is a patch with scenes.
void add_scenes(const std::vector<std::string>& words, Offers& offers) {
    for (const std::string& word : words) {
        if (word.empty() || word.front() == '-' || !offers.values.empty()) continue;
        const Meant meant = meant_file(word, {Shipped::patch}, false);
        if (!meant.fault.empty()) continue;
        for (const PatchScene& scene : read_patch_file(meant.file).patch.scenes)
            offers.values.push_back({scene.name, ""});
    }
}

void add_commands(Offers& offers) {
    for (const CommandWord& one : command_words()) offers.values.push_back({one.word, one.summary});
}

/// Knobs of the session that plays; nothing where none answers at once.
void add_addresses(Offers& offers) {
    try {
        const JsonValue nodes =
            read_answer(ask_session(meant_session(""), "nodes", std::chrono::milliseconds(500)));
        const auto add = [&](const JsonValue* knobs) {
            for (const JsonValue& knob :
                 knobs && knobs->as<JsonValue::List>() ? *knobs->as<JsonValue::List>() : JsonValue::List())
                offers.values.push_back({text_in(knob, "address"), text_in(knob, "unit")});
        };
        add(nodes.find("master"));
        if (const JsonValue* list = nodes.find("nodes"); list && list->as<JsonValue::List>())
            for (const JsonValue& node : *list->as<JsonValue::List>()) add(node.find("knobs"));
    } catch (const NoSocket&) {
    } catch (const NoAnswer&) {
    }
}

void add_sessions(Offers& offers) {
    for (const std::string& name : living_sessions()) offers.values.push_back({name, "plays"});
    if (offers.values.empty()) offers.values.push_back({usual_session, "the usual name"});
}

}  // namespace

std::string endings_for(const std::string& command, const std::string& argument) {
    if (argument == "patch") return "toml";
    if (argument == "model") return "safetensors";
    if (argument == "file") return "toml safetensors";
    if (argument == "--midi" && command == "render") return "mid midi";
    if (argument == "--automate") return "csv tsv txt";
    for (const char* const any_file : {"sounds", "--in", "--output", "--events", "--log", "--record"})
        if (argument == any_file) return "*";
    return "";
}

Offers offers_for(const std::string& command, const std::string& argument, const std::string& begun,
                  const std::vector<std::string>& words) {
    Offers offers;
    if (argument == "patch" || argument == "file") add_shipped(Shipped::patch, offers);
    if (argument == "model" || argument == "file") add_shipped(Shipped::model, offers);
    if (argument == "type") add_node_types(begun, offers);
    if (argument == "--device" || argument == "--in-device") add_devices(offers);
    if (argument == "--api") add_audio_apis(offers);
    if (argument == "--scene") add_scenes(words, offers);
    if (argument == "--midi" && command == "run") add_midi_ports(offers);
    if (argument == "command") add_commands(offers);
    if (argument == "words") add_addresses(offers);
    if (argument == "--session") add_sessions(offers);
    offers.endings = endings_for(command, argument);
    return offers;
}

void print_offers(const Offers& offers, const std::string& begun) {
    put("{}\n", offers.endings);
    for (const Offer& offer : offers.values)
        if (offer.value.starts_with(begun)) put("{}\t{}\n", offer.value, offer.summary);
}

}  // namespace gainstage
