#pragma once
/// Who opens a stream: a door of our own, or RtAudio.

#include <memory>

#include "runtime/io/audio_stream.hpp"
#include "runtime/io/choose_device.hpp"

namespace gainstage {

/// A way to an API that does not go through RtAudio.
struct OwnDoor {
    const char* api;
    /// As list_audio_devices(api), and what else the request may name.
    AudioDevices (*list)(const AudioRequest&);
    /// Opens what was chosen from that list. Throws DeviceError.
    std::unique_ptr<AudioStream> (*open)(const ChosenDevice&, const AudioRequest&);
};

/// Null: RtAudio has this API, or nobody.
const OwnDoor* own_door(const std::string& api);

/// Opens the stream that the player asked for, at one rate, and never another device. The APIs with doors of
/// our own are tried first, each in its place. Control thread; takes some seconds at most. Throws
/// DeviceError.
std::unique_ptr<AudioStream> open_audio(const AudioRequest&);

}  // namespace gainstage
