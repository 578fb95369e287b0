/// gainstage devices

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "runtime/io/audio_devices.hpp"
#include "runtime/io/midi_input.hpp"
#include "tools/gainstage/commands.hpp"
#include "tools/gainstage/console.hpp"
#include "tools/gainstage/table.hpp"

namespace gainstage {

namespace {

using Json = nlohmann::ordered_json;

/// What `run` takes of the machine file.
Json json_of(const MachineFile& machine) {
    Json json{{"file", machine.path}};
    if (machine.device) json["device"] = *machine.device;
    if (machine.api) json["api"] = *machine.api;
    if (machine.rate_hz) json["rate"] = *machine.rate_hz;
    if (machine.block_frames) json["block"] = *machine.block_frames;
    if (machine.midi) json["midi"] = *machine.midi;
    return json;
}

void print_json(const AudioDevices& devices, const MidiPorts& ports, const MachineFile& machine) {
    Json json{{"audio", Json::array()}, {"midi", Json::array()}, {"audio_apis", compiled_audio_apis()}};
    for (const AudioDeviceInfo& device : devices)
        json["audio"].push_back({{"api", device.api},
                                 {"name", device.name},
                                 {"in_channels", device.in_channels},
                                 {"out_channels", device.out_channels},
                                 {"rates_hz", device.rates_hz},
                                 {"preferred_rate_hz", device.preferred_rate_hz},
                                 {"default_in", device.is_default_in},
                                 {"default_out", device.is_default_out},
                                 {"program", device.is_program}});
    for (const MidiPortInfo& port : ports) json["midi"].push_back({{"api", port.api}, {"name", port.name}});
    if (!machine.path.empty()) json["machine"] = json_of(machine);
    put_json(json);
}

std::string rates(const AudioDeviceInfo& device) {
    return device.rates_hz.empty() ? "could not be asked: is it in use?"
                                   : fmt::format("{}", fmt::join(device.rates_hz, " "));
}

std::string role(const AudioDeviceInfo& device) {
    if (device.is_default_in && device.is_default_out) return "default";
    return device.is_default_in ? "default input" : device.is_default_out ? "default output" : "";
}

void print_text(const AudioDevices& devices, const MidiPorts& ports) {
    Table audio({"API", "AUDIO DEVICE", "IN", "OUT", "RATES (Hz)", ""});
    Table programs({"API", "OTHER PROGRAM", "IN", "OUT", "RATES (Hz)", ""});
    for (const AudioDeviceInfo& device : devices)
        (device.is_program ? programs : audio)
            .add({device.api, device.name, std::to_string(device.in_channels),
                  std::to_string(device.out_channels), rates(device), role(device)});
    Table midi({"API", "MIDI INPUT"});
    for (const MidiPortInfo& port : ports) midi.add({port.api, port.name});
    std::string text;
    for (const Table* table : {&audio, &programs, &midi})
        if (!table->empty()) text += (text.empty() ? "" : "\n") + table->text();
    if (!text.empty()) put_text(text);
    if (audio.empty())
        say("There is no audio device. Connect an interface, or start an audio server (APIs here: {}).",
            fmt::join(compiled_audio_apis(), ", "));
    if (midi.empty()) say("There is no MIDI input.");
}

}  // namespace

/// What a server that hangs keeps to itself is said; all else is listed.
int run_devices(const DevicesOptions& options) {
    int code = ok;
    AudioDevices devices;
    for (const std::string& api : compiled_audio_apis()) try {
            const AudioDevices some = list_audio_devices(api);
            devices.insert(devices.end(), some.begin(), some.end());
        } catch (const DeviceError& error) {
            code = fail(no_device, error.what());
        }
    MidiPorts ports;
    try {
        ports = list_midi_ports();
    } catch (const DeviceError& error) {
        code = fail(no_device, error.what());
    }
    options.json ? print_json(devices, ports, options.machine) : print_text(devices, ports);
    if (const std::string told = text_of(options.machine); !told.empty() && !options.json)
        say("run takes {} from {}, unless the command line says otherwise.", told, options.machine.path);
    if (const int wrong = print_problems(options.machine.problems); wrong != ok) code = wrong;
    return code;
}

}  // namespace gainstage
