// Every patch of patches/ is a safe start: it loads, says what one hears, and ends safely. claims_test.cpp
// and controllers_test.cpp measure what it says.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "nodes/all_nodes.hpp"
#include "runtime/model/model.hpp"
#include "runtime/patch/read_patch.hpp"
#include "runtime/resolve/resolve.hpp"
#include "tests/patches/shipped.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/places.hpp"

namespace gainstage::test::shipped_patches_test {
namespace {

const std::filesystem::path root = source_dir();

std::string text_of(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

std::string lines(const Problems& problems) {
    std::string text;
    for (const Problem& problem : problems) text += problem.text() + "\n";
    return text;
}

Graph resolved(const std::filesystem::path& file) {
    const ReadPatch read = read_patch_file(file.string());
    CHECK(lines(read.problems) == "");
    Resolved result = resolve(read.patch, all_nodes(), read_model_file, 48'000.);
    CHECK(lines(result.problems) == "");
    REQUIRE(result.graph);
    return *std::move(result.graph);
}

/// True if every cable into `node` comes from `source`.
bool fed_only_by(const Graph& graph, int node, int source) {
    return std::all_of(graph.links.begin(), graph.links.end(),
                       [&](const GraphLink& link) { return link.to != node || link.from == source; });
}

TEST_CASE("at least ten patches are shipped") {
    CHECK(shipped_patches().size() >= 10);
}

TEST_CASE("every shipped patch begins with what one hears, and reads without a problem") {
    for (const auto& file : shipped_patches()) {
        INFO(file.filename().string());
        CHECK(text_of(file).rfind("# You hear: ", 0) == 0);
        CHECK(!resolved(file).name.empty());
    }
}

TEST_CASE("every output of a shipped patch is fed by its limiter `safety` alone, set below full scale") {
    for (const auto& file : shipped_patches()) {
        INFO(file.filename().string());
        const Graph graph = resolved(file);
        const int safety = graph.node_index("safety");
        REQUIRE(safety >= 0);
        const GraphNode& limiter = graph.nodes[safety];
        CHECK(limiter.type->name == "limiter");
        CHECK(limiter.values[limiter.param_index("ceiling_dbfs")] <= -1.f);
        for (std::size_t node = 0; node < graph.nodes.size(); ++node)
            if (graph.nodes[node].type->device == Door::out)
                CHECK(fed_only_by(graph, static_cast<int>(node), safety));
    }
}

TEST_CASE(
    "every node type is heard in a shipped patch, if it needs no model or one is shipped, and named in "
    "nodes/README.md") {
    std::set<std::string> heard, playable{""};
    for (const auto& entry : std::filesystem::directory_iterator(root / "models"))
        if (entry.path().extension() == ".safetensors")
            playable.insert(read_model_file(entry.path().string())->architecture);
    for (const auto& file : shipped_patches())
        for (const GraphNode& node : resolved(file).nodes) heard.insert(node.type->name);
    const std::string readme = text_of(root / "nodes" / "README.md");
    for (const NodeType& type : all_nodes()) {
        INFO(type.name);
        if (playable.count(type.architecture)) CHECK(heard.count(type.name) == 1);
        CHECK(readme.find("`" + type.name + "`") != std::string::npos);
    }
}

TEST_CASE("the MIDI showcase uses every source but program changes, and every mode, curve and takeover") {
    const Graph graph = resolved(root / "patches" / "midi-showcase.toml");
    std::set<MidiSource> sources;
    std::set<MidiMode> modes;
    std::set<MidiCurve> curves;
    std::set<MidiTakeover> takeovers;
    for (const GraphMidi& midi : graph.midi) {
        sources.insert(midi.entry.source);
        modes.insert(midi.entry.mode);
        curves.insert(midi.entry.curve);
        takeovers.insert(midi.entry.takeover);
    }
    CHECK(sources.size() == 5);
    CHECK(modes.size() == 7);
    CHECK(curves.size() == 4);
    CHECK(takeovers.size() == 3);
}

TEST_CASE(
    "the README shows patches/hello.toml as it is, and patches/README.md names every patch by what one "
    "hears") {
    const std::string front = text_of(root / "README.md");
    CHECK(front.find("```toml\n" + text_of(root / "patches" / "hello.toml") + "```") != std::string::npos);
    const std::string readme = text_of(root / "patches" / "README.md");
    for (const auto& file : shipped_patches()) {
        const std::string text = text_of(file), intro = "# You hear: ";
        const std::string hear = text.substr(intro.size(), text.find('\n') - intro.size());
        INFO(file.filename().string());
        CHECK(readme.find("](" + file.filename().string() + ") | " + hear + " |") != std::string::npos);
    }
}

}  // namespace
}  // namespace gainstage::test::shipped_patches_test
