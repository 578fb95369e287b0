/// Real threads: what the sanitizers watch.

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::thread_test {

using namespace std::chrono_literals;

namespace {

const std::string source = source_dir();

std::string mapped(const std::string& model, const std::string& links = "\"in -> box -> safety -> out\"",
                   const std::string& more = "") {
    return patch(
        links,
        grey_box("box", model) + node("safety", "limiter") + more +
            "[[midi]]\nchannel = \"omni\"\ncc = 21\ntarget = \"box.peak_reduction\"\ntakeover = \"jump\"\n");
}

}  // namespace

TEST_CASE("audio, MIDI and control threads share an engine while everything changes") {
    const TemporaryFolder folder;
    const ModelFile opto = model_parts(source + "/models/opto-textbook.safetensors");
    const std::string quiet = save(folder, "quiet.safetensors", remembering(louder(opto, -6.), 4'800)),
                      loud = save(folder, "loud.safetensors", remembering(opto, 4'800));
    BuilderThread builder;
    Engine engine(EngineConfig{.room = {.sample_rate_hz = 48'000., .max_frames = 64, .midi_ports = 1},
                               .builder = &builder});
    std::uint64_t midi_heard = 0;
    engine.listen([&](const EngineNews& news) {
        midi_heard += news.kind == EngineNews::Kind::event && news.event.kind == EventKind::midi;
    });
    engine.play(graph_of(mapped(quiet)));

    std::atomic<bool> playing{true}, finite{true};
    std::thread audio([&] {
        const Channel in = programme(64 * 1'024);
        Channel out(64);
        for (int block = 0; playing.load(); block = (block + 1) % 1'024) {
            const float* from = in.data() + 64 * block;
            float* to = out.data();
            const auto now = std::chrono::steady_clock::now().time_since_epoch();
            engine.room().process(&from, 1, &to, 1, 64,
                                  std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
            for (const float x : out)
                if (!std::isfinite(x)) finite = false;
            std::this_thread::sleep_for(200us);
        }
    });
    std::atomic<std::uint64_t> midi_sent{0};
    std::atomic<bool> turning{true};
    std::thread controller([&] {
        for (int k = 0; turning.load(); ++k) {
            const auto now = std::chrono::steady_clock::now().time_since_epoch();
            const StampedMidi message{
                .arrival_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count(),
                .message = {.size = 3, .bytes = {0xb0, 21, static_cast<std::uint8_t>(k % 128)}}};
            midi_sent += engine.room().midi_queue(0).push(message);
            std::this_thread::sleep_for(500us);
        }
    });

    const auto tick_until = [&](const std::function<bool()>& is_done) {
        const auto patience = std::chrono::steady_clock::now() + 60s;
        while (!is_done() && std::chrono::steady_clock::now() < patience) {
            engine.tick();
            std::this_thread::sleep_for(1ms);
        }
        REQUIRE(is_done());
    };
    const auto settle = [&] { tick_until([&] { return !engine.changing(); }); };
    settle();
    constexpr int rounds = 8;
    for (int round = 0; round < rounds; ++round) {
        const std::string& model = round % 2 ? quiet : loud;
        engine.play(graph_of(mapped(model)));
        settle();
        engine.play(graph_of(mapped(model, "\"in -> lift -> box -> safety -> out\"", gain("lift", 1.))));
        engine.set(*find_target(engine.playing()->graph, "safety.ceiling_dbfs").target,
                   -3.f - static_cast<float>(round));
        settle();
    }
    tick_until([&] { return midi_sent > 100; });
    CHECK(engine.fade_out(20.f));
    tick_until([&] { return engine.silent(); });
    turning = false;
    controller.join();
    // The messages sent last are played a block and 2 ms later, by a clock that may be 20 ms off while blocks
    // come faster than they last.
    const std::uint64_t blocks = engine.room().stats().blocks.load();
    tick_until([&] { return engine.room().stats().blocks.load() >= blocks + 200; });
    playing = false;
    audio.join();
    engine.tick();
    CHECK(finite);
    CHECK(engine.counts().swaps >= rounds);
    CHECK(engine.counts().edits >= rounds);
    CHECK(midi_heard == midi_sent);
    CHECK(engine.room().reports_lost() == 0);
}

}  // namespace gainstage::test::thread_test
