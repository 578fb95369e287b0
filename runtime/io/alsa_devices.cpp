#include "runtime/io/alsa_devices.hpp"

#include <alsa/asoundlib.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

#include "runtime/io/alsa_pcm.hpp"
#include "runtime/io/patience.hpp"
#include "runtime/io/quiet_stderr.hpp"

namespace gainstage {

namespace {

constexpr int usual_rates_hz[] = {8'000,  11'025, 16'000, 22'050,  32'000,  44'100,
                                  48'000, 88'200, 96'000, 176'400, 192'000, 384'000};
/// A plug says that it has ten thousand.
constexpr unsigned most_channels = 256;

struct CloseCtl {
    void operator()(snd_ctl_t* ctl) const noexcept { snd_ctl_close(ctl); }
};
using Ctl = std::unique_ptr<snd_ctl_t, CloseCtl>;

Ctl open_ctl(int card) {
    snd_ctl_t* opened = nullptr;
    if (snd_ctl_open(&opened, fmt::format("hw:{}", card).c_str(), SND_CTL_NONBLOCK) < 0) return nullptr;
    return Ctl(opened);
}

/// What one direction says.
struct Answer {
    enum class Kind { absent, busy, there } kind = Kind::absent;
    int channels = 0;
    std::vector<int> rates_hz = {};
    int error = 0;  ///< of one that is busy
};

Answer answer_of(snd_pcm_t* pcm) {
    snd_pcm_hw_params_t* params = nullptr;
    snd_pcm_hw_params_alloca(&params);
    unsigned channels = 0;
    if (snd_pcm_hw_params_any(pcm, params) < 0 || snd_pcm_hw_params_get_channels_max(params, &channels) < 0)
        return {.kind = Answer::Kind::busy};
    Answer answer{.kind = Answer::Kind::there,
                  .channels = static_cast<int>(std::min(channels, most_channels))};
    for (const int rate_hz : usual_rates_hz)
        if (snd_pcm_hw_params_test_rate(pcm, params, static_cast<unsigned>(rate_hz), 0) == 0)
            answer.rates_hz.push_back(rate_hz);
    return answer;
}

Answer ask(const std::string& address, snd_pcm_stream_t stream) {
    snd_pcm_t* pcm = nullptr;
    const int error = snd_pcm_open(&pcm, address.c_str(), stream, SND_PCM_NONBLOCK);
    if (error == -EBUSY || error == -EAGAIN || error == -EACCES || error == -EPERM)
        return {.kind = Answer::Kind::busy, .error = error};
    if (error < 0) return {};
    const Answer answer = answer_of(pcm);
    snd_pcm_close(pcm);
    return answer;
}

std::vector<int> common_rates(const Answer& one, const Answer& other) {
    if (one.kind != Answer::Kind::there) return other.rates_hz;
    if (other.kind != Answer::Kind::there) return one.rates_hz;
    std::vector<int> common;
    std::set_intersection(one.rates_hz.begin(), one.rates_hz.end(), other.rates_hz.begin(),
                          other.rates_hz.end(), std::back_inserter(common));
    return common;
}

/// 48 kHz, or the nearest below, or else the lowest.
int preferred_rate(const std::vector<int>& rates_hz) {
    int preferred = rates_hz.empty() ? 0 : rates_hz.front();
    for (const int rate_hz : rates_hz)
        if (rate_hz <= 48'000) preferred = rate_hz;
    return preferred;
}

/// Fills in what it can do. False: there is no such device.
bool is_there(AudioDeviceInfo& device) {
    const Answer in = ask(device.address, SND_PCM_STREAM_CAPTURE);
    const Answer out = ask(device.address, SND_PCM_STREAM_PLAYBACK);
    if (in.kind == Answer::Kind::absent && out.kind == Answer::Kind::absent) return false;
    for (const Answer* answer : {&in, &out})
        if (answer->kind == Answer::Kind::busy && answer->error != 0)
            device.why_not_asked = why_not_opened(answer->error);
    device.in_channels = in.channels;
    device.out_channels = out.channels;
    device.rates_hz = common_rates(in, out);
    device.preferred_rate_hz = preferred_rate(device.rates_hz);
    return true;
}

AudioDeviceInfo named(std::string name, std::string address) {
    return {.api = "alsa", .name = std::move(name), .address = std::move(address)};
}

/// Of either direction.
std::string id_of_pcm(snd_ctl_t* ctl, int device) {
    snd_pcm_info_t* info = nullptr;
    snd_pcm_info_alloca(&info);
    for (const auto stream : {SND_PCM_STREAM_PLAYBACK, SND_PCM_STREAM_CAPTURE}) {
        snd_pcm_info_set_device(info, static_cast<unsigned>(device));
        snd_pcm_info_set_subdevice(info, 0);
        snd_pcm_info_set_stream(info, stream);
        if (snd_ctl_pcm_info(ctl, info) >= 0) return snd_pcm_info_get_id(info);
    }
    return "";
}

void add_devices_of(int card, AudioDevices& devices) {
    const Ctl ctl = open_ctl(card);
    snd_ctl_card_info_t* info = nullptr;
    snd_ctl_card_info_alloca(&info);
    if (!ctl || snd_ctl_card_info(ctl.get(), info) < 0) return;
    const std::string id = snd_ctl_card_info_get_id(info), name = snd_ctl_card_info_get_name(info);
    for (int k = -1; snd_ctl_pcm_next_device(ctl.get(), &k) >= 0 && k >= 0;) {
        const std::string pcm = id_of_pcm(ctl.get(), k), address = fmt::format("hw:{},{}", id, k);
        AudioDeviceInfo device = named(fmt::format("{}: {} ({})", name, pcm, address), address);
        device.other_names = {address, fmt::format("hw:{},{}", name, k), fmt::format("{} ({})", name, pcm),
                              fmt::format("hw:{},{}", card, k)};
        if (is_there(device)) devices.push_back(std::move(device));
    }
}

/// ALSA's own, or else the first card, as RtAudio has it.
void mark_default(AudioDevices& devices) {
    if (devices.empty()) return;
    devices.front().is_default_in = devices.front().in_channels > 0;
    devices.front().is_default_out = devices.front().out_channels > 0;
}

void add_named(const std::string& name, AudioDevices& devices) {
    const auto has_it = [&](const AudioDeviceInfo& device) {
        return device.name == name || device.address == name;
    };
    if (name.empty() || std::any_of(devices.begin(), devices.end(), has_it)) return;
    if (AudioDeviceInfo device = named(name, name); is_there(device)) devices.push_back(std::move(device));
}

AudioDevices find_devices(const AudioRequest& request) {
    AudioDevices devices;
    if (AudioDeviceInfo usual = named("default", "default"); is_there(usual))
        devices.push_back(std::move(usual));
    for (int card = -1; snd_card_next(&card) >= 0 && card >= 0;) add_devices_of(card, devices);
    mark_default(devices);
    for (const std::string& name : {request.device, request.in_device})
        if (request.api == "alsa") add_named(name, devices);
    return devices;
}

}  // namespace

AudioDevices list_alsa_devices(const AudioRequest& request) {
    const auto found = std::make_shared<AudioDevices>();
    const QuietStderr quiet;
    if (!returns_within(opening_patience, [=] { *found = find_devices(request); }))
        throw DeviceError(silent_driver(request.device));
    return std::move(*found);
}

std::string silent_driver(const std::string& name) {
    const std::string whose =
        name.empty() ? "a driver of ALSA" : fmt::format("the driver of audio device \"{}\" (alsa)", name);
    return whose + " does not answer; unplug the device and plug it in again, or choose another API by --api";
}

bool is_usb_card(int card) {
    const Ctl ctl = card < 0 ? nullptr : open_ctl(card);
    snd_ctl_card_info_t* info = nullptr;
    snd_ctl_card_info_alloca(&info);
    return ctl && snd_ctl_card_info(ctl.get(), info) >= 0 &&
           std::string_view(snd_ctl_card_info_get_driver(info)) == "USB-Audio";
}

}  // namespace gainstage
