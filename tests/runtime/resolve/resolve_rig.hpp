#pragma once
/// A handful of node types to resolve patches with, and short ways to write those patches.

#include <map>

#include "runtime/patch/read_patch.hpp"
#include "runtime/resolve/resolve.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/problem_text.hpp"

namespace gainstage::test {

inline OptionSpec channel_list() {
    return {.name = "channels", .kind = OptionKind::channel_list, .required = true, .min = 1., .max = 64.};
}

inline NodeTypes small_types() {
    static const std::vector<NodeType> types{
        {.name = "input",
         .summary = "for tests",
         .outputs = {{.name = "out", .width = Width::option}},
         .options = {channel_list()},
         .device = Door::in},
        {.name = "output",
         .summary = "for tests",
         .inputs = {{.name = "in", .width = Width::option}},
         .options = {channel_list()},
         .device = Door::out},
        {.name = "gain",
         .summary = "for tests",
         .inputs = {{.name = "in"}},
         .outputs = {{.name = "out"}},
         .params = {{.name = "gain_db", .unit = "dB", .min = -120.f, .max = 60.f, .start = 0.f}}},
        {.name = "comp",
         .summary = "for tests",
         .inputs = {{.name = "in"}, {.name = "sidechain", .width = Width::own, .optional = true}},
         .outputs = {{.name = "out"}},
         .params = {{.name = "ratio", .unit = ":1", .min = 1.f, .max = 100.f, .start = 4.f},
                    {.name = "attack_ms", .unit = "ms", .min = 0.1f, .max = 50.f, .start = 1.f},
                    {.name = "range", .min = 0.f, .max = 1.f, .start = 0.f, .steps = 3},
                    {.name = "invert", .min = 0.f, .max = 1.f, .start = 1.f, .steps = 2}},
         .options =
             {{.name = "link", .kind = OptionKind::boolean, .start = "true"},
              {.name = "lookahead_ms", .kind = OptionKind::number, .start = "1.5", .min = 0.1, .max = 20.},
              {.name = "detector", .kind = OptionKind::choice, .start = "peak", .choices = {"peak", "rms"}},
              {.name = "label", .kind = OptionKind::text}}},
        {.name = "mix",
         .summary = "for tests",
         .inputs = {{.name = "in1", .width = Width::own, .optional = true},
                    {.name = "in2", .width = Width::own, .optional = true}},
         .outputs = {{.name = "out", .width = Width::option}},
         .options = {{.name = "channels", .kind = OptionKind::integer, .start = "0", .min = 0., .max = 2.}}},
        {.name = "pan",
         .summary = "for tests",
         .inputs = {{.name = "in", .width = Width::own}},
         .outputs = {{.name = "out", .width = Width::stereo}}},
        {.name = "mono",
         .summary = "for tests",
         .inputs = {{.name = "in", .width = Width::mono}},
         .outputs = {{.name = "out"}}},
        {.name = "switcher",
         .summary = "for tests",
         .inputs = {{.name = "in"}},
         .outputs = {{.name = "left"}, {.name = "right"}},
         .params = {{.name = "side", .min = 0.f, .max = 1.f, .start = 0.f, .steps = 2}}},
        {.name = "delay",
         .summary = "for tests",
         .inputs = {{.name = "in"}},
         .outputs = {{.name = "out"}},
         .params = {{.name = "delay_ms", .unit = "ms", .min = 0.f, .max = 2000.f, .start = 250.f}},
         .options = {{.name = "delay_samples",
                      .kind = OptionKind::integer,
                      .start = "0",
                      .min = 0.,
                      .max = 96000.,
                      .replaces = "delay_ms"}},
         .closes_loops = true},
        {.name = "s4d",
         .summary = "for tests",
         .inputs = {{.name = "in"}},
         .outputs = {{.name = "out"}},
         .params = {{.name = "trim_db", .unit = "dB", .min = -20.f, .max = 20.f, .start = 0.f}},
         .architecture = "s4d"},
        {.name = "grey_box",
         .summary = "for tests",
         .inputs = {{.name = "in"}},
         .outputs = {{.name = "out"}},
         .architecture = "grey_box"},
    };
    return types;
}

/// Models by path, and how often each one was read.
struct Shelf {
    std::map<std::string, std::shared_ptr<const Model>> models;
    std::map<std::string, int> asked = {};

    ModelReader reader() {
        return [this](const std::string& path) {
            ++asked[path];
            const auto found = models.find(path);
            if (found == models.end()) throw ModelError(path + ": no such file", 66);
            return found->second;
        };
    }
};

inline std::shared_ptr<Model> model(std::string architecture, std::vector<ModelControl> controls = {}) {
    auto made = std::make_shared<Model>();
    made->file = "m.safetensors";
    made->architecture = std::move(architecture);
    made->sample_rate_hz = 44'100.;
    made->controls = std::move(controls);
    return made;
}

inline Resolved resolved(const std::string& text, const ModelReader& reader = nullptr, double rate_hz = 0.) {
    const ReadPatch read = read_patch_text("format = 1\n" + text, "p.toml", "shelf");
    CHECK(lines(read.problems) == "");
    return resolve(read.patch, small_types(), reader, rate_hz);
}

/// Complaints about a patch whose text begins in line 2.
inline std::string complaints(const std::string& text, ModelReader reader = nullptr, double rate_hz = 0.) {
    const Resolved result = resolved(text, std::move(reader), rate_hz);
    CHECK(result.graph.has_value() == !has_errors(result.problems));
    return lines(result.problems);
}

inline Graph graph(const std::string& text, ModelReader reader = nullptr, double rate_hz = 0.) {
    Resolved result = resolved(text, std::move(reader), rate_hz);
    CHECK(lines(result.problems) == "");
    REQUIRE(result.graph);
    return *std::move(result.graph);
}

inline const std::string mono_in = "[nodes.in]\ntype = \"input\"\nchannels = [1]\n";
inline const std::string stereo_in = "[nodes.in]\ntype = \"input\"\nchannels = [3, 4]\n";
inline const std::string stereo_out = "[nodes.out]\ntype = \"output\"\nchannels = [1, 2]\n";

/// The table of one node.
inline std::string node(const std::string& id, const std::string& type, const std::string& settings = "") {
    return "[nodes." + id + "]\ntype = \"" + type + "\"\n" + settings;
}

/// links in line 2, then a node "x" from line 3, between an input and an output.
inline std::string around(const std::string& type, const std::string& settings) {
    return "links = [\"in -> x -> out\"]\n" + node("x", type, settings) + mono_in + stereo_out;
}

}  // namespace gainstage::test
