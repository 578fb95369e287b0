/// The engine's promises about models, checked with a small model of every family.

#include <fmt/format.h>

#include <filesystem>
#include <iostream>

#include "runtime/model/model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/type_playing.hpp"

namespace gainstage::test::every_model_test {

namespace {

namespace fs = std::filesystem;

struct Subject {
    std::string name, file;
    std::shared_ptr<const Model> model;
    int latency_samples = 0;  ///< of its node, at its own rate
};

/// Every fixture in the tree, sorted by name.
std::vector<Subject> subjects() {
    std::vector<Subject> all;
    for (const auto& entry : fs::directory_iterator(fs::path(source_dir()) / "tests/data"))
        if (entry.path().extension() == ".safetensors") {
            Subject subject{.name = entry.path().stem().string(),
                            .file = entry.path().string(),
                            .model = read_model_file(entry.path().string()),
                            .latency_samples = 0};
            subject.latency_samples =
                NodeRunner(type_playing(*subject.model),
                           {.sample_rate_hz = subject.model->sample_rate_hz, .model = subject.model})
                    .node()
                    .latency_samples();
            all.push_back(std::move(subject));
        }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    REQUIRE(all.size() >= 7);
    return all;
}

/// A patch of these cables and a node "model" that plays the subject's file (or a copy of it).
std::string around(const Subject& subject, const std::string& links, const std::string& file,
                   const std::string& more = "", int channels = 1) {
    const std::string list = channels == 2 ? "[1, 2]" : "[1]";
    return fmt::format(
        "format = 1\nlinks = [{}]\n[nodes.in]\ntype = \"input\"\nchannels = {}\n[nodes.out]\ntype = "
        "\"output\"\nchannels = {}\nguard = \"off\"\n[nodes.model]\ntype = \"{}\"\nmodel = '{}'\n{}",
        links, list, list, subject.model->architecture, file, more);
}

EngineRig::Config at_rate_of(const Subject& subject, int channels = 1) {
    return {.sample_rate_hz = subject.model->sample_rate_hz, .out_channels = channels};
}

/// Music-like sound that changes in level, pitch and density.
Channel material(const Subject& subject, double seconds, std::uint32_t seed = 1) {
    const double rate_hz = subject.model->sample_rate_hz;
    const auto frames = static_cast<int>(seconds * rate_hz);
    Channel sound = bursts(frames, 220. + 30. * seed, rate_hz, 0.21, 0.17, 0.3, 0.02);
    const Channel noise = pink_noise(frames, seed, 0.05f);
    for (std::size_t k = 0; k < sound.size(); ++k) sound[k] += noise[k];
    return sound;
}

}  // namespace

TEST_CASE(
    "every model: swapped for an identical one after ten seconds, the output differs by rounding at most") {
    const TemporaryFolder folder;
    for (const Subject& subject : subjects()) {
        const ModelFile parts = model_parts(subject.file);
        const long memory = std::stol(parts.metadata.at("memory_samples"));
        const std::string twin =
            save(folder, "twin.safetensors", remembering(parts, memory > 1 ? memory - 1 : memory + 1));
        const Sound in = mono(material(subject, 12.));
        EngineRig plain(around(subject, "\"in -> model -> out\"", subject.file), at_rate_of(subject));
        EngineRig swapped(around(subject, "\"in -> model -> out\"", subject.file), at_rate_of(subject));
        swapped.at(static_cast<std::uint64_t>(10.5 * subject.model->sample_rate_hz),
                   [&](EngineRig& rig) { rig.edit(around(subject, "\"in -> model -> out\"", twin)); });
        const Sound expected = plain.run(in), out = swapped.run(in);
        REQUIRE(swapped.engine().counts().swaps == 1);
        const double difference = max_difference(expected[0], out[0]);
        INFO(subject.name << ": " << difference);
        CHECK(max_difference(expected[0], Channel(expected[0].size(), 0.f)) > 1e-3);  // it sounds
        // Sound older than ten seconds is forgotten: 2e-7 for the S4Ds, which remember longer; 0 for the
        // others.
        CHECK(difference < 1e-6);
    }
}

TEST_CASE("every model: in parallel with its dry sound, the two are aligned to the sample") {
    for (const Subject& subject : subjects()) {
        const auto mixed = [&](double percent) {
            EngineRig rig(
                around(subject, "\"in -> model -> mix.wet\", \"in -> mix.dry\", \"mix -> out\"", subject.file,
                       fmt::format("[nodes.mix]\ntype = \"mix\"\nmix_percent = {}\n", percent)),
                at_rate_of(subject));
            return rig.run(mono(material(subject, 1.)))[0];
        };
        const Channel in = material(subject, 1.), dry = mixed(0.), half = mixed(50.), wet = mixed(100.);
        INFO(subject.name << ", latency " << subject.latency_samples);
        const auto begun =
            static_cast<std::size_t>(0.1 * subject.model->sample_rate_hz);  // after the start ramp
        const auto late = static_cast<std::size_t>(subject.latency_samples);
        int unlike_dry = 0, unlike_half = 0;
        for (std::size_t k = begun; k < in.size(); ++k) {
            unlike_dry += dry[k] != in[k - late];
            unlike_half += half[k] != 0.5f * in[k - late] + 0.5f * wet[k];
        }
        CHECK(unlike_dry == 0);
        CHECK(unlike_half == 0);
    }
}

TEST_CASE("every model: stereo has two states and one set of weights") {
    for (const Subject& subject : subjects()) {
        const std::string settings = subject.model->architecture == "grey_box" ? "link = false\n" : "";
        const Channel left = material(subject, 0.5, 1), right = material(subject, 0.5, 5);
        const auto alone = [&](const Channel& channel) {
            EngineRig rig(around(subject, "\"in -> model -> out\"", subject.file, settings),
                          at_rate_of(subject));
            return rig.run(mono(channel))[0];
        };
        EngineRig rig(around(subject, "\"in -> model -> out\"", subject.file, settings, 2),
                      at_rate_of(subject, 2));
        const Sound both = rig.run(stereo(left, right));
        INFO(subject.name);
        CHECK(both[0] == alone(left));
        CHECK(both[1] == alone(right));
        CHECK(both[0] != both[1]);
    }
}

}  // namespace gainstage::test::every_model_test
