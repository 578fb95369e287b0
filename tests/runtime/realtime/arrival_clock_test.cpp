#include "runtime/realtime/arrival_clock.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iostream>
#include <random>
#include <vector>

#include "runtime/io/delta_clock.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/realtime_guard.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::arrival_clock_test {

namespace {

constexpr double rate_hz = 48'000.;

std::int64_t ns(double seconds) {
    return 1'000'000'000 + static_cast<std::int64_t>(std::llround(seconds * 1e9));
}

/// Mean and standard deviation.
class Spread {
public:
    void add(double value) {
        ++count_;
        const double from_mean = value - mean_;
        mean_ += from_mean / count_;
        squares_ += from_mean * (value - mean_);
    }
    double mean() const { return mean_; }
    double deviation() const { return std::sqrt(squares_ / count_); }
    int count() const { return count_; }

private:
    int count_ = 0;
    double mean_ = 0., squares_ = 0.;
};

/// The device's clock and a thread that wakes up late, by 0 to `most_late_s`.
class LateThread {
public:
    LateThread(int frames, double ppm, double most_late_s, std::uint32_t seed = 1)
        : frames_(frames), rate_hz_(rate_hz * (1. + ppm * 1e-6)), late_(0., most_late_s), random_(seed) {}

    /// When the next block is there, and when the thread sees it.
    double next() {
        begin_s_ += frames_ / rate_hz_;
        woken_s_ = std::max(woken_s_, begin_s_ + late_(random_));
        return woken_s_;
    }
    /// The device stands still, and begins again on another grid.
    void lose(double seconds) { begin_s_ += seconds; }
    void set_frames(int frames) { frames_ = frames; }
    double begin_s() const { return begin_s_; }
    int frames() const { return frames_; }
    double true_rate_hz() const { return rate_hz_; }

private:
    int frames_;
    const double rate_hz_;
    std::uniform_real_distribution<double> late_;
    std::mt19937 random_;
    double begin_s_ = 0., woken_s_ = 0.;
};

}  // namespace

TEST_CASE("a delay-locked loop finds the device's clock in wake-ups that are late by 0 to 2 ms") {
    const int frames = GENERATE(32, 128, 512, 2'048);
    const double ppm = GENERATE(-150., 0., 150.);
    LateThread thread(frames, ppm, 0.002);
    DelayLockedLoop loop(rate_hz);
    Spread error;  // samples by which the loop takes a block to begin later
    const int blocks = static_cast<int>(60. * rate_hz / frames);
    for (int k = 0; k < blocks; ++k) {
        loop.add(ns(thread.next()), frames);
        if (k > blocks / 6) error.add(-loop.samples_to(ns(thread.begin_s())));
    }
    INFO(frames << " frames, " << ppm << " ppm: " << error.mean() << " +- " << error.deviation());
    CHECK(error.deviation() < 8.);
    // The mean lateness; a short block can't wake the thread before the one before it.
    CHECK(error.mean() > 48. - 8.);
    CHECK(error.mean() < 48. + (frames < 128 ? 48. : 8.));
}

TEST_CASE("a delay-locked loop is within a quarter of a millisecond after a tenth of a second") {
    Spread error;
    for (std::uint32_t seed = 0; seed < 50; ++seed) {
        LateThread thread(128, 100., 0.002, seed);
        DelayLockedLoop loop(rate_hz);
        for (int k = 0; k < 38; ++k) loop.add(ns(thread.next()), 128);
        error.add(-loop.samples_to(ns(thread.begin_s())) - 48.);
    }
    CHECK(std::abs(error.mean()) < 4.);
    CHECK(error.deviation() < 12.);
}

TEST_CASE("an exact thread's clock is exact from the first block on") {
    const int frames = GENERATE(32, 256, 8'192);
    LateThread thread(frames, 0., 0.);
    ArrivalClock clock(rate_hz);
    double worst = 0.;
    for (int k = 0; k < 1'000; ++k) {
        clock.begin_block(frames, ns(thread.next()), false);
        const double in_the_past = clock.due_in(ns(thread.begin_s() - 100. / rate_hz));
        worst = std::max(worst, std::abs(in_the_past - (frames + 96. - 100.)));
    }
    CHECK(worst < 0.001);
}

TEST_CASE("after lost sound, a stall and another size of the block the clock begins anew") {
    LateThread thread(256, 50., 0.);
    ArrivalClock clock(rate_hz);
    const auto play = [&](int blocks, bool lost_sound) {
        for (int k = 0; k < blocks; ++k)
            clock.begin_block(thread.frames(), ns(thread.next()), k == 0 && lost_sound);
        return clock.due_in(ns(thread.begin_s())) - clock.delay();
    };
    CHECK(std::abs(play(100, false)) < 0.1);
    thread.lose(0.005);
    CHECK(std::abs(play(1, true)) < 0.1);
    CHECK(std::abs(play(100, false)) < 0.1);
    thread.lose(0.3);  // a stall of which the driver says nothing
    CHECK(std::abs(play(1, false)) < 0.1);
    thread.set_frames(64);
    CHECK(std::abs(play(1, false)) < 0.1);
    CHECK(std::abs(play(1'000, false)) < 0.1);
}

// Through the room

namespace {

enum class Stamps { exact, by_library, late };

struct Heard {
    Spread error;  ///< sample at which a message was applied, less the sample at which it was sent
    int late = 0, applied = 0;
    bool in_order = true;
};

/// A controller on an even clock, a port's thread that hands its messages over late by 0 to 1 ms, and an
/// audio thread that wakes up late by 0 to 2 ms.
Heard hear(int frames, Stamps stamps) {
    constexpr int messages = 2'000, settled = 50;
    constexpr double apart_s = 1'009. / rate_hz;
    EngineRig rig(patch(R"("in -> trim -> out")",
                        gain("trim", 0.) + "[[midi]]\nchannel = 1\ncc = 7\ntarget = \"trim.gain_db\"\n"),
                  {.max_frames = frames});
    rig.run(mono(silence(frames)));
    AudioRoom& room = rig.engine().room();
    const std::uint64_t begin = room.now();
    LateThread thread(frames, 80., 0.002);
    std::mt19937 random(7);
    std::uniform_real_distribution<double> millisecond(0., 0.001);
    DeltaClock library;
    const Channel in = silence(frames);
    Channel out = silence(frames);
    double handed_s = 0.;
    int sent = 0, pushed = 0;
    std::vector<std::pair<double, StampedMidi>> waiting;  // until they are handed over
    for (; sent < messages; ++sent) {
        const double sent_s = sent * apart_s;
        handed_s = std::max(handed_s, sent_s + millisecond(random));
        const std::int64_t delta_stamp = library.arrival_ns(sent == 0 ? 0. : apart_s, ns(handed_s));
        const std::int64_t stamp = stamps == Stamps::exact        ? ns(sent_s)
                                   : stamps == Stamps::by_library ? delta_stamp
                                                                  : ns(handed_s);
        waiting.push_back(
            {handed_s,
             {.arrival_ns = stamp,
              .message = {.size = 3, .bytes = {0xb0, 7, static_cast<std::uint8_t>(sent % 128)}}}});
    }
    for (double now = 0.; pushed < messages || now < handed_s + 1.;) {
        now = thread.next();
        for (; pushed < messages && waiting[pushed].first <= now; ++pushed)
            REQUIRE(room.midi_queue(0).push(waiting[pushed].second));
        const float* const from = in.data();
        float* const to = out.data();
        const RealtimeScope scope;
        room.process(&from, 1, &to, 1, frames, ns(now));
    }
    rig.engine().tick();
    Heard heard;
    for (const EngineNews& news : rig.news()) {
        if (news.kind != EngineNews::Kind::event || news.event.kind != EventKind::midi) continue;
        heard.in_order = heard.in_order && news.event.midi.bytes[2] == heard.applied % 128;
        // Block k, counted from 1, begins with sample (k - 1) * frames.
        const double sent_at = heard.applied * apart_s * thread.true_rate_hz() - frames;
        if (heard.applied >= settled) heard.error.add(static_cast<double>(news.stamp - begin) - sent_at);
        ++heard.applied;
    }
    heard.late = static_cast<int>(room.stats().midi_late.load());
    return heard;
}

}  // namespace

TEST_CASE("messages of a port are applied at a constant distance, though its thread and ours are late") {
    const int frames = GENERATE(32, 64, 256, 1'024);
    const Heard exact = hear(frames, Stamps::exact), library = hear(frames, Stamps::by_library),
                late = hear(frames, Stamps::late);
    for (const Heard* heard : {&exact, &library, &late}) {
        CHECK(heard->applied == 2'000);
        CHECK(heard->in_order);
    }
    std::cout << fmt::format(
        "MIDI through a port's thread, blocks of {}, audio thread late by 0 to 2 ms: standard deviation "
        "{:.1f} "
        "samples with exact stamps, {:.1f} with RtMidi's (thread late by 0 to 1 ms), {:.1f} with stamps late "
        "by 0 to 1 ms\n",
        frames, exact.error.deviation(), library.error.deviation(), late.error.deviation());
    INFO(frames << " frames");
    CHECK(exact.error.deviation() < 8.);
    CHECK(library.error.deviation() < 8.);
    CHECK(late.error.deviation() < 20.);  // the stamps' own is 13.9
    // One block and 2 ms, less what the audio thread is late on average.
    CHECK(exact.error.mean() > frames + 96. - (frames < 128 ? 96. : 56.));
    CHECK(exact.error.mean() < frames + 96. - 40.);
    CHECK(exact.late == 0);
    CHECK(library.late < 20);  // both threads late at once
}

TEST_CASE("a message that comes later than the delay plays at once, and is counted") {
    constexpr int frames = 64;
    EngineRig rig(patch(R"("in -> trim -> out")",
                        gain("trim", 0.) + "[[midi]]\nchannel = 1\ncc = 7\ntarget = \"trim.gain_db\"\n"));
    rig.run(mono(silence(frames)));
    AudioRoom& room = rig.engine().room();
    LateThread thread(frames, 0., 0.);
    const auto play = [&] {
        const float in[frames] = {};
        float out[frames] = {};
        const float* const from = in;
        float* const to = out;
        room.process(&from, 1, &to, 1, frames, ns(thread.next()));
    };
    for (int k = 0; k < 100; ++k) play();
    const auto send = [&](double seconds_ago) {
        REQUIRE(room.midi_queue(0).push({.arrival_ns = ns(thread.begin_s() - seconds_ago),
                                         .message = {.size = 3, .bytes = {0xb0, 7, 1}}}));
        const std::uint64_t now = room.now();
        for (int k = 0; k < 5; ++k) play();
        rig.engine().tick();
        return rig.news().back().stamp - now;
    };
    // The next block begins 64 frames after thread.begin_s().
    CHECK(send(0.) == 96);
    CHECK(room.stats().midi_late == 0);
    CHECK(send(0.0019) == 5);
    CHECK(room.stats().midi_late == 0);
    CHECK(send(0.0021) == 0);
    CHECK(room.stats().midi_late == 1);
    CHECK(send(3.) == 0);
    CHECK(room.stats().midi_late == 2);
}

}  // namespace gainstage::test::arrival_clock_test
