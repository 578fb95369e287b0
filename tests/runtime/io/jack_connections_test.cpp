/// What was connected by hand is connected again after the server's return.

#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "runtime/io/audio_doors.hpp"
#include "runtime/io/midi_input.hpp"
#include "tests/stage/line.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/device_tries.hpp"
#include "tests/support/jack_server.hpp"

namespace gainstage::test::jack_connections_test {

using namespace std::chrono_literals;

namespace {

const std::string name = "cabled-" + std::to_string(getpid()), source = "source-" + std::to_string(getpid()),
                  sink = "sink-" + std::to_string(getpid());

/// A stream without sound, and its MIDI port "knobs".
struct Stream {
    explicit Stream(std::optional<PortConnections> connections = {})
        : audio(open_audio({.api = "jack",
                            .in_channels = 2,
                            .out_channels = 2,
                            .stream_name = name,
                            .connect = false,
                            .connections = std::move(connections),
                            .midi_ports = 1})),
          midi(open_midi_port("virtual:knobs", 0, queue, audio->midi().get())) {
        audio->start(
            [](void*, const AudioBlock& block) {
                for (int c = 0; c < 2; ++c) std::fill_n(block.out[c], block.frames, 0.f);
            },
            nullptr);
    }
    /// As somebody who keeps the stream asks, again and again.
    bool becomes_connected(const PortConnections& wanted) {
        return becomes_true([&] { return sorted(audio->connections()) == sorted(wanted); }, 20s);
    }
    static PortConnections sorted(PortConnections all) {
        std::sort(all.begin(), all.end(), [](const PortConnection& a, const PortConnection& b) {
            return a.own != b.own ? a.own < b.own : a.other < b.other;
        });
        return all;
    }

    MidiQueue queue;
    std::unique_ptr<AudioStream> audio;
    std::unique_ptr<MidiPort> midi;
};

void connect(const JackServer& server, const std::string& from, const std::string& to) {
    REQUIRE(server.run("jack_connect " + from + " " + to) == 0);
}

/// By the server's own word.
bool is_connected(const JackServer& server, const std::string& from, const std::string& to) {
    return server.run("sh -c 'jack_lsp -c " + from + " | grep -qx \"   " + to + "\"'") == 0;
}

}  // namespace

TEST_CASE("a JACK stream is connected again as it was by hand, after its server has ended and returned") {
    if (!JackServer::is_available()) return;
    const bool is_killed = GENERATE(true, false);
    INFO((is_killed ? "killed" : "ended"));
    JackServer server;
    PortConnections known;
    {
        Stream stream;
        Line line;
        CHECK(stream.becomes_connected({}));
        connect(server, source + ":out", name + ":in_2");
        connect(server, source + ":midi", name + ":knobs");
        connect(server, name + ":out_1", sink + ":in");
        connect(server, name + ":out_1", "system:playback_2");
        connect(server, name + ":out_2", name + ":in_1");
        connect(server, name + ":out_2", "system:playback_1");
        REQUIRE(server.run("jack_disconnect " + name + ":out_2 system:playback_1") == 0);
        const PortConnections made{
            {"in_1", "out_2"},       {"in_2", source + ":out"},      {"knobs", source + ":midi"},
            {"out_1", sink + ":in"}, {"out_1", "system:playback_2"}, {"out_2", "in_1"}};
        REQUIRE(stream.becomes_connected(made));
        is_killed ? server.kill() : server.end();
        REQUIRE(becomes_true([&] { return !stream.audio->is_running(); }, 20s));
        known = stream.audio->connections();
        CHECK(Stream::sorted(known) == made);
    }
    server.start();
    {
        Stream again(known);
        CHECK(is_connected(server, name + ":out_1", "system:playback_2"));
        CHECK(is_connected(server, name + ":out_2", name + ":in_1"));
        CHECK_FALSE(is_connected(server, name + ":out_1", "system:playback_1"));
        CHECK(Stream::sorted(again.audio->connections()) == Stream::sorted(known));
        // The other program takes longer.
        const Line line;
        CHECK(becomes_true(
            [&] {
                again.audio->connections();
                return is_connected(server, source + ":out", name + ":in_2") &&
                       is_connected(server, source + ":midi", name + ":knobs") &&
                       is_connected(server, name + ":out_1", sink + ":in");
            },
            20s));
        CHECK(again.becomes_connected(known));
    }
}

TEST_CASE("a JACK stream forgets what somebody disconnects, and not what goes with another program") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    Stream stream;
    {
        const Line line;
        connect(server, source + ":out", name + ":in_1");
        connect(server, source + ":out", name + ":in_2");
        REQUIRE(stream.becomes_connected({{"in_1", source + ":out"}, {"in_2", source + ":out"}}));
        REQUIRE(server.run("jack_disconnect " + source + ":out " + name + ":in_1") == 0);
        REQUIRE(stream.becomes_connected({{"in_2", source + ":out"}}));
    }
    const auto has_gone = [&] { return server.run("sh -c '! jack_lsp | grep -q " + source + "'") == 0; };
    REQUIRE(becomes_true(has_gone, 20s));
    CHECK(stream.becomes_connected({{"in_2", source + ":out"}}));
    const Line line;
    CHECK(becomes_true(
        [&] {
            stream.audio->connections();
            return is_connected(server, source + ":out", name + ":in_2");
        },
        20s));
    CHECK_FALSE(is_connected(server, source + ":out", name + ":in_1"));
}

}  // namespace gainstage::test::jack_connections_test
