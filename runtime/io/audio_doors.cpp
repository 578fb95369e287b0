#include "runtime/io/audio_doors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "runtime/io/audio_device.hpp"
#if defined(GAINSTAGE_ALSA)
#include "runtime/io/alsa_device.hpp"
#include "runtime/io/alsa_devices.hpp"
#endif
#if defined(GAINSTAGE_JACK)
#include "runtime/io/jack_device.hpp"
#endif

namespace gainstage {

namespace {

const std::vector<OwnDoor>& own_doors() {
    static const std::vector<OwnDoor> doors {
#if defined(GAINSTAGE_JACK)
        {.api = "jack",
         .list = [](const AudioRequest&) { return list_jack_devices(); },
         .open = open_jack_device},
#endif
#if defined(GAINSTAGE_ALSA)
            {.api = "alsa",
             .list = list_alsa_devices,
             .open = [](const ChosenDevice& chosen, const AudioRequest& request)
                 -> std::unique_ptr<AudioStream> { return std::make_unique<AlsaDevice>(chosen, request); }},
#endif
    };
    return doors;
}

/// An API that has no door of our own goes by RtAudio's name, and any of RtAudio's with "rtaudio-" before it.
void check_api(const std::string& api) {
    std::vector<std::string> known = compiled_audio_apis();
    for (const std::string& name : rtaudio_apis())
        if (own_door(name)) known.push_back(rtaudio_prefix + name);
    if (api.empty() || std::find(known.begin(), known.end(), api) != known.end()) return;
    throw DeviceError(
        fmt::format("there is no audio API \"{}\" here; there is: {}", api, fmt::join(known, ", ")));
}

/// All that can be played, for a message.
[[noreturn]] void fail_with_all(const AudioRequest& request) {
    choose_device(list_audio_devices(), request);
    throw DeviceError("an audio device has just appeared; try again");
}

bool has_pipewire() {
    for (const char* name : {"PIPEWIRE_RUNTIME_DIR", "XDG_RUNTIME_DIR"})
        if (const char* folder = std::getenv(name); folder && *folder) {
            std::error_code ignored;
            return std::filesystem::exists(std::filesystem::path(folder) / "pipewire-0", ignored);
        }
    return false;
}

/// PipeWire is a JACK server for programs that are started with its library.
std::string pipewire_remedy(const std::string& api) {
    if (!api.empty() && !api.ends_with("jack")) return {};
    if (!has_pipewire() || !list_audio_devices("jack").empty()) return {};
    return "; PipeWire runs here and no JACK server: start Gainstage as \"pw-jack gainstage ...\"";
}

std::unique_ptr<AudioStream> open_door(const AudioRequest& request) {
    AudioDevices seen;
    for (const OwnDoor& door : own_doors()) {
        if (!request.api.empty() && request.api != door.api) continue;
        const AudioDevices devices = door.list(request);
        if (request.api == door.api && devices.empty()) fail_with_all(request);
        if (request.api == door.api || has_device(devices, request))
            return door.open(choose_device(devices, request), request);
        seen.insert(seen.end(), devices.begin(), devices.end());
    }
    return std::make_unique<AudioDevice>(request, seen);
}

}  // namespace

const OwnDoor* own_door(const std::string& api) {
    for (const OwnDoor& door : own_doors())
        if (api == door.api) return &door;
    return nullptr;
}

std::unique_ptr<AudioStream> open_audio(const AudioRequest& request) {
    check_api(request.api);
    try {
        return open_door(request);
    } catch (const DeviceError& error) {
        const std::string remedy = pipewire_remedy(request.api);
        if (remedy.empty()) throw;
        throw DeviceError(error.what() + remedy);
    }
}

}  // namespace gainstage
