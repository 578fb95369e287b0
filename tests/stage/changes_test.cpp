/// What a JACK server may change while the music plays: the size of a period, and who is connected.

#include <unistd.h>

#include <csignal>

#include "runtime/io/sound_file.hpp"
#include "tests/stage/line.hpp"
#include "tests/stage/performance.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::changes_test {

namespace {

constexpr int rate_hz = 48'000, periods[] = {128, 64, 256, 512};

const std::string knob =
    "[[midi]]\nchannel = 1\ncc = 21\ntarget = \"push.gain_db\"\nmin = -12.0\nmax = 12.0\ntakeover = "
    "\"jump\"\n";

/// Controllers at frames without a particular rhythm.
std::vector<TapeMidi> turning_knob(int frames) {
    std::vector<TapeMidi> midi;
    for (int at = 4'800, k = 0; at < frames; at += 331, ++k)
        midi.push_back({.at = static_cast<std::uint64_t>(at),
                        .bytes = {0xb0, 21, static_cast<std::uint8_t>(std::abs(k * 3 % 254 - 127))}});
    return midi;
}

struct Show {
    int status = 0, lost = 0, sizes_told = 0, midi = 0;
    std::string difference;
    bool closed = false;
};

/// Plays while the server changes. What entered our port is recorded by the program, what left it by the
/// line; the replay of the log makes the one from the other.
Show play_through_changes() {
    const JackServer server({.rate_hz = rate_hz, .period_frames = periods[3]});
    const TemporaryFolder folder;
    const std::string file = folder.write(
        "song.toml",
        patch(R"("in -> push -> safety -> out")", gain("push", 0.) + node("safety", "limiter") + knob));
    const std::string log = folder.file("take.jsonl"), take = folder.file("take.wav"),
                      name = "changes-" + std::to_string(getpid());
    Program program({"run", file, "--json", "--api", "jack", "--no-connect", "--name", name, "--midi",
                     "virtual:knob", "--log", log, "--record", take});
    REQUIRE(program.tells("started"));
    Line line;
    line.connect(name + ":in_1", name + ":out_1");
    line.connect_midi(name + ":knob");
    constexpr int length = 40 * rate_hz;
    line.start(programme(length), length, turning_knob(length));
    for (int k = 0; k < 20; ++k) {
        line.wait_for(line.frames() + rate_hz / 20);
        CHECK(server.run("jack_bufsize " + std::to_string(periods[k % 4])) == 0);
        // Another source is mixed into our input, and goes again; another sink joins the output.
        const std::string more = k % 2 == 0 ? "jack_connect " : "jack_disconnect ";
        CHECK(server.run(more + "system:capture_1 " + name + ":in_1") == 0);
        CHECK(server.run(more + name + ":out_1 system:playback_1") == 0);
    }
    line.wait_for(line.frames() + rate_hz / 4);
    Show show;
    show.closed = !program.is_running();
    const Channel heard = line.recorded();
    show.lost = line.lost();
    program.signal(SIGINT);
    show.status = program.wait();
    INFO(program.words());
    for (const auto& note : program.events("note"))
        show.sizes_told += has(note.at("text"), "now plays blocks of") ? 1 : 0;
    show.midi = program.events("summary").at(0).at("midi_messages").get<int>();
    const std::string out = folder.file("replayed.wav");
    run_to_end({"render", file, take, "-o", out, "--keep-latency", "-q", "--events", log});
    show.difference = tape_difference(mono(heard), read_sound_file(out).channels, 1);
    CHECK(program.events("device_lost").empty());
    return show;
}

}  // namespace

TEST_CASE(
    "twenty changes of the block size and of connections close nothing, and the take repeats bit for bit") {
    if (!JackServer::is_available()) return;
    Show show;
    int tries = 0;
    do show = play_through_changes();
    while (show.difference != "" && show.lost > 0 && ++tries < 5);
    INFO(show.lost << " cycles were lost, " << tries << " takes before");
    CHECK_FALSE(show.closed);
    CHECK(show.status == 0);
    CHECK(show.difference == "");
    CHECK(show.midi > 20);
    CHECK(show.sizes_told >= 10);
}

TEST_CASE(
    "in freewheel a program waits for its recorder and its log: the take is whole, and no block is late") {
    if (!JackServer::is_available()) return;
    const JackServer server({.rate_hz = rate_hz, .period_frames = 1'024});
    const TemporaryFolder folder;
    const std::string file = folder.write(
        "song.toml",
        patch(R"("in -> push -> safety -> out")", gain("push", 0.) + node("safety", "limiter") + knob));
    const std::string log = folder.file("take.jsonl");
    Performance live(server, file,
                     {.outputs = 1, .more = {"--midi", "virtual:knob", "--log", log}, .midi_port = "knob"});
    constexpr int length = 120 * rate_hz;  // twelve times the recorder's ring
    live.tape().freewheel(true);
    live.tape().start(mono(programme(length)), length, turning_knob(length));
    live.tape().wait_for(length);
    live.tape().freewheel(false);
    CHECK(live.end() == 0);
    INFO(live.program().words().substr(0, 10'000));
    const auto summary = live.program().events("summary").at(0);
    CHECK(summary.at("record_lost_s") == 0.);
    CHECK(summary.at("log_lost") == 0);
    CHECK(summary.at("midi_messages") == static_cast<int>(turning_knob(length).size()));
    CHECK(live.program().events("device_lost").empty());
    CHECK(tape_difference(live.tape().recorded(), live.rendered(file, {"--events", log}), 1'024) == "");
}

}  // namespace gainstage::test::changes_test
