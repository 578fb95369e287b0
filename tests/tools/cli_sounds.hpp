#pragma once
/// A sound and a patch for the built program to play.

#include <cmath>
#include <string>
#include <vector>

#include "runtime/io/sound_file.hpp"
#include "tests/tools/cli.hpp"

namespace gainstage::test {

/// A sine of half scale on one channel; returns the file's name.
inline std::string sine_file(const std::string& name, int frames = 24'000, float amplitude = 0.5f) {
    std::vector<float> sound(static_cast<std::size_t>(frames));
    for (int k = 0; k < frames; ++k) sound[k] = amplitude * std::sin(0.05f * static_cast<float>(k));
    const float* channel = sound.data();
    SoundWriter writer(scratch().file(name), 1, 48'000);
    writer.write(&channel, frames);
    writer.finish();
    return scratch().file(name);
}

/// "vol" from the input to the output.
inline std::string level_patch(const std::string& name = "level.toml") {
    return patch_file(name, in_and_out + "[nodes.vol]\ntype = \"gain\"\ngain_db = 0.0\n",
                      "[\"in -> vol -> out\"]");
}

}  // namespace gainstage::test
