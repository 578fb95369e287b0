#include "runtime/io/choose_device.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <set>

namespace gainstage {

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

namespace {

enum class Way { in, out };

const char* word(Way way) {
    return way == Way::in ? "input" : "output";
}
int channels(const AudioDeviceInfo& device, Way way) {
    return way == Way::in ? device.in_channels : device.out_channels;
}
int wanted(const AudioRequest& request, Way way) {
    return way == Way::in ? request.in_channels : request.out_channels;
}
const std::string& asked_name(const AudioRequest& request, Way way) {
    return way == Way::in && !request.in_device.empty() ? request.in_device : request.device;
}

using Found = std::vector<const AudioDeviceInfo*>;

bool is_name(const AudioDeviceInfo& device, const std::string& name) {
    const auto& others = device.other_names;
    return device.name == name || std::find(others.begin(), others.end(), name) != others.end();
}
bool is_part(const AudioDeviceInfo& device, const std::string& part) {
    const auto holds = [&](const std::string& name) {
        return lower(name).find(lower(part)) != std::string::npos;
    };
    return holds(device.name) || std::any_of(device.other_names.begin(), device.other_names.end(), holds);
}

/// All that have a name which holds `part`; the one whose name it is, where there is one.
Found matching(const Found& devices, const std::string& part) {
    Found found;
    for (const AudioDeviceInfo* device : devices) {
        if (is_name(*device, part)) return {device};
        if (is_part(*device, part)) found.push_back(device);
    }
    return found;
}

/// Without a default, JACK's hardware is called "system": every client that makes sound is a device there.
Found defaults(const Found& devices, Way way) {
    for (const AudioDeviceInfo* device : devices)
        if (device->api.ends_with("jack") && device->name == "system") return {device};
    for (const AudioDeviceInfo* device : devices)
        if (way == Way::in ? device->is_default_in : device->is_default_out) return {device};
    return {};
}

/// Those of one API that the player may mean.
Found candidates(const AudioDevices& devices, const std::string& api, const AudioRequest& request, Way way) {
    Found all, able;
    for (const AudioDeviceInfo& device : devices)
        if (device.api == api) all.push_back(&device);
    const std::string& name = asked_name(request, way);
    if (name.empty()) return defaults(all, way);
    const Found named = matching(all, name);
    // Some drivers list a box twice, once for its inputs and once for its outputs.
    std::copy_if(named.begin(), named.end(), std::back_inserter(able),
                 [&](const AudioDeviceInfo* device) { return channels(*device, way) > 0; });
    return able.empty() ? named : able;
}

std::vector<std::string> apis_of(const AudioDevices& devices, const AudioRequest& request) {
    if (!request.api.empty()) return {request.api};
    std::vector<std::string> apis;
    for (const AudioDeviceInfo& device : devices)
        if (std::find(apis.begin(), apis.end(), device.api) == apis.end()) apis.push_back(device.api);
    return apis;
}

[[noreturn]] void fail_missing(const AudioDevices& devices, const AudioRequest& request, Way way) {
    const std::string& name = asked_name(request, way);
    const std::string of_api = request.api.empty() ? "" : fmt::format(" of API \"{}\"", request.api);
    if (name.empty())
        throw DeviceError(fmt::format("no default {} device{}; {}", word(way), of_api, describe(devices)));
    throw DeviceError(fmt::format("no audio device{} is called \"{}\"; {}", of_api, name, describe(devices)));
}

const AudioDeviceInfo* only(const Found& found, const AudioDevices& devices, const AudioRequest& request,
                            Way way) {
    if (found.empty()) fail_missing(devices, request, way);
    if (found.size() == 1) return found.front();
    AudioDevices several;
    for (const AudioDeviceInfo* device : found) several.push_back(*device);
    throw DeviceError(fmt::format("\"{}\" may be one of {} audio devices; write more of the name; {}",
                                  asked_name(request, way), found.size(), describe(several)));
}

void check_channels(const AudioDeviceInfo& device, const AudioRequest& request, Way way) {
    // Ports that stay unconnected may be as many as one likes.
    const int needed = request.connect ? wanted(request, way) : 1;
    if (channels(device, way) >= needed) return;
    if (channels(device, way) == 0 && !device.why_not_asked.empty())
        throw DeviceError(fmt::format("audio device \"{}\" ({}) {} could not be asked what it can do: {}",
                                      device.name, device.api, word(way), device.why_not_asked));
    if (device.in_channels + device.out_channels == 0)
        throw DeviceError(
            fmt::format("audio device \"{}\" ({}) could not be asked what it can do: is another program "
                        "using it?",
                        device.name, device.api));
    throw DeviceError(
        fmt::format("audio device \"{}\" ({}) has {} {} channels, the patch uses channel {}; choose "
                    "another device or fewer channels",
                    device.name, device.api, channels(device, way), word(way), needed));
}

bool offers(const AudioDeviceInfo* device, int rate_hz) {
    return !device || device->rates_hz.empty() ||
           std::find(device->rates_hz.begin(), device->rates_hz.end(), rate_hz) != device->rates_hz.end();
}

[[noreturn]] void fail_rate(const ChosenDevice& chosen, const AudioRequest& request) {
    std::string text = request.rate_hz ? fmt::format("nothing runs at {} Hz here", request.rate_hz)
                                       : std::string("input and output have no rate in common");
    std::set<const AudioDeviceInfo*> devices{chosen.in, chosen.out};
    devices.erase(nullptr);
    for (const AudioDeviceInfo* device : devices)
        text += fmt::format("; audio device \"{}\" ({}) offers {} Hz", device->name, device->api,
                            fmt::join(device->rates_hz, ", "));
    throw DeviceError(text);
}

/// The rate asked for, or else the device's own, or else a usual one.
int common_rate_hz(const ChosenDevice& chosen, const AudioRequest& request) {
    std::vector<int> rates;
    if (request.rate_hz) {
        rates = {request.rate_hz};
    } else {
        for (const AudioDeviceInfo* device : {chosen.out, chosen.in})
            if (device && device->preferred_rate_hz) rates.push_back(device->preferred_rate_hz);
        rates.insert(rates.end(), {48'000, 44'100});
        const AudioDeviceInfo& first = chosen.device();
        rates.insert(rates.end(), first.rates_hz.begin(), first.rates_hz.end());
    }
    for (const int rate : rates)
        if (offers(chosen.in, rate) && offers(chosen.out, rate)) return rate;
    fail_rate(chosen, request);
}

/// What the player may mean in one API.
struct Candidates {
    Found in, out;
    bool are_enough = false;
};

/// Of the first API that has enough; else of the last one.
Candidates find_candidates(const AudioDevices& devices, const AudioRequest& request) {
    Candidates found;
    for (const std::string& api : apis_of(devices, request)) {
        const auto of = [&](Way way) {
            return wanted(request, way) > 0 ? candidates(devices, api, request, way) : Found{};
        };
        const auto is_enough = [&](const Found& some, Way way) {
            return wanted(request, way) <= 0 || !some.empty();
        };
        found = {.in = of(Way::in), .out = of(Way::out)};
        found.are_enough = is_enough(found.in, Way::in) && is_enough(found.out, Way::out);
        if (found.are_enough) break;
    }
    return found;
}

}  // namespace

bool has_device(const AudioDevices& devices, const AudioRequest& request) {
    return find_candidates(devices, request).are_enough;
}

ChosenDevice choose_device(const AudioDevices& devices, const AudioRequest& request) {
    const Candidates found = find_candidates(devices, request);
    ChosenDevice chosen;
    if (request.out_channels > 0) chosen.out = only(found.out, devices, request, Way::out);
    if (request.in_channels > 0) chosen.in = only(found.in, devices, request, Way::in);
    if (chosen.out) check_channels(*chosen.out, request, Way::out);
    if (chosen.in) check_channels(*chosen.in, request, Way::in);
    chosen.rate_hz = common_rate_hz(chosen, request);
    return chosen;
}

bool is_called(const std::string& part, const AudioDevices& devices) {
    return std::any_of(devices.begin(), devices.end(),
                       [&](const AudioDeviceInfo& device) { return is_part(device, part); });
}

std::string describe(const AudioDevices& devices) {
    if (devices.empty())
        return "there is none: connect an interface or start an audio server, or play without one by --null";
    std::string text;
    for (const AudioDeviceInfo& device : devices)
        text += fmt::format("{}{:6} {} ({} in, {} out)", text.empty() ? "there is: " : "; ", device.api,
                            device.name, device.in_channels, device.out_channels);
    return text;
}

}  // namespace gainstage
