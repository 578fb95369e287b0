#pragma once
/// One song with each of the shipped models in turn, its knobs in the hands of one controller.

#include <fmt/format.h>

#include <string>

#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test {

struct Family {
    const char *type, *model;
};
/// From the dearest to the cheapest.
inline constexpr Family families[] = {{"s6", "opto-s6"},   {"ed_lstm", "opto-ed-lstm-carried"},
                                      {"s4d", "opto-s4d"}, {"gru", "opto-gru"},
                                      {"tcn", "opto-tcn"}, {"grey_box", "opto-grey-box"}};

/// Controller 21 of channel 1 moves a gain and the model: two targets.
inline std::string song(const Family& family, const std::string& model) {
    return patch("\"in -> trim -> box -> out\"",
                 gain("trim", -6.) + node("box", family.type, "model = \"" + model + "\"") +
                     "[[midi]]\nchannel = 1\ncc = 21\ntarget = \"trim.gain_db\"\nmin = -12.0\nmax = -3.0\n"
                     "takeover = \"jump\"\n"
                     "[[midi]]\nchannel = 1\ncc = 21\ntarget = \"box.peak_reduction\"\nmin = 20.0\n"
                     "max = 80.0\ntakeover = \"jump\"\n");
}

/// Saves the song "song.toml" again and again: each time with another model, or with the same one as another
/// file, so that each is a newcomer to the engine.
inline void save_song(const TemporaryFolder& folder, int version) {
    const Family& family = families[version / 2 % 6];
    ModelFile parts = model_parts(source_dir() + "/models/" + family.model + ".safetensors");
    const long memory = std::stol(parts.metadata["memory_samples"]) - version;
    const std::string model =
        save(folder, fmt::format("{}-{}.safetensors", family.model, version), remembering(parts, memory));
    folder.write("song.toml", song(family, model));
}

}  // namespace gainstage::test
