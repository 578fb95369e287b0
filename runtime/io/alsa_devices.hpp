#pragma once
/// The cards that ALSA knows. Only for the files of this folder that are ALSA's door.

#include <string>

#include "runtime/io/choose_device.hpp"

namespace gainstage {

/// Every card's devices, and ALSA's "default". Each also has the names that RtAudio gives it. A request that
/// names ALSA may also name any device of ALSA's configuration in full: "plughw:USB,0", or one of your own
/// asoundrc. Control thread; opens each device for a moment, to ask what it can do. Throws DeviceError where
/// a driver does not answer.
AudioDevices list_alsa_devices(const AudioRequest&);

/// What to say of a driver that takes too long. `name`: of the device; empty: one of them.
std::string silent_driver(const std::string& name);

/// By the number that ALSA gives it; -1 is none.
bool is_usb_card(int card);

}  // namespace gainstage
