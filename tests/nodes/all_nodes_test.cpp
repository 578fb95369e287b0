/// The promises that every node keeps, checked for each type in the list. A new type is tested here as soon
/// as it is listed.

#include "nodes/all_nodes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "runtime/model/model.hpp"
#include "runtime/plan/build_node.hpp"
#include "tests/nodes/contract.hpp"
#include "tests/nodes/node_cases.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/heap.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/places.hpp"

namespace gainstage::test::all_nodes_test {

namespace {

const std::filesystem::path source_folder = source_dir();

Sound stereo_noise(int frames, std::uint32_t seed = 1, float amplitude = 1.f) {
    return stereo(white_noise(frames, seed, amplitude), pink_noise(frames, seed + 1, amplitude));
}

/// Moves in which every knob jumps or glides about several times. The last ones are still under way at the
/// end.
std::vector<Move> restless_moves(const std::vector<ParamSpec>& params, int frames, std::uint32_t seed) {
    std::mt19937 random(seed);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<std::uint32_t>(n)); };
    std::vector<Move> moves;
    for (const ParamSpec& spec : params)
        for (int i = 0; i < 5; ++i) {
            const float value =
                spec.steps > 1 ? spec.min + (spec.max - spec.min) / static_cast<float>(spec.steps - 1) *
                                                static_cast<float>(below(spec.steps))
                               : spec.min + (spec.max - spec.min) * static_cast<float>(below(101)) / 100.f;
            moves.push_back({i == 4 ? frames - 20 : below(frames), spec.name, value,
                             std::array<float, 3>{20.f, 0.f, 1.7f}[below(3)]});
        }
    return moves;
}

/// Settings of all knobs: each one alone at either end, all at one end, and corners drawn at random.
std::vector<std::vector<std::pair<std::string, float>>> extremes(const std::vector<ParamSpec>& params) {
    std::vector<std::vector<std::pair<std::string, float>>> settings;
    const auto all = [&](auto at_max) {
        auto& setting = settings.emplace_back();
        for (const ParamSpec& spec : params) setting.emplace_back(spec.name, at_max() ? spec.max : spec.min);
    };
    for (const ParamSpec& spec : params)
        for (const float end : {spec.min, spec.max}) settings.push_back({{spec.name, end}});
    all([] { return false; });
    all([] { return true; });
    std::mt19937 random(4);
    for (std::size_t i = 0; i < 2 * params.size(); ++i) all([&] { return (random() & 1u) != 0; });
    return settings;
}

std::string text_of(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

/// The suffix that shows a knob's unit. Names in a model file are the trainer's choice.
std::string suffix_of(const std::string& unit) {
    static const std::vector<std::pair<std::string, std::string>> suffixes{
        {"dB", "_db"}, {"dBFS", "_dbfs"}, {"ms", "_ms"},
        {"Hz", "_hz"}, {"%", "_percent"}, {"samples", "_samples"}};
    for (const auto& [name, suffix] : suffixes)
        if (name == unit) return suffix;
    return {};
}

}  // namespace

TEST_CASE("all nodes: names are unique, starts lie within their ranges, units show in names") {
    std::set<std::string> types;
    for (const NodeType& type : all_nodes()) {
        INFO(type.name);
        CHECK(types.insert(type.name).second);
        CHECK_FALSE(type.summary.empty());
        CHECK((type.make != nullptr) == type.architecture.empty());
        CHECK((type.prepare != nullptr) == !type.architecture.empty());
        CHECK((type.level != nullptr) == !type.architecture.empty());
        CHECK_FALSE((type.inputs.empty() && type.outputs.empty()));
        std::set<std::string> keys{"type", "model", "rate", "smooth_ms", "bypass", "mute"}, ports;
        for (const auto* side : {&type.inputs, &type.outputs})
            for (const PortSpec& port : *side) CHECK(ports.insert(port.name).second);
        for (const ParamSpec& spec : type.params) {
            INFO(spec.name);
            CHECK(keys.insert(spec.name).second);
            CHECK(std::isfinite(spec.min));
            CHECK(std::isfinite(spec.max));
            CHECK(spec.min < spec.max);
            CHECK(spec.start >= spec.min);
            CHECK(spec.start <= spec.max);
            CHECK(spec.smooth_ms >= 0.f);
            CHECK_FALSE(spec.summary.empty());
            // a threshold may be called threshold_db and count in dBFS
            const std::string unit = spec.unit == "dBFS" && !spec.name.ends_with("_dbfs") ? "dB" : spec.unit;
            CHECK(spec.name.ends_with(suffix_of(unit)));
        }
        for (const OptionSpec& spec : type.options) {
            INFO(spec.name);
            CHECK(keys.insert(spec.name).second);
            CHECK_FALSE(spec.summary.empty());
            CHECK((spec.required || !spec.start.empty()));
            CHECK((spec.replaces.empty() || keys.contains(spec.replaces)));
            if (spec.kind == OptionKind::choice)
                CHECK(std::count(spec.choices.begin(), spec.choices.end(), spec.start) == 1);
        }
        CHECK_NOTHROW(options_of(type, required_options(type, 1)));
    }
}

namespace {
/// Names of all files below the folder.
std::set<std::string> files_below(const char* folder) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(source_folder / folder))
        names.insert(entry.path().filename().string());
    return names;
}
}  // namespace

TEST_CASE(
    "all nodes: every type has its file, its test, its line in nodes/README.md and a patch to hear it") {
    std::set<std::string> shipped{""};  // architectures that a patch can play; "" stands for no model
    for (const auto& entry : std::filesystem::directory_iterator(source_folder / "models"))
        if (entry.path().extension() == ".safetensors")
            shipped.insert(read_model_file(entry.path().string())->architecture);
    std::string patches;
    for (const auto& entry : std::filesystem::directory_iterator(source_folder / "patches"))
        if (entry.path().extension() == ".toml") patches += text_of(entry.path());
    std::erase(patches, ' ');
    const std::string readme = text_of(source_folder / "nodes/README.md");
    for (const NodeType& type : all_nodes()) {
        INFO(type.name);
        CHECK(files_below("nodes").contains(type.name + ".hpp"));
        CHECK(files_below("nodes").contains(type.name + ".cpp"));
        CHECK(files_below("tests/nodes").contains(type.name + "_test.cpp"));
        CHECK(readme.find("| `" + type.name + "` |") != std::string::npos);
        if (shipped.contains(type.architecture))
            CHECK(patches.find("\ntype=\"" + type.name + "\"") != std::string::npos);
    }
}

TEST_CASE("all nodes: latency and memory stay within what an engine supports") {
    for (const Case& each : all_cases()) {
        INFO(each.name);
        NodeRunner runner = each.runner();
        CHECK(runner.node().latency_samples() >= 0);
        CHECK(runner.node().memory_samples() >= 0);
        CHECK(static_cast<double>(runner.node().memory_samples()) <= 10. * each.config.sample_rate_hz);
        CHECK(runner.node().exact_memory_samples().value_or(runner.node().memory_samples()) >=
              runner.node().memory_samples());
        const bool remembers = runner.node().memory_samples() > 0 || runner.node().latency_samples() > 0;
        CHECK((!remembers || runner.memory().bytes() > 0));
        CHECK(each.runner().memory().bytes() == runner.memory().bytes());
        CHECK((dynamic_cast<LoopBreaker*>(&runner.node()) != nullptr) == each.type->closes_loops);
    }
}

TEST_CASE("all nodes: silence and denormals give finite output") {
    for (const Case& each : all_cases()) {
        INFO(each.name);
        for (const float value : {0.f, 1e-42f, -1e-40f, 1e-36f})
            for (const Sound& sound : each.runner().run(each.ports(mono(constant(5000, value)))))
                CHECK(all_finite(sound));
    }
}

TEST_CASE(
    "all nodes: the output stays finite with every knob at its extremes, held or moving, on any sound") {
    constexpr int frames = 1500;
    const std::vector<Sound> sounds{
        stereo_noise(frames),          mono(square(frames, 997., 48'000.)), mono(constant(frames, 1.f)),
        mono(impulse(frames, 3)),      stereo_noise(frames, 5, 15.f),  // the ceiling of models, +24 dBFS
        stereo_noise(frames, 6, 10e3f)};  // the ceiling of plain effects, +80 dBFS
    for (const Case& each : all_cases()) {
        const std::vector<ParamSpec> params = params_of(*each.type, each.config.model.get());
        for (const auto& setting : extremes(params)) {
            Case extreme = each;
            extreme.config.params = setting;
            std::vector<Move> flight;
            for (const ParamSpec& spec : params) {
                flight.push_back({frames / 3, spec.name, spec.max, 0.f});
                flight.push_back({frames / 2, spec.name, spec.min, 5.f});
            }
            // What is louder than the ceiling of models may be too much for a model.
            const std::size_t count = sounds.size() - (each.config.model ? 1 : 0);
            for (std::size_t s = 0; s < count; ++s) {
                INFO(each.name << ", sound " << s << ", " << (setting.empty() ? "" : setting[0].first));
                bool finite = true;
                NodeRunner runner = extreme.runner();
                for (const Sound& sound : runner.run(each.ports(sounds[s]))) finite &= all_finite(sound);
                for (const Sound& sound : runner.run(each.ports(sounds[s]), {}, flight))
                    finite &= all_finite(sound);
                CHECK(finite);
            }
        }
    }
}

TEST_CASE(
    "all nodes: blocks of any size give the same bits, a reset node is as new even after NaN, a copy plays "
    "on like its original") {
    constexpr int frames = 4000;
    for (const Case& each : all_cases()) {
        const std::vector<ParamSpec> params = params_of(*each.type, each.config.model.get());
        INFO(each.name);
        CHECK(broken_promise(*each.type, each.config, each.ports(stereo_noise(frames)),
                             restless_moves(params, frames, 1)) == "");
        Case late = each;
        late.config.start_time = 48'000'003;  // not on the control grid
        CHECK(broken_promise(*each.type, late.config, each.ports(stereo_noise(frames, 9, 0.05f)),
                             restless_moves(params, frames, 2)) == "");
    }
}

TEST_CASE("all nodes: a node that claims memory does remember, so that the test of its reset can fail") {
    constexpr int frames = 50'000;  // longer than any delay below
    for (Case each : all_cases()) {
        INFO(each.name);
        // not at the start values, where some nodes do nothing (a bell of 0 dB)
        for (const ParamSpec& spec : params_of(*each.type, each.config.model.get()))
            each.config.params.emplace_back(spec.name, 0.9f * spec.start + 0.1f * spec.max);
        NodeRunner used = each.runner();
        if (used.node().memory_samples() == 0 && used.node().latency_samples() == 0) continue;
        const Ports quiet = each.ports(stereo_noise(frames, 3, 0.01f));
        used.run(each.ports(stereo_noise(frames)));
        CHECK_FALSE(bit_difference(used.run(quiet)[0], each.runner().run(quiet)[0]).empty());
    }
}

TEST_CASE("all nodes: the same sound on both channels comes out of both as it does in mono") {
    constexpr int frames = 4000;
    const Channel noise = white_noise(frames, 1);
    for (const NodeType& type : all_nodes()) {
        if (type.outputs.empty() || type.outputs[0].width != Width::follow) continue;
        INFO(type.name);
        for (const auto& model : models_for(type)) {
            NodeConfig config{.options = required_options(type, 1), .model = model};
            if (model) config.sample_rate_hz = model->sample_rate_hz;
            const std::vector<Move> moves = restless_moves(params_of(type, model.get()), frames, 3);
            const Case each{.type = &type, .config = config, .name = type.name};
            const Channel once = each.runner().run(each.ports(mono(noise)), {}, moves)[0][0];
            Case wide = each;
            wide.config.channels = 2;
            const Sound twice = wide.runner().run(each.ports(stereo(noise, noise)), {}, moves)[0];
            CHECK(bit_difference(twice, stereo(once, once)) == "");
        }
    }
}

TEST_CASE("all nodes: a node takes as much memory as it names, state and scratch together") {
    for (const Case& each : all_cases()) {
        INFO(each.name);
        const auto prepared = prepared_of(*each.type, each.config);
        const Setup setup = setup_of(*each.type, each.config, params_of(*each.type, each.config.model.get()));
        const auto first =
            build_node(*each.type, prepared.get(), setup);  // what all instances share is there
        const std::size_t before = heap_in_use();
        const auto node = build_node(*each.type, prepared.get(), setup);
        const double taken = static_cast<double>(heap_in_use()) - static_cast<double>(before);
        const NodeMemory memory(*node);
        const auto named = static_cast<double>(memory.bytes() + memory.scratch_bytes());
        INFO("taken " << taken << ", named " << named);
        CHECK(named >= 0.95 * taken - 4'000.);
        CHECK(named <= 1.05 * taken + 4'000.);
    }
}

}  // namespace gainstage::test::all_nodes_test
