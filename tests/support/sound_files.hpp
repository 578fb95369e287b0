#pragma once
/// Sound files to test with, and how one is refused.

#include <string>
#include <vector>

#include "runtime/io/sound_file.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test {

inline std::vector<const float*> pointers(const Sound& sound) {
    std::vector<const float*> channels;
    for (const Channel& channel : sound) channels.push_back(channel.data());
    return channels;
}

inline void write_wav(const std::string& file, const Sound& sound, int rate_hz = 48'000) {
    SoundWriter writer(file, static_cast<int>(sound.size()), rate_hz);
    writer.write(pointers(sound).data(), static_cast<int>(sound[0].size()));
    writer.finish();
}

struct Refused {
    int exit_code = 0;
    std::string text;
};
inline Refused refusal_of(const std::string& file) {
    try {
        read_sound_file(file);
    } catch (const SoundFileError& error) {
        return {error.exit_code, error.what()};
    }
    return {};
}

}  // namespace gainstage::test
