#pragma once
/// RtAudio 5.2 and 6 under one name. Only for the files of this folder that talk to devices.

#include <RtAudio.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/io/choose_device.hpp"

#if defined(RTAUDIO_VERSION_MAJOR) && RTAUDIO_VERSION_MAJOR >= 6
#define GAINSTAGE_RTAUDIO_6
#endif

namespace gainstage {

#ifdef GAINSTAGE_RTAUDIO_6
inline void keep_quiet(RtAudio& audio) {
    audio.setErrorCallback([](RtAudioErrorType, const std::string&) {});
    audio.showWarnings(false);
}
/// Runs one call on RtAudio, whose failure becomes a DeviceError.
template <class Call>
void checked(RtAudio& audio, const std::string& failure, Call call) {
    const RtAudioErrorType error = call();
    if (error != RTAUDIO_NO_ERROR && error != RTAUDIO_WARNING)
        throw DeviceError(failure + audio.getErrorText());
}
#else
// No error callback on RtAudio 5: with one, stopping a stream whose JACK server died crashes.
inline void keep_quiet(RtAudio& audio) {
    audio.showWarnings(false);
}
template <class Call>
void checked(RtAudio&, const std::string& failure, Call call) {
    try {
        call();
    } catch (const RtAudioError& error) {
        throw DeviceError(failure + error.what());
    }
}
#endif

/// One API at work, with the devices that it has found.
struct OpenApi {
    std::string name = {};  ///< as its devices have it
    std::unique_ptr<RtAudio> audio = {};
    AudioDevices devices = {};
    std::vector<unsigned> ids = {};  ///< RtAudio's, per device
};

/// `name` as RtAudio has it, or with "rtaudio-" before it. No devices where the API's server does not run;
/// `audio` is null where RtAudio was built without the API. Throws DeviceError where the server does not
/// answer.
OpenApi open_api(const std::string& name);

}  // namespace gainstage
