#include "runtime/io/audio_devices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "runtime/io/audio_doors.hpp"
#include "runtime/io/patience.hpp"
#include "runtime/io/quiet_stderr.hpp"
#include "runtime/io/rtaudio_bridge.hpp"

namespace gainstage {

namespace {

std::vector<unsigned> device_ids(RtAudio& audio) {
#ifdef GAINSTAGE_RTAUDIO_6
    return audio.getDeviceIds();
#else
    std::vector<unsigned> ids(audio.getDeviceCount());
    for (unsigned k = 0; k < ids.size(); ++k) ids[k] = k;
    return ids;
#endif
}

/// Nothing but a default where the device left between being counted and being asked.
RtAudio::DeviceInfo ask(RtAudio& audio, unsigned id) {
    try {
        return audio.getDeviceInfo(id);
    } catch (const std::exception&) {
        return {};
    }
}

AudioDeviceInfo info_of(const RtAudio::DeviceInfo& info, const std::string& api) {
    return {.api = api,
            .name = info.name,
            .in_channels = static_cast<int>(info.inputChannels),
            .out_channels = static_cast<int>(info.outputChannels),
            .rates_hz = {info.sampleRates.begin(), info.sampleRates.end()},
            .preferred_rate_hz = static_cast<int>(info.preferredSampleRate),
            .is_default_in = info.isDefaultInput,
            .is_default_out = info.isDefaultOutput};
}

/// Two boxes of one make get names that can be told apart.
void make_unique(std::string& name, const AudioDevices& others) {
    const std::string plain = name;
    const auto taken = [&](const AudioDeviceInfo& other) { return other.name == name; };
    for (int n = 2; std::any_of(others.begin(), others.end(), taken); ++n)
        name = fmt::format("{} #{}", plain, n);
}

void ask_all(OpenApi& api, const std::string& name, RtAudio::Api number) {
    api.name = name;
    api.audio = std::make_unique<RtAudio>(number);
    keep_quiet(*api.audio);
    for (const unsigned id : device_ids(*api.audio)) {
        AudioDeviceInfo info = info_of(ask(*api.audio, id), name);
        if (info.name.empty()) continue;
        make_unique(info.name, api.devices);
        api.devices.push_back(std::move(info));
        api.ids.push_back(id);
    }
}

}  // namespace

std::string no_answer(const std::string& api) {
    return fmt::format(
        "the server of audio API \"{}\" runs but does not answer; restart it, or choose another API by --api",
        api);
}

OpenApi open_api(const std::string& name) {
    const std::string plain =
        name.starts_with(rtaudio_prefix) ? name.substr(std::strlen(rtaudio_prefix)) : name;
    const RtAudio::Api number = RtAudio::getCompiledApiByName(plain);
    if (number == RtAudio::UNSPECIFIED) return {};
    const QuietStderr quiet;
    const auto api = std::make_shared<OpenApi>();
    if (!returns_within(opening_patience, [=] { ask_all(*api, name, number); }))
        throw DeviceError(no_answer(name));
    return std::move(*api);
}

namespace {
constexpr const char* known_apis[] = {"jack", "core", "asio", "wasapi", "ds", "alsa", "pulse", "oss"};
bool has_rtaudio(const char* api) {
    return RtAudio::getCompiledApiByName(api) != RtAudio::UNSPECIFIED;
}
}  // namespace

std::vector<std::string> compiled_audio_apis() {
    std::vector<std::string> apis;
    for (const char* name : known_apis)
        if (own_door(name) || has_rtaudio(name)) apis.emplace_back(name);
    return apis;
}

std::vector<std::string> rtaudio_apis() {
    std::vector<std::string> apis;
    for (const char* name : known_apis)
        if (has_rtaudio(name)) apis.emplace_back(name);
    return apis;
}

AudioDevices list_audio_devices(const std::string& api) {
    const OwnDoor* door = own_door(api);
    return door ? door->list({.api = api}) : open_api(api).devices;
}

AudioDevices list_audio_devices() {
    AudioDevices all;
    for (const std::string& api : compiled_audio_apis()) try {
            const AudioDevices some = list_audio_devices(api);
            all.insert(all.end(), some.begin(), some.end());
        } catch (const DeviceError&) {
            // Of a server that hangs no device can be used.
        }
    return all;
}

}  // namespace gainstage
