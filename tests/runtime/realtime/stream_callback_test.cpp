#include "runtime/realtime/stream_callback.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/test_nodes.hpp"

namespace gainstage::test::stream_callback_test {

using namespace std::chrono_literals;

namespace {

constexpr int frames = 128;

/// A door that hands over blocks of noise, and a tap that holds two of them.
class Door {
public:
    Door() : callback_(rig_.engine().room(), &tap_, 1, 1) { rig_.run(mono(silence(frames))); }

    void play(bool freewheels, std::span<const BlockMidi> midi = {}) {
        const float* const from = noise_.data();
        float* const to = out_.data();
        StreamCallback::play(
            &callback_, {.in = &from, .out = &to, .frames = frames, .freewheels = freewheels, .midi = midi});
        ++played_;
    }
    int pop(int most = 2 * frames) {
        Channel taken(static_cast<std::size_t>(most));
        float* const to = taken.data();
        return tap_.pop(&to, most);
    }
    InputTap& tap() { return tap_; }
    StreamCallback& callback() { return callback_; }
    EngineRig& rig() { return rig_; }
    const Channel& out() const { return out_; }
    int played() const { return played_; }

private:
    EngineRig rig_{patch(R"("in -> trim -> out")",
                         gain("trim", 0.) + "[[midi]]\nchannel = 1\ncc = 7\ntarget = \"trim.gain_db\"\n"
                                            "min = -40.0\nmax = 0.0\ntakeover = \"jump\"\nsmooth_ms = 0.0\n"),
                   {}};
    InputTap tap_{1, 2 * frames};
    StreamCallback callback_;
    const Channel noise_ = constant(frames, 0.5f);
    Channel out_ = silence(frames);
    std::atomic<int> played_{0};
};

}  // namespace

TEST_CASE(
    "a driver that freewheels waits for the recorder, and nothing is lost; one that keeps time does not") {
    Door door;
    door.play(false);
    door.play(false);
    SECTION("in time") {
        door.play(false);
        CHECK(door.tap().lost() == frames);
    }
    SECTION("in freewheel") {
        std::thread driver([&] { door.play(true); });
        std::this_thread::sleep_for(50ms);
        CHECK(door.played() == 2);
        CHECK(door.pop() == 2 * frames);
        driver.join();
        CHECK(door.played() == 3);
        CHECK(door.tap().lost() == 0);
    }
}

TEST_CASE("a driver that freewheels waits for the log, and for two seconds at most") {
    Door door;
    door.callback().hold(true);
    door.play(false);
    const auto begin = std::chrono::steady_clock::now();
    SECTION("until it has caught up") {
        std::thread driver([&] { door.play(true); });
        std::this_thread::sleep_for(50ms);
        CHECK(door.played() == 1);
        door.callback().hold(false);
        driver.join();
    }
    SECTION("a disk that hangs") {
        door.play(true);
        CHECK(std::chrono::steady_clock::now() - begin >= 2s);
    }
    CHECK(door.played() == 2);
}

TEST_CASE("a message that comes with a block is applied at its frame") {
    Door door;
    const BlockMidi quiet{.port = 0, .frame = 37, .message = {.size = 3, .bytes = {0xb0, 7, 0}}};
    for (int k = 0; k < 20; ++k) {  // the ramp at the start
        door.play(false);
        door.pop();
    }
    const std::uint64_t begin = door.rig().engine().room().now();
    door.play(false, {&quiet, 1});
    CHECK(door.out()[36] == 0.5f);
    CHECK(door.out()[37] == Approx(0.005f));
    door.rig().engine().tick();
    std::uint64_t stamp = 0;
    for (const EngineNews& news : door.rig().news())
        if (news.kind == EngineNews::Kind::event && news.event.kind == EventKind::midi) stamp = news.stamp;
    CHECK(stamp == begin + 37);
}

TEST_CASE("in freewheel no block is late") {
    EngineRig rig(patch(R"("in -> slow -> out")", node("slow", "slow")));
    rig.run(mono(silence(64)));
    const RoomStats& stats = rig.engine().room().stats();
    const Channel in = silence(64);
    Channel out = silence(64);
    const float* const from = in.data();
    float* const to = out.data();
    while_warming() = [] { std::this_thread::sleep_for(5ms); };
    const auto late = [&](bool freewheels) {
        const std::uint64_t before = stats.late_blocks;
        rig.engine().room().process({.in = &from, .out = &to, .frames = 64, .freewheels = freewheels}, 1, 1);
        return static_cast<int>(stats.late_blocks - before);
    };
    CHECK(late(true) == 0);
    CHECK(late(false) == 1);
    while_warming() = nullptr;
}

}  // namespace gainstage::test::stream_callback_test
