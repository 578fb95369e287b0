#pragma once
/// The audio devices that are there.

#include <string>
#include <vector>

namespace gainstage {

struct AudioDeviceInfo {
    std::string api = {};                   ///< "jack", "alsa", "pulse", "core", ...
    std::string name = {};                  ///< unique within its API
    int in_channels = 0, out_channels = 0;  ///< both 0: it is there but could not be asked (in use)
    std::vector<int> rates_hz = {};
    int preferred_rate_hz = 0;
    bool is_default_in = false, is_default_out = false;
};

using AudioDevices = std::vector<AudioDeviceInfo>;

/// Every device of every API that RtAudio was built with; quiet about APIs whose server does not run or does
/// not answer. Control thread; opens devices for a moment to ask them, so not while a stream of this process
/// runs.
AudioDevices list_audio_devices();
/// The same for one API. Empty where RtAudio was built without it. Throws DeviceError (choose_device.hpp)
/// where its server does not answer.
AudioDevices list_audio_devices(const std::string& api);
/// "jack", "alsa", ...: in the order in which they are tried.
std::vector<std::string> compiled_audio_apis();

}  // namespace gainstage
