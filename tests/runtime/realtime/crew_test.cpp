/// Branches on several threads: the same bits as on one, and a worker that does not come back.

#include <chrono>
#include <random>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/in_child.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/realtime_guard.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/test_nodes.hpp"

namespace gainstage::test::crew_test {

namespace {

const std::string source = source_dir();

EngineRig::Config with_threads(int threads, double patience_ms = 60'000.) {
    return {.crew = crew_of(threads, patience_ms)};
}

/// Two channels in, models and plain nodes in branches with both, a loop, a node that trips, a bus, two
/// outputs.
std::string stage(const std::string& model, const std::string& other, bool with_loop,
                  const char* links = "") {
    const std::string loop = with_loop ? ", \"b1 -> echo -> back -> b1\"" : "";
    return "format = 1\nlinks = [\"in -> a1 -> m1 -> a2 -> bomb -> a3 -> bus\", \"in.out -> b1 -> b2 -> "
           "bus\", "
           "\"in -> c1 -> m2 -> c2 -> bus\", \"bus -> press -> out\", \"in -> tone -> press.sidechain\", "
           "\"bus -> send -> late -> aside\", \"a3 -> tap -> aside\"" +
           loop + links + "]\n" + node("in", "input", "channels = [1]") +
           node("out", "output", "channels = [1, 2]") + node("aside", "output", "channels = [3]") +
           gain("a1", -2.) + grey_box("a2", model) + node("bomb", "bomb", "at = 9001\nevery = 12000") +
           node("a3", "filter") + gain("b1", -7.) + grey_box("b2", other) + node("m1", "meeting") +
           node("m2", "meeting") + node("c1", "saturate") + node("c2", "limiter") + gain("bus", -6.) +
           node("press", "compressor") + node("tone", "filter") + grey_box("send", model) +
           gain("late", -1.) + gain("tap", -3.) +
           (with_loop ? node("echo", "delay", "delay_ms = 3.0") + gain("back", -9.) : "");
}

/// Sets up the meeting for one test.
struct Arranged : Meeting {
    Arranged() {
        meeting() = this;
        on_worker = [this] { stay(); };
    }
    ~Arranged() {
        released = true;
        meeting() = nullptr;
    }
};

Sound played(const EngineRig::Config& config, const std::vector<std::string>& patches, Partition partition,
             std::uint64_t* shared = nullptr) {
    EngineRig::Config wide = config;
    wide.out_channels = 3;
    Arranged here;
    here.on_worker = [] {};
    EngineRig rig(patches[0], wide);
    std::mt19937 random(9);
    for (int k = 1; k < 40; ++k)
        rig.at(static_cast<std::uint64_t>(1'000 * k), [&, k](EngineRig& r) {
            here.worker_came = false;  // a worker comes within the next block, however busy the machine is
            here.armed = config.crew.threads > 1;
            if (k % 5 == 0) r.edit(patches[static_cast<std::size_t>(k / 5) % patches.size()]);
            r.set_at(r.now() + random() % 700, "a1.gain_db", static_cast<float>(-(k * 7) % 30));
            r.set_at(r.now() + random() % 700, "b2.bypass", static_cast<float>(k % 2), 5.f);
            r.set_at(r.now() + random() % 700, "a2.peak_reduction", static_cast<float>(k * 13 % 100));
        });
    Sound out = rig.run(mono(programme(40'000)), partition);
    CHECK(rig.engine().counts().trips > 0);
    CHECK(rig.engine().counts().edits > 3);
    if (shared) *shared = rig.engine().room().crew()->stats().shared;
    return out;
}

}  // namespace

TEST_CASE("two and three threads give the bits of one, during swaps, edits, knob moves, loops and trips") {
    const TemporaryFolder folder;
    const ModelFile opto = remembering(model_parts(source + "/models/opto-textbook.safetensors"), 2'400);
    const std::string one = save(folder, "one.safetensors", opto),
                      two = save(folder, "two.safetensors", louder(opto, -3.)),
                      gru = source + "/tests/data/grey_box-rnn-gru-hard.safetensors";
    const std::vector<std::string> patches{stage(one, gru, true), stage(two, gru, true),
                                           stage(two, one, false), stage(one, one, false, ", \"a1 -> c2\"")};
    for (const Partition partition : {Partition{64}, Partition::random(4, 300)}) {
        const Sound expected = played({}, patches, partition);
        REQUIRE(all_finite(expected));
        REQUIRE(peak(expected[0]) > 0.01);
        for (const int threads : {2, 3}) {
            std::uint64_t shared = 0;
            INFO(threads << " threads");
            CHECK(bit_difference(expected, played(with_threads(threads), patches, partition, &shared)) == "");
            CHECK(shared >= 39);
        }
    }
}

TEST_CASE("one thread plays all if nothing is worth sharing, or a branch costs too little") {
    for (const auto& [links, least_us] :
         {std::pair{"\"in -> a -> b -> out\"", 0.}, {"\"in -> a -> out\", \"in -> b -> out\"", 3.}}) {
        EngineRig::Config config = with_threads(2);
        config.crew.least_branch_us = least_us;
        EngineRig rig(patch(links, gain("a", -1.) + gain("b", -2.)), config);
        rig.run(mono(programme(4'800)), {64});
        CHECK(rig.engine().room().crew()->stats().shared + rig.engine().room().crew()->stats().alone == 0);
    }
}

namespace {

/// Long enough that only a worker that stays away on purpose exceeds it, not one on a busy machine.
constexpr double patience_ms = 500.;

/// Two branches with a meeting node each, to two outputs.
std::string two_ways(double last_db = -3.) {
    return "format = 1\nlinks = [\"in -> a1 -> a2 -> a3 -> left\", \"in -> b1 -> b2 -> b3 -> right\"]\n" +
           node("in", "input", "channels = [1]") + node("left", "output", "channels = [1]") +
           node("right", "output", "channels = [2]") + gain("a1", -3.) + node("a2", "meeting") +
           gain("a3", last_db) + gain("b1", -6.) + node("b2", "meeting") + gain("b3", last_db);
}

const EngineNews* stall_in(const EngineRig& rig) {
    for (const EngineNews& news : rig.news())
        if (news.kind == EngineNews::Kind::stalled) return &news;
    return nullptr;
}

Sound from(const Sound& sound, int frame) {
    Sound rest;
    for (const Channel& channel : sound) rest.emplace_back(channel.begin() + frame, channel.end());
    return rest;
}

}  // namespace

TEST_CASE("a worker that does not come back is given up and named; the other branch plays on to the bit") {
    const bool comes_back_soon = GENERATE(true, false);
    INFO("comes back " << (comes_back_soon ? "before" : "after") << " its branch was rebuilt");
    const Sound in = mono(programme(48'000));
    const Sound expected = EngineRig(two_ways()).run(in, {64});
    Arranged here;  // must outlive the rig, whose workers use it
    EngineRig rig(two_ways(), with_threads(2, patience_ms));
    rig.at(9'600, [&](EngineRig&) { here.armed = true; });
    rig.at(comes_back_soon ? 9'728 : 24'000, [&](EngineRig&) { here.released = true; });
    rig.at(20'000,
           [](EngineRig& r) {  // knobs move while their node is lost; its next instance has them
               r.set("a1.gain_db", -3.f);
               r.set("b1.gain_db", -6.f);
           });
    const Sound out = rig.run(in, {64});

    const EngineNews* stall = stall_in(rig);
    REQUIRE(stall != nullptr);
    CHECK((stall->node == "a2" || stall->node == "b2"));
    const std::string branch = stall->node == "a2" ? "a1, a2, a3" : "b1, b2, b3";
    INFO(stall->text);
    CHECK(stall->text.find(branch) != std::string::npos);
    CHECK(stall->stamp == 9'600);
    CHECK(rig.engine().counts().stalls == 1);
    const std::size_t lost = stall->node == "a2" ? 0 : 1;
    CHECK(bit_difference({expected[1 - lost]}, {out[1 - lost]}) == "");
    CHECK(bit_difference({Channel(expected[lost].begin(), expected[lost].begin() + 9'600)},
                         {Channel(out[lost].begin(), out[lost].begin() + 9'600)}) == "");
    // Silent after 2 ms, without a jump; rebuilt after 100 ms; equal to the bit when the fade is over.
    for (int k = 9'600; k < 9'700; ++k)
        CHECK(std::abs(out[lost][k] - out[lost][k - 1]) < 0.011f * std::abs(out[lost][9'599]) + 1e-9f);
    CHECK(peak(part(out[lost], 9'700, 14'000)) == 0.);
    CHECK(bit_difference(from(expected, 24'000), from(out, 24'000)) == "");
}

TEST_CASE("in freewheel the audio thread waits for a worker however long it stays away") {
    Arranged here;
    EngineRig rig(two_ways(), with_threads(2, 100.));
    const Sound in = mono(programme(9'600));
    rig.run(in, {64});
    Channel sound[] = {silence(64), silence(64)};
    const float* const from = in[0].data();
    float* const to[] = {sound[0].data(), sound[1].data()};
    here.armed = true;
    std::thread releases([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
        here.released = true;
    });
    rig.engine().room().process({.in = &from, .out = to, .frames = 64, .freewheels = true}, 1, 2);
    releases.join();
    rig.engine().tick();
    CHECK(rig.engine().counts().stalls == 0);
    CHECK(stall_in(rig) == nullptr);
}

TEST_CASE("a branch that is lost while the queue of reports is full is known to be lost, and is rebuilt") {
    Arranged here;
    EngineRig::Config config = with_threads(2, patience_ms);
    config.queues = {.log = 0, .reports = 0};  // always full
    EngineRig rig(two_ways(), config);
    const Sound in = mono(programme(48'000));
    rig.run(cut(in, 0, 9'600), {64});
    Engine& engine = rig.engine();
    Channel sound[] = {silence(64), silence(64)};
    const auto block = [&] {
        const float* from = in[0].data();
        float* to[] = {sound[0].data(), sound[1].data()};
        engine.room().process(&from, 1, to, 2, 64);
    };
    for (int third = 0; third < 3; ++third) {
        for (int k = 0; k < 1'000; ++k) rig.set("a1.gain_db", -3.f, 0.f);
        block();
    }
    REQUIRE(engine.room().reports_lost() == 3'000);
    here.armed = true;
    block();
    here.armed = false;
    here.released = true;
    CHECK(engine.counts().stalls == 0);
    engine.tick();
    CHECK(engine.counts().stalls == 1);
    REQUIRE(stall_in(rig));
    CHECK(stall_in(rig)->stamp == 9'600 + 3 * 64);
    for (int k = 0; k < 300; ++k) {
        block();
        engine.tick();
    }
    CHECK(rig.count(EngineNews::Kind::returned) == 1);
    CHECK(peak(sound[0]) > 0.001);
    CHECK(peak(sound[1]) > 0.001);
}

TEST_CASE("a patch may be edited while a worker is away, and all of it is shared again after its return") {
    const Sound in = mono(programme(48'000));
    const Sound expected = EngineRig(two_ways(-9.)).run(in, {64});
    Arranged here;
    EngineRig rig(two_ways(), with_threads(3, patience_ms));
    rig.at(9'600, [&](EngineRig&) { here.armed = true; });
    rig.at(9'664, [&](EngineRig& r) { r.edit(two_ways(-9.)); });  // some survivors belong to the lost worker
    rig.at(30'000, [&](EngineRig&) { here.released = true; });
    std::uint64_t pieces_then = 0;
    rig.at(40'000, [&](EngineRig& r) {
        const CrewStats& stats = r.engine().room().crew()->stats();
        pieces_then = stats.shared + stats.alone;
        while (!r.engine().room().crew()->is_whole()) std::this_thread::yield();
    });
    const Sound out = rig.run(in, {64});
    REQUIRE(rig.engine().counts().stalls == 1);
    CHECK(all_finite(out));
    CHECK(bit_difference(from(expected, 30'000), from(out, 30'000)) == "");
    const CrewStats& stats = rig.engine().room().crew()->stats();
    CHECK(stats.shared + stats.alone > pieces_then);
}

TEST_CASE("a branch whose workers get stuck three times in ten seconds stays silent until an edit") {
    Arranged here;
    EngineRig rig(two_ways(), with_threads(2, patience_ms));
    for (int k = 0; k < 3; ++k) {
        rig.at(static_cast<std::uint64_t>(9'600 + 24'000 * k), [&](EngineRig&) {
            here.released = here.worker_came = here.left = false;
            here.armed = true;
        });
        rig.at(static_cast<std::uint64_t>(10'000 + 24'000 * k), [&](EngineRig& r) {
            here.armed = false;
            here.released = true;
            while (!r.engine().room().crew()->is_whole()) std::this_thread::yield();
        });
    }
    rig.at(100'000, [](EngineRig& r) { r.edit(two_ways(-4.)); });
    const Sound out = rig.run(mono(programme(120'000)), {64});
    CHECK(rig.engine().counts().stalls == 3);
    CHECK(peak(part(out[0], 110'000)) > 0.01);
    CHECK(peak(part(out[1], 110'000)) > 0.01);
}

TEST_CASE("workers keep the promises of the audio thread, and the guard around them works") {
    if (realtime_guard() == RealtimeGuard::none) {
        SUCCEED("this build's sanitizer owns the guarded functions");
        return;
    }
    const auto play_with = [&](const std::function<void()>& on_worker) {
        Arranged here;
        here.on_worker = on_worker;
        here.armed = true;
        EngineRig(two_ways(), with_threads(2)).run(mono(programme(4'800)), {64});
    };
    CHECK(in_child([&] { play_with([] {}); }).peaceful());
    const End end = in_child([&] {
        play_with([] {
            int* volatile memory = new int[100];
            delete[] memory;
        });
    });
    INFO(end.said);
    CHECK_FALSE(end.peaceful());
}

}  // namespace gainstage::test::crew_test
