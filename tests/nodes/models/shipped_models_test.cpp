/// The models in models/: each one plays like the code that trained it (tests/data/make_shipped_clips.py).

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "nodes/all_nodes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/places.hpp"
#include "tests/support/type_playing.hpp"

namespace gainstage::test::shipped_models_test {

namespace {

namespace fs = std::filesystem;

const fs::path root = source_dir();

std::vector<fs::path> shipped() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(root / "models"))
        if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

/// True if gainstage_train trained it; false if its numbers were set by hand.
bool was_trained(const Model& model) {
    for (const auto& [key, text] : model.metadata)
        if (key == "training") return nlohmann::json::parse(text).contains("model");
    return false;
}

/// Largest difference from the output of the training code. Knobs step without smoothing, as there.
double distance(const std::shared_ptr<const Model>& model, const Channel& expected) {
    const Channel input = read_floats(root / "tests/data/shipped-input.f32");
    std::vector<Move> moves;
    for (const auto& step : nlohmann::json::parse(std::ifstream(root / "tests/data/shipped-moves.json")))
        moves.push_back({step[0].get<int>(), step[1].get<std::string>(), step[2].get<float>(), 0.f});
    NodeRunner runner(type_playing(*model), {.sample_rate_hz = model->sample_rate_hz, .model = model});
    const auto latency = static_cast<std::size_t>(runner.node().latency_samples());
    // Moves reach an ED-LSTM with its next window. Its output is late by a window too.
    const Sound out = runner.run(mono(input), {}, moves);
    double furthest = 0.;
    for (std::size_t k = 0; k + latency < expected.size(); ++k)
        furthest = std::max(furthest, std::abs(double{out[0][k + latency]} - double{expected[k]}));
    return furthest;
}

}  // namespace

TEST_CASE("every shipped model that was trained plays like its training code") {
    std::set<std::string> families;
    for (const fs::path& file : shipped()) {
        const auto model = read_model_file(file.string());
        if (!was_trained(*model)) continue;
        const fs::path clip = root / "tests/data" / ("shipped-" + file.stem().string() + ".expected.f32");
        INFO(clip.string() << ": made by tests/data/make_shipped_clips.py");
        REQUIRE(fs::exists(clip));
        const double furthest = distance(model, read_floats(clip));
        fmt::print("{:<28} {:.1e}\n", file.stem().string(), furthest);
        CHECK(furthest < 2e-6);  // measured: at most 4.6e-7
        families.insert(model->architecture);
    }
    for (const char* family : {"ed_lstm", "grey_box", "s4d", "s6", "tcn"}) {
        INFO(family);
        CHECK(families.count(family) == 1);
    }
}

TEST_CASE("every shipped model has a card") {
    for (const fs::path& file : shipped()) {
        INFO(file.string());
        CHECK(fs::exists(fs::path(file).replace_extension(".md")));
    }
}

}  // namespace gainstage::test::shipped_models_test
