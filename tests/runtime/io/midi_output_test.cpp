/// MIDI that leaves: through the JACK client's own port, and through RtMidi's thread.

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "runtime/io/audio_doors.hpp"
#include "runtime/io/due_midi.hpp"
#include "runtime/io/midi_input.hpp"
#include "runtime/io/rtmidi_output.hpp"
#include "tests/stage/line.hpp"
#include "tests/stage/listener.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/device_tries.hpp"
#include "tests/support/jack_server.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::midi_output_test {

using namespace std::chrono_literals;

namespace {

/// Numbers its samples, and counts them.
struct Numbered {
    std::atomic<std::uint64_t> played{0};

    static void play(void* self, const AudioBlock& block) {
        auto& me = *static_cast<Numbered*>(self);
        const std::uint64_t now = me.played;
        for (int k = 0; k < block.frames; ++k)
            block.out[0][k] = static_cast<float>(now + static_cast<std::uint64_t>(k) + 1);
        me.played = now + static_cast<std::uint64_t>(block.frames);
    }
};

MidiMessage message(int number) {
    return {.size = 3,
            .bytes = {0xb0, static_cast<std::uint8_t>(number / 128 % 128),
                      static_cast<std::uint8_t>(number % 128)}};
}

std::vector<std::uint8_t> bytes(int number) {
    const MidiMessage one = message(number);
    return {one.bytes.begin(), one.bytes.end()};
}

AudioRequest request(const std::string& name) {
    return {.api = "jack",
            .in_channels = 0,
            .out_channels = 1,
            .stream_name = name,
            .connect = false,
            .midi_ports = 2};
}

}  // namespace

TEST_CASE("what a JACK stream sends leaves in the period in which it is due, at its frame") {
    if (!JackServer::is_available()) return;
    const int period = GENERATE(32, 256);
    const JackServer server({.period_frames = period});
    const std::string name = "sender-" + std::to_string(getpid());
    Numbered numbered;
    const auto jack = open_audio(request(name));
    const auto lights = open_midi_output("virtual:lights", 0, jack->midi().get());
    CHECK(lights->port().name == "lights");
    Listener listener;
    jack->start(&Numbered::play, &numbered);
    REQUIRE(server.run("jack_connect " + name + ":out_1 " + listener.name() + ":sound") == 0);
    REQUIRE(server.run("jack_connect " + name + ":lights " + listener.name() + ":midi") == 0);
    constexpr int messages = 900, apart = 37;
    const std::uint64_t first = numbered.played + 20'000;
    for (int k = 0; k < messages; ++k) REQUIRE(lights->send(message(k), first + k * apart));
    REQUIRE(becomes_true([&] { return listener.count() == messages; }, 60s));
    int wrong = 0;
    for (int k = 0; k < messages; ++k)
        wrong += listener.message(k).at != first + static_cast<std::uint64_t>(k * apart) ||
                 listener.message(k).bytes != bytes(k);
    CHECK(wrong == 0);

    // One that is over leaves with the next period's first frame, and those behind it keep their order.
    const int before = listener.count();
    REQUIRE(lights->send(message(1), 1));
    REQUIRE(lights->send(message(2)));
    const std::uint64_t soon = numbered.played + 48'000;
    REQUIRE(lights->send(message(3), soon));
    REQUIRE(lights->send(message(4), soon - 1'000));  // not before the one in front of it
    REQUIRE(becomes_true([&] { return listener.count() == before + 4; }, 60s));
    CHECK(listener.message(before).at % static_cast<unsigned>(period) == 0);
    CHECK(listener.message(before + 1).at == listener.message(before).at);
    CHECK(listener.message(before + 2).at == soon);
    CHECK(listener.message(before + 3).at == soon);
    CHECK(listener.message(before + 3).bytes == bytes(4));
    CHECK(lights->dropped() == 0);
    jack->stop();
}

TEST_CASE("a JACK stream sends to the port that the player names, and drops what finds no room") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    Listener listener;
    Numbered numbered;
    const auto jack = open_audio(request("sender-" + std::to_string(getpid())));
    const std::shared_ptr<StreamMidi> midi = jack->midi();
    CHECK(has(error_of([&] { open_midi_output("organ", 0, midi.get()); }),
              "no MIDI port is called \"organ\"; there are: "));
    CHECK(has(error_of([&] { open_midi_output("virtual:", 0, midi.get()); }), "write virtual:NAME"));
    const auto lights = open_midi_output("LISTENER", 0, midi.get());
    CHECK(lights->port().name == listener.name() + ":midi");
    CHECK(lights->port().api == "jack");
    constexpr int most = static_cast<int>(DueMidiQueue::most);
    int taken = 0;
    for (int k = 0; k < most + 50; ++k) taken += lights->send(message(k));
    CHECK(taken == most);
    CHECK(lights->dropped() == 50);
    jack->start(&Numbered::play, &numbered);
    // More than a period's buffer of JACK may hold: what is left comes with the next ones.
    REQUIRE(becomes_true([&] { return listener.count() == most; }, 60s));
    int wrong = 0;
    for (int k = 0; k < most; ++k) wrong += listener.message(k).bytes != bytes(k);
    CHECK(wrong == 0);
    CHECK(lights->sent() == most);
    // What has left is not sent again.
    const std::uint64_t played = numbered.played;
    REQUIRE(becomes_true([&] { return numbered.played > played + 4'800; }, 20s));
    CHECK(listener.count() == most);
    jack->stop();
}

TEST_CASE("what RtMidi sends leaves on a thread of its own, in order, and is counted") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    const auto output = open_midi_output("virtual:lights", 0, nullptr);
    CHECK(output->port().api == "jack");
    Listener listener;
    REQUIRE(server.run("jack_connect gainstage-midi:lights " + listener.name() + ":midi") == 0);
    constexpr int messages = 500;
    for (int k = 0; k < messages; ++k) {
        REQUIRE(output->send(message(k)));
        if (k % 50 == 0) std::this_thread::sleep_for(5ms);
    }
    REQUIRE(becomes_true([&] { return listener.count() == messages; }, 60s));
    int wrong = 0;
    for (int k = 0; k < messages; ++k) wrong += listener.message(k).bytes != bytes(k);
    CHECK(wrong == 0);
    CHECK(output->sent() == messages);
    CHECK(output->dropped() == 0);
}

TEST_CASE("a port that RtMidi sends by ends within seconds though its server hangs") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    auto output = open_midi_output("virtual:lights", 0, nullptr);
    server.hang();
    for (int k = 0; k < 100; ++k) output->send(message(k));
    const auto begin = std::chrono::steady_clock::now();
    output.reset();
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("what RtMidi hears has the times at which it was sent, to a period of JACK") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    Line line;
    MidiQueue queue;
    const MidiInput input("virtual:knobs", queue);
    line.connect_midi("gainstage-midi:knobs");
    constexpr int messages = 200, apart = 1'009;
    std::vector<TapeMidi> sent;
    for (int k = 0; k < messages; ++k)
        sent.push_back({.at = static_cast<std::uint64_t>(1'000 + k * apart),
                        .bytes = {0xb0, 20, static_cast<std::uint8_t>(k % 128)}});
    line.start(silence(0), messages * apart + 4'800, sent);
    REQUIRE(becomes_true([&] { return queue.read_available() == messages; }, 60s));
    std::int64_t last = 0;
    int wrong = 0;
    StampedMidi first{}, one{};
    for (int k = 0; k < messages; ++k) {
        REQUIRE(queue.pop(one));
        if (k == 0) first = one;
        wrong += one.message.bytes[2] != k % 128 || one.arrival_ns < last;
        last = one.arrival_ns;
    }
    CHECK(wrong == 0);
    // Cycles that the server lost make it longer, and nothing makes it shorter by more than two periods.
    const double heard_s = static_cast<double>(last - first.arrival_ns) * 1e-9;
    CHECK(heard_s > ((messages - 1) * apart - 512) / 48'000.);
}

}  // namespace gainstage::test::midi_output_test
