#pragma once
/// The audio devices that are there.

#include <string>
#include <vector>

namespace gainstage {

struct AudioDeviceInfo {
    std::string api = {};                       ///< "jack", "alsa", "pulse", "core", ...
    std::string name = {};                      ///< unique within its API
    std::string address = {};                   ///< how its API opens it, where that is not by the name
    std::vector<std::string> other_names = {};  ///< it is found by these, too
    int in_channels = 0, out_channels = 0;      ///< both 0: it is there but could not be asked (in use)
    std::vector<int> rates_hz = {};
    int preferred_rate_hz = 0;
    std::string why_not_asked = {};  ///< of a direction that could not be asked, with the remedy
    bool is_default_in = false, is_default_out = false;
    bool is_program = false;  ///< JACK: the ports of another program, which can be played like a device
};

using AudioDevices = std::vector<AudioDeviceInfo>;

/// Every device of every API that is tried by itself; quiet about APIs whose server does not run or does not
/// answer. Control thread; opens devices for a moment to ask them, so not while a stream of this process
/// runs.
AudioDevices list_audio_devices();
/// The same for one API, also for one that must be named. Empty where it is not here. Throws DeviceError
/// (choose_device.hpp) where its server does not answer.
AudioDevices list_audio_devices(const std::string& api);
/// "jack", "alsa", ...: in the order in which they are tried.
std::vector<std::string> compiled_audio_apis();
/// Those that RtAudio has, by its own names, in the same order.
std::vector<std::string> rtaudio_apis();
/// What to say of an API whose server takes too long.
std::string no_answer(const std::string& api);
/// Before RtAudio's name of an API that has a door of our own: "rtaudio-jack" is RtAudio's JACK.
inline constexpr const char* rtaudio_prefix = "rtaudio-";

}  // namespace gainstage
