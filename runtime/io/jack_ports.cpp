#include "runtime/io/jack_ports.hpp"

#include <algorithm>

namespace gainstage {

namespace {

/// As JACK writes it: "client:port". The client's name has no colon.
std::string client_of_port(const std::string& port) {
    return port.substr(0, port.find(':'));
}

std::vector<std::string> ports_with(jack_client_t* client, const char* type, unsigned long flags) {
    std::vector<std::string> names;
    const char** const found = jack_get_ports(client, nullptr, type, flags);
    for (const char** name = found; name && *name; ++name) names.emplace_back(*name);
    if (found) jack_free(found);
    return names;
}

bool is_physical(jack_client_t* client, const std::string& port) {
    const jack_port_t* const found = jack_port_by_name(client, port.c_str());
    return found && (jack_port_flags(found) & JackPortIsPhysical) != 0;
}

/// JACK knows two at most.
std::vector<std::string> aliases_of(jack_client_t* client, const std::string& port) {
    const auto most = static_cast<std::size_t>(jack_port_name_size());
    std::vector<char> first(most), second(most);
    char* const both[] = {first.data(), second.data()};
    const jack_port_t* const found = jack_port_by_name(client, port.c_str());
    const int count = found ? jack_port_get_aliases(found, both) : 0;
    std::vector<std::string> aliases;
    for (int k = 0; k < std::min(count, 2); ++k) aliases.emplace_back(both[k]);
    return aliases;
}

AudioDeviceInfo& device_named(AudioDevices& devices, const std::string& name, int rate_hz) {
    for (AudioDeviceInfo& device : devices)
        if (device.name == name) return device;
    devices.push_back({.api = "jack",
                       .name = name,
                       .rates_hz = {rate_hz},
                       .preferred_rate_hz = rate_hz,
                       .is_program = true});
    return devices.back();
}

}  // namespace

JackHandle open_jack_client(const std::string& name) {
    jack_set_error_function([](const char*) {});
    jack_set_info_function([](const char*) {});
    const auto most = static_cast<std::size_t>(jack_client_name_size() - 1);
    return JackHandle(jack_client_open(name.substr(0, most).c_str(), JackNoStartServer, nullptr));
}

AudioDevices jack_devices(jack_client_t* client) {
    AudioDevices devices;
    const int rate_hz = static_cast<int>(jack_get_sample_rate(client));
    bool has_default_in = false, has_default_out = false;
    for (const std::string& port : ports_with(client, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput)) {
        AudioDeviceInfo& device = device_named(devices, client_of_port(port), rate_hz);
        ++device.in_channels;
        if (!is_physical(client, port)) continue;
        device.is_program = false;
        if (!has_default_in) device.is_default_in = has_default_in = true;
    }
    for (const std::string& port : ports_with(client, JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput)) {
        AudioDeviceInfo& device = device_named(devices, client_of_port(port), rate_hz);
        ++device.out_channels;
        if (!is_physical(client, port)) continue;
        device.is_program = false;
        if (!has_default_out) device.is_default_out = has_default_out = true;
    }
    return devices;
}

std::vector<std::string> jack_audio_ports(jack_client_t* client, const std::string& device,
                                          unsigned long flags) {
    std::vector<std::string> ports = ports_with(client, JACK_DEFAULT_AUDIO_TYPE, flags);
    std::erase_if(ports, [&](const std::string& port) { return client_of_port(port) != device; });
    return ports;
}

MidiPorts jack_midi_ports(jack_client_t* client, unsigned long flags) {
    MidiPorts ports;
    const std::string own = jack_get_client_name(client);
    for (const std::string& port : ports_with(client, JACK_DEFAULT_MIDI_TYPE, flags))
        if (client_of_port(port) != own) ports.push_back({"jack", port, aliases_of(client, port)});
    return ports;
}

}  // namespace gainstage
