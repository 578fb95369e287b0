/// Models begin at rest: nothing is heard at the start of a stream, after a panic or a swap, but what they
/// play in silence anyway.

#include "runtime/plan/settle.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <optional>
#include <thread>

#include "nodes/all_nodes.hpp"
#include "runtime/engine/builder.hpp"
#include "runtime/engine/patch_loader.hpp"
#include "runtime/model/model.hpp"
#include "tests/nodes/node_cases.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::settle_test {

namespace {

const std::string gru_file = source_dir() + "/models/opto-gru.safetensors";

/// Every test model of every type, mono and stereo, at its own rate and at others, also from `start =
/// "zero"`.
std::vector<Case> model_cases() {
    std::vector<Case> cases = all_cases();
    std::erase_if(cases, [](const Case& each) { return !each.config.model; });
    REQUIRE(cases.size() > 30);
    return cases;
}

bool begins_at_zero(const Case& each) {
    return each.name.ends_with("start = zero");
}

bool is_resampled(const Case& each) {
    return each.name.find(" Hz") != std::string::npos;
}

Sound silence_for(const Case& each, int frames) {
    return Sound(static_cast<std::size_t>(each.config.channels), silence(frames));
}

/// How far the sound leaves the range in which it ends. A model that hears windows may hum in each.
double thump_of(Samples sound) {
    const auto [least, most] = std::minmax_element(sound.end() - 4'800, sound.end());
    double furthest = 0.;
    for (const float x : sound)
        furthest = std::max({furthest, double{x} - double{*most}, double{*least} - double{x}});
    return furthest;
}

std::string gru_patch(const std::string& settings = "", const std::string& file = gru_file) {
    return patch("\"in -> model -> out\"", node("model", "gru", "model = '" + file + "'\n" + settings));
}

}  // namespace

TEST_CASE("settled: a model plays on silence from its first sample what it plays there for ever") {
    for (Case each : model_cases()) {
        if (begins_at_zero(each)) continue;
        for (const std::uint64_t start : {std::uint64_t{0}, std::uint64_t{12'345}}) {
            each.config.start_time = start;
            NodeRunner cold = each.runner(), settled = each.runner();
            const Rest rest = settled.settle();
            const Sound in = silence_for(each, 48'000);
            const double before = thump_of(cold.run(in)[0]), after = thump_of(settled.run(in)[0]);
            // A hum begins anew in another phase than the one that the resampler's filters remember.
            if (is_resampled(each) && rest.noise_dbfs > -60.) continue;
            INFO(fmt::format("{} from {}: {:.1e} cold, {:.1e} settled, rest {:.1f} {:.1f} dBFS", each.name,
                             start, before, after, rest.offset_dbfs, rest.noise_dbfs));
            CHECK(after <= std::max(1e-5, 0.001 * before));
        }
    }
}

TEST_CASE("settled: a model plays the same bits in blocks of any sizes, from any sample of the stream") {
    for (Case each : model_cases()) {
        each.config.start_time = 12'345;
        NodeRunner one = each.runner(), other = each.runner();
        one.settle();
        other.settle();
        const Sound in(static_cast<std::size_t>(each.config.channels), pink_noise(3'000, 5));
        INFO(each.name);
        CHECK(bit_difference(one.run(in), other.run(in, Partition::random(3, 200))) == "");
    }
}

TEST_CASE("settled: a reset brings a model back to rest") {
    for (Case each : model_cases()) {
        NodeRunner played = each.runner(), fresh = each.runner();
        played.settle();
        fresh.settle();
        const Sound in(static_cast<std::size_t>(each.config.channels), pink_noise(1'777, 5));
        played.run(in);
        played.reset();
        fresh.follow(played);
        INFO(each.name);
        CHECK(bit_difference(fresh.run(in), played.run(in)) == "");
    }
}

TEST_CASE("settled: start = \"zero\" leaves the state as it was built") {
    for (const Case& each : model_cases()) {
        if (!begins_at_zero(each)) continue;
        NodeRunner built = each.runner(), settled = each.runner();
        settled.settle();
        const Sound in(2, pink_noise(2'000, 5));
        INFO(each.name);
        CHECK(bit_difference(built.run(in), settled.run(in)) == "");
    }
}

TEST_CASE("settled: a second instance takes the state of the first, and plays the same") {
    const auto model = read_model_file(gru_file);
    const NodeType& type = *type_that_plays(all_nodes(), model->architecture);
    const NodeConfig config{.sample_rate_hz = model->sample_rate_hz, .model = model};
    const auto prepared = prepared_of(type, config);
    const Setup setup = setup_of(type, config, params_of(type, model.get()));
    CHECK(prepared->rests().find(setup) == nullptr);
    std::vector<std::unique_ptr<Node>> nodes;
    std::vector<std::shared_ptr<const NodeMemory::Image>> images;
    for (int k = 0; k < 2; ++k) {
        nodes.push_back(prepared->make(setup));
        NodeMemory memory(*nodes.back());
        const auto as_built = memory.image();
        settle(*nodes.back(), memory, type, *prepared, setup);
        CHECK(memory.image()->kept != as_built->kept);
        images.push_back(memory.image());
    }
    CHECK(images[0] == images[1]);
    Setup wider = setup;
    wider.channels = 2;
    CHECK(prepared->rests().find(wider) == nullptr);
}

namespace {

/// A song of several files of the dearest family. To the engine each is a model of its own, which plays
/// silence for some tenths of a second before it is heard.
class LongSong {
public:
    static constexpr int models = 8;

    LongSong() {
        ModelFile parts = model_parts(source_dir() + "/models/opto-s6.safetensors");
        const long memory = std::stol(parts.metadata["memory_samples"]);
        std::string links = "in", nodes;
        for (int k = 0; k < models; ++k) {
            const std::string id = fmt::format("m{}", k);
            const std::string file = save(folder_, id + ".safetensors", remembering(parts, memory - k));
            nodes += node(id, "s6", "model = '" + file + "'\n");
            links += " -> " + id;
        }
        graph_ = load(patch("\"" + links + " -> out\"", nodes));
    }

    Graph load(const std::string& text) {
        Resolved resolved = loader_.load(folder_.write("p.toml", text));
        REQUIRE(resolved.graph);
        return std::move(*resolved.graph);
    }
    Graph graph() const { return graph_; }
    /// How many of its models have come to rest.
    int settled() const {
        int count = 0;
        for (const GraphNode& each : graph_.nodes)
            if (each.prepared) count += each.prepared->rests().size() > 0;
        return count;
    }

private:
    const TemporaryFolder folder_;
    PatchLoader loader_{all_nodes(), 44'100.};
    Graph graph_;
};

/// An engine whose builder has begun to build that song.
class Busy {
public:
    explicit Busy(LongSong& song) : song_(song) {
        engine.emplace(EngineConfig{
            .room = {.sample_rate_hz = 44'100., .max_frames = frames, .midi_ports = 0}, .builder = &builder});
        engine->play(song.graph());
        until([&] { return song_.settled() >= 1; });
        REQUIRE(song_.settled() < LongSong::models);
    }
    template <class IsSo>
    void until(IsSo is_so) {
        for (const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
             std::chrono::steady_clock::now() < end && !is_so();
             std::this_thread::sleep_for(std::chrono::milliseconds(1))) {
            engine->tick();
            block();
        }
        REQUIRE(is_so());
    }
    bool comes(const Graph& graph) const {
        return engine->playing() && engine->playing()->graph.patch_text == graph.patch_text;
    }

    BuilderThread builder;
    std::optional<Engine> engine;

private:
    static constexpr int frames = 64;
    void block() {
        const Channel in = silence(frames);
        Channel out(frames);
        const float* from = in.data();
        float* to = out.data();
        engine->room().process(&from, 1, &to, 1, frames);
    }
    LongSong& song_;
};

}  // namespace

TEST_CASE("settled: whoever doesn't wait for it any more ends it, and nothing of it is kept") {
    const auto model = read_model_file(gru_file);
    const NodeType& type = *type_that_plays(all_nodes(), model->architecture);
    const NodeConfig config{.sample_rate_hz = model->sample_rate_hz, .model = model};
    const auto prepared = prepared_of(type, config);
    const Setup setup = setup_of(type, config, params_of(type, model.get()));
    const auto built = prepared->make(setup);
    NodeMemory memory(*built);
    const std::atomic<bool> given_up{true};
    CHECK_THROWS_AS(settle(*built, memory, type, *prepared, setup, &given_up), GivenUp);
    CHECK(prepared->rests().size() == 0);
}

TEST_CASE("settled: a patch that comes while models of an earlier one come to rest does not wait for all") {
    LongSong song;
    const Graph next = song.load(patch("\"in -> trim -> out\"", gain("trim", -3.)));
    Busy busy(song);
    busy.engine->play(next);
    busy.until([&] { return busy.comes(next); });
    CHECK(song.settled() < LongSong::models);
    CHECK(busy.engine->counts().failures == 0);
}

TEST_CASE("settled: the end of a session does not wait for models to come to rest") {
    LongSong song;
    Busy busy(song);
    busy.engine.reset();
    CHECK(song.settled() < LongSong::models);
}

TEST_CASE("settled: work that can't wait comes between, and the patch is built to its end behind it") {
    LongSong song;
    Busy busy(song);
    busy.engine->stand_back();
    int settled = LongSong::models;
    busy.builder.run([&] { settled = song.settled(); }, [] {});
    busy.until([&] { return busy.comes(song.graph()); });
    CHECK(settled < LongSong::models);
    CHECK(song.settled() == LongSong::models);
    CHECK(busy.engine->counts().failures == 0);
}

TEST_CASE("settled: patches that come faster than they can be built are heard all the same") {
    LongSong first, second;
    const Graph third = second.load(patch("\"in -> trim -> out\"", gain("trim", -3.)));
    Busy busy(first);
    busy.engine->play(second.graph());
    const auto change = [&] { return busy.engine->residents().change(); };
    busy.until([&] { return change() && change()->request().supersedes; });
    REQUIRE(change()->stage() == ChangeInFlight::Stage::building);
    busy.engine->play(third);
    CHECK_FALSE(change()->is_given_up());
    busy.until([&] { return busy.comes(second.graph()); });
    busy.until([&] { return busy.comes(third); });
    CHECK(first.settled() < LongSong::models);
    CHECK(second.settled() == LongSong::models);
}

TEST_CASE("settled: digital silence stays silence through a model that thumps from zero") {
    // The rest is its own offset, which goes on creeping: it remembers for ten seconds.
    const Sound cold = play(gru_patch("start = \"zero\"\n"), mono(silence(96'000)));
    CHECK(thump_of(cold[0]) > 3e-3);  // -50 dBFS
    const Sound settled = play(gru_patch(), mono(silence(96'000)));
    CHECK(thump_of(settled[0]) < 2e-4);  // -74 dBFS

    EngineRig rig(gru_patch());
    rig.run(mono(programme(20'000)));
    rig.engine().post({.kind = EventKind::panic, .stamp = rig.now()});
    rig.run(mono(silence(settled_in)));  // the way down, the reset, the way up
    CHECK(thump_of(rig.run(mono(silence(48'000)))[0]) < 2e-4);
}

TEST_CASE("settled: a newcomer that comes early, with little past, makes no thump") {
    const TemporaryFolder folder;
    const std::string other =
        save(folder, "other.safetensors",
             remembering(model_parts(gru_file), 1 + read_model_file(gru_file)->memory_samples));
    EngineRig rig(gru_patch());
    rig.at(3'000, [&](EngineRig& r) { r.edit(gru_patch("", other)); });
    const Channel out = rig.run(mono(silence(48'000)))[0];
    REQUIRE(rig.engine().counts().swaps == 1);
    CHECK(thump_of(out) < 2e-4);
}

TEST_CASE("settled: a note tells of an offset and of noise at silence, once, and not before a dc_block") {
    const TemporaryFolder folder;
    ModelFile parts = model_parts(source_dir() + "/models/opto-textbook.safetensors");
    tensor_of(parts, "makeup.bias").data.at(0) = 0.01f;
    const std::string file = save(folder, "offset.safetensors", parts);
    const auto notes = [](EngineRig& rig) {
        std::vector<std::string> texts;
        for (const EngineNews& news : rig.news())
            if (news.kind == EngineNews::Kind::note) texts.push_back(news.text);
        return texts;
    };
    EngineRig rig(patch("\"in -> box -> out\"", grey_box("box", file)));
    REQUIRE(notes(rig).size() == 1);
    CHECK(notes(rig)[0].find(
              "nodes.box: its model emits a DC of -40.0 dBFS at silence; put a dc_block node after it") !=
          std::string::npos);
    rig.edit(patch("\"in -> box -> more -> out\"", grey_box("box", file) + gain("more", 1.)));
    rig.run(mono(silence(9'000)));
    CHECK(notes(rig).size() == 1);
    EngineRig blocked(
        patch("\"in -> box -> block -> out\"", grey_box("box", file) + node("block", "dc_block")));
    CHECK(notes(blocked).empty());
}

}  // namespace gainstage::test::settle_test
