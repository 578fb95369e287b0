/// Recordings of the engine's input.

#include "runtime/control/input_recorder.hpp"

#include <thread>

#include "tests/stage/program.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/full_disk.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/places.hpp"
#include "tests/support/realtime_guard.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test::recorder_test {

namespace {

constexpr int block = 100, second = 48'000;

/// Pushes blocks as the audio thread does, under the guard.
void push(InputTap& tap, const Sound& sound, int from, int to) {
    for (; from < to; from += block) {
        std::vector<const float*> channels;
        for (const Channel& channel : sound) channels.push_back(channel.data() + from);
        const RealtimeScope guard;
        tap.push(channels.data(), std::min(block, to - from));
    }
}

}  // namespace

TEST_CASE("a recording holds every sample of every channel, and appears when it is finished") {
    const TemporaryFolder folder;
    const Sound sound = stereo(white_noise(5'000, 1), white_noise(5'000, 2));
    InputTap tap(2, second);
    InputRecorder recorder(folder.file("take.wav"), tap, 48'000);
    push(tap, sound, 0, 2'000);
    recorder.drain();
    push(tap, sound, 2'000, 5'000);
    CHECK_FALSE(std::filesystem::exists(folder.file("take.wav")));
    recorder.finish();
    const SoundData recorded = read_sound_file(folder.file("take.wav"));
    CHECK(recorded.rate_hz == 48'000);
    CHECK(bit_difference(recorded.channels, sound) == "");
    CHECK(recorder.frames() == 5'000);
    CHECK(tap.lost() == 0);
}

TEST_CASE("a recording is silent where the disk was too slow, and all other sound is in its place") {
    const TemporaryFolder folder;
    const Sound sound = mono(white_noise(5'000, 1));
    InputTap tap(1, 1'000);
    InputRecorder recorder(folder.file("take.wav"), tap, 48'000);
    push(tap, sound, 0, 1'500);  // the ring holds the first 1,000
    CHECK(tap.lost() == 500);
    recorder.drain();
    push(tap, sound, 1'500, 2'700);
    recorder.drain();
    push(tap, sound, 2'700, 5'000);
    CHECK(tap.lost() == 500 + 200 + 1'300);
    recorder.finish();
    Channel expected = sound[0];
    for (const auto& [from, to] : {std::pair(1'000, 1'500), {2'500, 2'700}, {3'700, 5'000}})
        std::fill(expected.begin() + from, expected.begin() + to, 0.f);
    CHECK(bit_difference(read_sound_file(folder.file("take.wav")).channels, mono(expected)) == "");
}

TEST_CASE("a recording is complete while one thread plays and another writes") {
    const TemporaryFolder folder;
    const Sound sound = stereo(white_noise(200'000, 1), white_noise(200'000, 2));
    InputTap tap(2, 3'000);  // small enough to fill up at times
    InputRecorder recorder(folder.file("take.wav"), tap, 48'000);
    std::atomic<bool> plays{true};
    std::thread audio([&] {
        push(tap, sound, 0, 200'000);
        plays = false;
    });
    while (plays) recorder.drain();
    audio.join();
    recorder.finish();
    const Sound recorded = read_sound_file(folder.file("take.wav")).channels;
    REQUIRE(recorded[0].size() == 200'000);
    std::uint64_t silent = 0, wrong = 0;
    for (std::size_t k = 0; k < recorded[0].size(); ++k) {
        const bool is_silent = recorded[0][k] == 0.f && recorded[1][k] == 0.f;
        silent += is_silent;
        wrong += !is_silent && (recorded[0][k] != sound[0][k] || recorded[1][k] != sound[1][k]);
    }
    CHECK(wrong == 0);
    CHECK(silent == tap.lost());
}

TEST_CASE("without input channels a recording is as much silence as the stream was long") {
    const TemporaryFolder folder;
    InputTap tap(0, second);
    InputRecorder recorder(folder.file("take.wav"), tap, 48'000);
    for (int k = 0; k < 10; ++k) tap.push(nullptr, block);
    recorder.finish();
    CHECK(bit_difference(read_sound_file(folder.file("take.wav")).channels, mono(silence(1'000))) == "");
}

TEST_CASE("a full disk ends a recording with one error; what fits is kept, and the stream goes on") {
    const TemporaryFolder folder;
    const Sound sound = mono(white_noise(50'000, 1));
    const FullDisk disk(100'000);  // 25,000 samples
    InputTap tap(1, 10 * second);
    InputRecorder recorder(folder.file("take.wav"), tap, 48'000);
    push(tap, sound, 0, 50'000);
    CHECK_THROWS_AS(recorder.drain(), WriteError);
    for (int k = 0; k < 20; ++k) {
        push(tap, sound, 0, 50'000);
        recorder.drain();
    }
    recorder.finish();
    CHECK(tap.lost() == 0);
    const Sound kept = read_sound_file(folder.file("take.wav")).channels;
    const int length = static_cast<int>(kept[0].size());
    CHECK(length >= 20'000);
    CHECK(bit_difference(kept, cut(sound, 0, length)) == "");
}

TEST_CASE("run --record writes the whole stream and reports its length") {
    const TemporaryFolder folder;
    Program program({"run", source_dir() + "/patches/hello.toml", "--null", "--json", "--block", "480",
                     "--seconds", "0.3", "--record", folder.file("take.wav")});
    INFO(program.words());
    REQUIRE(program.wait() == 0);
    REQUIRE(program.events("summary").size() == 1);
    const auto summary = program.events("summary")[0];
    const SoundData recorded = read_sound_file(folder.file("take.wav"));
    CHECK(recorded.channels[0].size() == summary.at("blocks").get<std::size_t>() * 480);
    CHECK(summary.at("recorded_s").get<double>() == Approx(summary.at("seconds").get<double>()));
    CHECK(recorded.channels[0].size() >= 14'400);
}

TEST_CASE("run --record to a place that can't be written to is refused before a sound") {
    Program program({"run", source_dir() + "/patches/hello.toml", "--null", "--record", "/nowhere/take.wav"});
    CHECK(program.wait() == 73);
    CHECK(program.standard_error().find("/nowhere/take.wav: cannot be written") != std::string::npos);
}

TEST_CASE("run --record on a disk that gets full plays on, and ends with 73") {
    const TemporaryFolder folder;
    const FullDisk disk(40'000);  // 0.2 s of sound
    Program program({"run", source_dir() + "/patches/hello.toml", "--null", "--json", "--seconds", "0.6",
                     "--record", folder.file("take.wav")});
    CHECK(program.wait() == 73);
    INFO(program.words());
    REQUIRE(program.events("problem").size() == 1);
    const auto text = program.events("problem")[0].at("text").get<std::string>();
    CHECK(text.find("take.wav: cannot be written") != std::string::npos);
    CHECK(text.find("what came before is kept; playing goes on") != std::string::npos);
    CHECK(program.events("summary")[0].at("seconds").get<double>() >= 0.6);
    CHECK(read_sound_file(folder.file("take.wav")).channels[0].size() > 4'800);
}

}  // namespace gainstage::test::recorder_test
