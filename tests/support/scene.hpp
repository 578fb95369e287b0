#pragma once
/// Material for tests of the engine: short ways to write patches, and a sound with loud and soft parts.

#include <fmt/format.h>

#include <string>

#include "tests/support/signals.hpp"

namespace gainstage::test {

inline constexpr double scene_rate_hz = 48'000.;
/// Frames after which the ramp at the start of every stream is over.
inline constexpr int settled_in = 2'000;

/// A patch: `in` reads device channel 1, `out` writes device channel 1, unguarded; links and other nodes are
/// given.
inline std::string patch(const std::string& links, const std::string& nodes, const std::string& head = "") {
    return "format = 1\nlinks = [" + links + "]\n" + head +
           "\n[nodes.in]\ntype = \"input\"\nchannels = [1]\n[nodes.out]\ntype = \"output\"\nchannels = "
           "[1]\nguard = \"off\"\n" +
           nodes;
}

/// A node's table: node("trim", "gain", "gain_db = -6.0").
inline std::string node(const std::string& id, const std::string& type, const std::string& settings = "") {
    return "[nodes." + id + "]\ntype = \"" + type + "\"\n" + settings + "\n";
}
inline std::string gain(const std::string& id, double db) {
    return node(id, "gain", fmt::format("gain_db = {:.6f}", db));
}
inline std::string grey_box(const std::string& id, const std::string& file,
                            const std::string& settings = "") {
    return node(id, "grey_box", "model = \"" + file + "\"\n" + settings);
}

/// Pink noise, 0.7 s loud and 0.4 s soft, so that compressors always have something to do.
inline Channel programme(int frames, std::uint32_t seed = 3) {
    Channel sound = pink_noise(frames, seed, 0.9f);
    for (int k = 0; k < frames; ++k)
        if (k % 52'800 >= 33'600) sound[k] *= 0.1f;
    return sound;
}

}  // namespace gainstage::test
