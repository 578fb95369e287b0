/// Weights that are exchanged while they play: only the new sound is heard of it.

#include <sys/resource.h>

#include "tests/support/catch.hpp"
#include "tests/support/clicks.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/heap.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/realtime_guard.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::swap_test {

namespace {

const std::string source = source_dir();

std::string alone(const std::string& model, const std::string& settings = "", double fade_ms = 25.) {
    return patch("\"in -> box -> out\"", grey_box("box", model, settings),
                 fmt::format("fade_ms = {}\n", fade_ms));
}

int seconds(double s) {
    return static_cast<int>(s * scene_rate_hz);
}

/// Plays the whole stream; `text` takes over at frame `at`.
Sound swapped_at(int at, const std::string& before, const std::string& text, const Sound& in,
                 Partition partition = {}) {
    EngineRig rig(before);
    rig.at(static_cast<std::uint64_t>(at), [&](EngineRig& r) { r.edit(text); });
    Sound out = rig.run(in, partition);
    REQUIRE(rig.engine().counts().swaps == 1);
    return out;
}

const std::vector<std::string> models{"models/opto-textbook.safetensors", "models/bus-textbook.safetensors",
                                      "tests/data/grey_box-switching-soft.safetensors",
                                      "tests/data/grey_box-rnn-gru-hard.safetensors",
                                      "tests/data/grey_box-gru-rnn-two-knobs.safetensors"};

}  // namespace

TEST_CASE("a model file with the same weights and other metadata changes no bit of the output") {
    const TemporaryFolder folder;
    const ModelFile opto = model_parts(source + "/models/opto-textbook.safetensors");
    const std::string one = save(folder, "one.safetensors", opto),
                      two = save(folder, "two.safetensors", retold(opto, "{\"epochs\": 12}"));
    REQUIRE(read_model_file(one)->content_hash != read_model_file(two)->content_hash);
    REQUIRE(read_model_file(one)->meaning_hash == read_model_file(two)->meaning_hash);
    const Sound in = mono(programme(seconds(11)));
    CHECK(bit_difference(play(alone(one), in), swapped_at(seconds(10), alone(one), alone(two), in)) == "");
}

TEST_CASE("a newcomer that has heard the whole past equals to the bit one that was always there") {
    const TemporaryFolder folder;
    const ModelFile opto = model_parts(source + "/models/opto-textbook.safetensors");
    const std::string one = save(folder, "one.safetensors", opto),
                      two = save(folder, "two.safetensors", remembering(opto, seconds(6)));
    const Sound in = mono(programme(seconds(3)));
    const Sound expected = play(alone(one), in);
    for (const Partition partition : {Partition{16}, Partition{512}, Partition::random(4)})
        CHECK(bit_difference(expected, swapped_at(seconds(2) + 77, alone(one), alone(two), in, partition)) ==
              "");
}

TEST_CASE("a model swapped for an identical one after ten seconds changes the output by rounding at most") {
    const TemporaryFolder folder;
    for (const std::string& name : models) {
        const ModelFile parts = model_parts(source + "/" + name);
        const long memory = std::stol(parts.metadata.at("memory_samples"));
        const std::string one = save(folder, "one.safetensors", parts),
                          two = save(folder, "two.safetensors", remembering(parts, memory + 1));
        const Sound in = mono(programme(seconds(12)));
        const double difference =
            max_difference(play(alone(one), in)[0], swapped_at(seconds(10.5), alone(one), alone(two), in)[0]);
        INFO(name << ": " << difference);
        // The history is twice memory_samples (10 s at most). Sound before it leaves less than -140 dB: the
        // last bits of gains below 1. Measured: 4e-9 for the bus model, 0 for the others.
        CHECK(difference < 1e-7);
    }
}

TEST_CASE("a newcomer warmed while a knob moved equals one that was there from the start") {
    const TemporaryFolder folder;
    const ModelFile opto = model_parts(source + "/models/opto-textbook.safetensors");
    ModelFile other = louder(opto, -3.);
    tensor_of(other, "detector.tau_s").data = {0.02f, 0.15f};
    other.metadata["memory_samples"] = "82296";  // 11.43 times the longest time constant
    const std::string one = save(folder, "one.safetensors", opto),
                      two = save(folder, "two.safetensors", other);
    // Some ramps begin before the history, some within it, and some end only after the fade.
    const auto turn_knobs = [](EngineRig& rig) {
        rig.set_at(seconds(8) - 164'592 - 2'000, "box.peak_reduction", 80.f, 100.f);
        for (int k = 0; k < 60; ++k)
            rig.set_at(static_cast<std::uint64_t>(seconds(5) + 3'001 * k), "box.peak_reduction",
                       static_cast<float>((k * 37) % 100), static_cast<float>((k * 13) % 90));
        rig.set_at(seconds(8) - 500, "box.peak_reduction", 20.f, 500.f);
        rig.set_at(seconds(8) + 300, "box.bypass", 1.f, 10.f);
        rig.set_at(seconds(8) + 900, "box.bypass", 0.f, 10.f);
        rig.set_at(seconds(8) + 400, "box.peak_reduction", 65.f, 50.f);
    };
    const Sound in = mono(programme(seconds(9)));
    EngineRig always(alone(two)), swapped(alone(one));
    turn_knobs(always);
    turn_knobs(swapped);
    swapped.at(static_cast<std::uint64_t>(seconds(8)), [&](EngineRig& rig) { rig.edit(alone(two)); });
    const Sound expected = always.run(in, {64}), out = swapped.run(in, {64});
    REQUIRE(swapped.engine().counts().swaps == 1);
    const int fade_over = seconds(8) + 1'200;
    CHECK(max_difference(part(expected[0], 0, seconds(8)), part(out[0], 0, seconds(8))) > 0.01);
    // As above: sound before the history is below the last bits.
    CHECK(max_difference(part(expected[0], fade_over), part(out[0], fade_over)) < 1e-7);
}

// -------- clicks

TEST_CASE("the click detector finds a hard switch, linear corners and one dropped sample") {
    for (const double hz : {50., 100., 440.}) {
        INFO(hz << " Hz");
        const int frames = 24'000, at = 12'000 + static_cast<int>(scene_rate_hz / hz / 4.);  // a peak
        const Channel tone = sine(frames, hz, scene_rate_hz, 0.5);
        const auto with_level = [&](auto level_at) {
            Channel sound = tone;
            for (int k = 0; k < frames; ++k) sound[k] *= static_cast<float>(level_at(k - at));
            return find_click(sound, at - 10, at + 1'300);
        };
        const auto rise = [](int k, int length) { return std::clamp((k + 0.5) / length, 0., 1.); };
        CHECK(with_level([](int k) { return k < 0 ? 1. : 0.9; }).found());
        CHECK(with_level([&](int k) { return 1. - 0.5 * rise(k, 240); }).found());
        CHECK_FALSE(
            with_level([&](int k) { return 0.75 + 0.25 * std::cos(3.14159265 * rise(k, 1'200)); }).found());
        Channel dropped = tone;
        dropped.erase(dropped.begin() + at);
        CHECK(find_click(dropped, at - 10, at + 10).found());
        CHECK_FALSE(find_click(tone, at - 10, at + 10).found());
    }
}

TEST_CASE("swaps between models of different gain don't click on steady tones") {
    const TemporaryFolder folder;
    const ModelFile opto = model_parts(source + "/models/opto-textbook.safetensors");
    ModelFile quick = louder(opto, 4.);
    tensor_of(quick, "detector.tau_s").data = {0.02f, 0.2f};
    quick.metadata["memory_samples"] = "109728";
    const std::string one = save(folder, "one.safetensors", opto),
                      two = save(folder, "two.safetensors", louder(opto, -6.)),
                      three = save(folder, "three.safetensors", quick);
    for (const double hz : {50., 100., 440.})
        for (const auto& [before, after] : {std::pair{one, two}, {two, one}, {one, three}, {three, two}}) {
            INFO(hz << " Hz, " << before << " to " << after);
            const int at = seconds(6) + 123;
            Sound out = swapped_at(at, alone(before), alone(after),
                                   mono(sine(seconds(7), hz, scene_rate_hz, 0.3)), {64});
            out[0].erase(out[0].begin(), out[0].begin() + seconds(5));  // all detectors have settled
            const ClickSearch search = find_click(out[0], at - seconds(5) - 8, at - seconds(5) + 1'300);
            CHECK_FALSE(search.found());
            CHECK(search.steady > 0.);
        }
}

// -------- order

TEST_CASE("a swap that arrives during a fade waits for its end; of several, the last one wins") {
    const TemporaryFolder folder;
    const ModelFile opto = model_parts(source + "/models/opto-textbook.safetensors");
    std::vector<std::string> files;
    for (int k = 0; k < 5; ++k)
        files.push_back(save(folder, fmt::format("{}.safetensors", k), louder(opto, -k)));
    EngineRig rig(alone(files[0]));
    std::vector<std::string> began;
    std::vector<std::uint64_t> stamps;
    rig.engine().listen([&](const EngineNews& news) {
        if (news.kind != EngineNews::Kind::started) return;
        began.push_back(news.graph->nodes.back().model->file);
        stamps.push_back(news.stamp);
    });
    for (int k = 1; k < 5; ++k)
        rig.at(static_cast<std::uint64_t>(20'000 + 100 * k),
               [&, k](EngineRig& r) { r.edit(alone(files[k])); });
    const Sound in = mono(programme(seconds(1)));
    const Sound out = rig.run(in, {64});
    REQUIRE(began == std::vector<std::string>{files[0], files[1], files[4]});
    CHECK(stamps[1] == 20'100);
    CHECK(stamps[2] >= 20'100 + 1'200);       // the fade of 25 ms
    CHECK(stamps[2] <= 20'100 + 1'200 + 64);  // and no longer than a block after it
    CHECK(rig.engine().counts().swaps == 2);
    const Sound last = play(alone(files[4]), in, {64});
    CHECK(bit_difference(mono({last[0].begin() + 25'000, last[0].end()}),
                         mono({out[0].begin() + 25'000, out[0].end()})) == "");
}

// -------- endurance

namespace {

std::uint64_t page_faults() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return static_cast<std::uint64_t>(usage.ru_minflt + usage.ru_majflt);
}

/// Plays a steady tone block by block, and keeps only the largest second difference and the number of page
/// faults.
class Endurance {
public:
    Endurance(const std::string& toml, double hz) : rig_(toml), hz_(hz) {
        rig_.engine().listen({});  // its reports would take more and more memory
    }

    /// Plays one block of the tone and counts the page faults of the callback.
    void block() {
        const float* in[] = {in_.data()};
        float* out[] = {out_.data() + 2};
        for (int k = 0; k < frames; ++k)
            in_[k] = static_cast<float>(
                0.3 * std::sin(2. * 3.141592653589793 * hz_ * static_cast<double>(time_++) / scene_rate_hz));
        const std::uint64_t before = page_faults();
        {
            const RealtimeScope scope;
            rig_.engine().room().process(in, 1, out, 1, frames);
        }
        faults_ += page_faults() - before;
        rig_.engine().tick();
        largest_ = std::max(largest_, max_second_difference(out_));
        std::copy_n(out_.end() - 2, 2, out_.begin());
    }
    void blocks(int count) {
        for (int k = 0; k < count; ++k) block();
    }
    /// Plays until the change is complete.
    void change(const Graph& graph) {
        rig_.engine().play(graph);
        rig_.engine().tick();
        while (rig_.engine().changing()) block();
    }

    Engine& engine() { return rig_.engine(); }
    double take_largest() { return std::exchange(largest_, 0.); }
    std::uint64_t take_faults() { return std::exchange(faults_, 0); }

private:
    static constexpr int frames = 64;
    EngineRig rig_;
    const double hz_;
    std::uint64_t time_ = 0, faults_ = 0;
    Channel in_ = silence(frames), out_ = silence(frames + 2);
    double largest_ = 0.;
};

}  // namespace

TEST_CASE(
    "ten thousand swaps and a thousand edits of a sounding stream leave the callback and the memory "
    "unchanged") {
    // The fades have their usual length, but the memories are short (57 ms, exact for these time constants):
    // to warm each of 10,000 newcomers on seconds would take minutes.
    const bool watched =
        realtime_guard() == RealtimeGuard::in_process;  // the other builds are too slow for all of them
    const int many = watched ? 10'000 : 300, several = watched ? 1'000 : 60;
    const double hz = GENERATE(50., 100., 440.);
    INFO(hz << " Hz");
    const TemporaryFolder folder;
    ModelFile opto = model_parts(source + "/models/opto-textbook.safetensors");
    tensor_of(opto, "detector.tau_s").data = {0.002f, 0.005f};
    const ModelFile quick = remembering(opto, 2'744);
    const std::string one = save(folder, "one.safetensors", quick),
                      two = save(folder, "two.safetensors", louder(quick, -3.));
    const Graph graphs[] = {graph_of(alone(one)), graph_of(alone(two))};
    const auto chain = [&](const std::string& links, const std::string& nodes) {
        return graph_of(patch(links, grey_box("box", two) + nodes));
    };
    const Graph edits[] = {
        chain("\"in -> box -> a -> out\"", gain("a", -0.1)),                         // insert
        chain("\"in -> box -> a -> b -> out\"", gain("a", -0.1) + gain("b", 0.05)),  // insert
        chain("\"in -> box -> b -> a -> out\"", gain("a", -0.1) + gain("b", 0.05)),  // reorder
        chain("\"in -> b -> box -> a -> out\"", gain("a", -0.1) + gain("b", 0.1)),   // upstream of a model
        chain("\"in -> a -> box -> out\", \"a -> c -> out\"", gain("a", -0.1) + gain("c", -40.)),  // rewire
        chain("\"in -> box -> out\"", ""),                                                         // remove
    };
    Endurance stream(alone(one), hz);
    stream.blocks(100);
    const auto swaps = [&](int count) {
        for (int k = 0; k < count; ++k) stream.change(graphs[(k + 1) % 2]);
    };
    const auto edit = [&](int count) {
        for (int k = 0; k < count; ++k) stream.change(edits[k % 6]);
        stream.change(graphs[0]);
    };
    swaps(200);
    edit(120);
    stream.blocks(100);
    stream.take_largest();
    stream.take_faults();

    double steady = 0.;  // the larger one of both models, and of the loudest patch between
    for (const Graph& graph : {graphs[1], edits[1], edits[4], graphs[0]}) {
        stream.change(graph);
        stream.take_largest();
        stream.blocks(20);
        steady = std::max(steady, stream.take_largest());
    }
    const std::size_t heap = heap_in_use();
    const EngineCounts before = stream.engine().counts();

    swaps(many);
    CHECK(stream.take_largest() < 1.1 * steady);
    edit(several - 1);
    CHECK(stream.take_largest() < 1.1 * steady);

    const EngineCounts after = stream.engine().counts();
    CHECK(after.swaps - before.swaps >= static_cast<std::uint64_t>(many));
    CHECK(after.edits - before.edits ==
          static_cast<std::uint64_t>(many + several));  // the text names the model
    CHECK(after.failures == 0);
    CHECK(stream.engine().room().reports_lost() == 0);
    if (!watched) return;  // the sanitizers allocate for themselves
    const double grown = static_cast<double>(heap_in_use()) - static_cast<double>(heap);
    INFO("the heap has grown by " << grown << " bytes");
    CHECK(std::abs(grown) < 16'384.);
    // The system moves and merges pages as it likes, which is a fault now and then. A fault of our own, in
    // memory that nobody touched before the callback, comes in each take.
    std::uint64_t least = stream.take_faults();
    for (int take = 0; take < 4 && least > 0; ++take) {
        swaps(many);
        edit(several - 1);
        least = std::min(least, stream.take_faults());
    }
    CHECK(least == 0);
}

}  // namespace gainstage::test::swap_test
