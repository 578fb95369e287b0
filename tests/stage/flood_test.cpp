/// More messages than any controller sends, through JACK into the MIDI port of the program: the flood that it
/// is made for, and one that is too much. The long run is test_stage "[soak]".

#include <fmt/format.h>

#include <csignal>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <thread>

#include "runtime/engine/take.hpp"
#include "runtime/realtime/flood.hpp"
#include "tests/stage/performance.hpp"
#include "tests/stage/recorded_take.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/shipped_songs.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::flood_test {

using namespace std::chrono_literals;

namespace {

constexpr int rate_hz = 48'000;

TapeMidi turn(int at, int k) {
    return {.at = static_cast<std::uint64_t>(at),
            .bytes = {0xb0, 21, static_cast<std::uint8_t>(k * 37 % 128)}};
}

/// 10,000 messages a second; 53 or 54 in each cycle of 256 frames.
std::vector<TapeMidi> flood(int first, int seconds) {
    std::vector<TapeMidi> midi;
    for (int k = 0; k < seconds * Flood::messages_per_second; ++k)
        midi.push_back(
            turn(first + static_cast<int>(std::int64_t{k} * rate_hz / Flood::messages_per_second), k));
    return midi;
}

std::vector<int> sent_values(const std::vector<TapeMidi>& midi) {
    std::vector<int> all;
    for (const TapeMidi& message : midi) all.push_back(message.bytes[2]);
    return all;
}

std::vector<int> logged_values(const Take& take) {
    std::vector<int> all;
    for (const LoggedEvent& logged : take.events)
        if (logged.event.kind == EventKind::midi) all.push_back(logged.event.midi.bytes[2]);
    return all;
}

/// Waits until the newest song is heard alone. A warming of ten seconds of the past takes its time.
bool plays(const Program& program, const std::string& growing_log, const std::string& model) {
    for (const auto end = std::chrono::steady_clock::now() + 60s; std::chrono::steady_clock::now() < end;
         std::this_thread::sleep_for(500ms)) {
        std::ifstream file(growing_log, std::ios::binary);
        const std::string log((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        if (has(log, model) && program.events("playing").size() == program.events("fade").size()) return true;
    }
    return false;
}

/// Another model every second, while the flood comes in.
void soak(int seconds) {
    constexpr int period = 256, first = rate_hz / 2;
    const JackServer server({.rate_hz = rate_hz, .period_frames = period});
    const TemporaryFolder folder;
    save_song(folder, 0);
    const std::string log = folder.file("take.log");
    Performance live(server, folder.file("song.toml"),
                     {.outputs = 1,
                      .more = {"--rehearse", "--midi", "virtual:knobs", "--log", log},
                      .midi_port = "knobs"});
    const std::vector<TapeMidi> midi = flood(first, seconds);
    const int length = first + (seconds + 60) * rate_hz;  // the last model may come later than the flood ends
    live.tape().start(mono(programme(length)), length, midi);
    for (int k = 1; k <= seconds; ++k) {
        live.tape().wait_for(first + k * rate_hz);
        save_song(folder, k);
    }
    INFO(live.program().standard_error());
    REQUIRE(
        plays(live.program(), folder.file("take.unfinished.log"), fmt::format("-{}.safetensors", seconds)));
    std::this_thread::sleep_for(100ms);
    const Sound heard = live.tape().recorded();  // the tape rolls on while the program ends
    REQUIRE(live.end() == 0);

    const auto summary = live.program().events("summary").at(0);
    const auto fades = live.program().events("fade");
    std::size_t warm = 0;
    for (const auto& fade : fades) warm += fade.contains("warm_from");
    WARN(
        fmt::format("{} s: {} messages sent, {} taken; {} fades, {} of them warmed; longest turn {:.1f} ms, "
                    "{} xruns, worst block {:.2f}",
                    seconds, midi.size(), summary.at("midi_messages").get<int>(), fades.size(), warm,
                    summary.at("longest_turn_ms").get<double>(), live.tape().xruns(),
                    summary.at("worst_load").get<double>()));
    CHECK(live.tape().unsent() == 0);
    CHECK(summary.at("midi_messages") == midi.size());
    for (const char* loss : {"midi_dropped", "reports_lost", "events_lost", "moves_lost", "log_lost",
                             "refused", "quarantines"}) {
        INFO(loss);
        CHECK(summary.at(loss) == 0);
    }
    CHECK(summary.at("incomplete") == false);
    CHECK(fades.size() > 2);
    CHECK(warm == fades.size() - 1);  // all but the first

    const Take take = read_take(log);
    CHECK(take.losses.empty());
    CHECK((logged_values(take) == sent_values(midi)));  // in order
    CHECK(rms_db(heard[0]) > -60.);
    CHECK(tape_difference(heard, live.rendered(folder.file("song.toml"), {"--events", log}, seconds * 20s),
                          period) == "");
}

}  // namespace

TEST_CASE(
    "ten thousand messages a second through JACK, another model every second: nothing is lost, all are "
    "warm, and the take is repeated bit for bit") {
    if (!JackServer::is_available()) return;
    soak(5);
}

TEST_CASE("the same for a minute", "[.][soak]") {
    if (!JackServer::is_available()) return;
    soak(60);
}

/// The stream takes its messages block by block, and 8,192 frames are 0.17 s: meanwhile JACK brings more than
/// the queue of the port holds.
TEST_CASE(
    "messages that the queue of a port can't hold are counted and told, and the take says what it lacks") {
    if (!JackServer::is_available()) return;
    const bool keeps_a_log = GENERATE(true, false);
    INFO("log " << keeps_a_log);
    constexpr int period = 64, in_a_cycle = 2'000, cycles = 300, sent = in_a_cycle * cycles;
    const JackServer server({.rate_hz = rate_hz, .period_frames = period});
    const TemporaryFolder folder;
    const std::string log = folder.file("take.log");
    const std::string file = folder.write(
        "song.toml",
        patch(R"("in -> trim -> out")",
              gain("trim", -6.) + "[[midi]]\nchannel = 1\ncc = 21\ntarget = \"trim.gain_db\"\nmin = "
                                  "-12.0\nmax = -3.0\ntakeover = \"jump\"\n"));
    std::vector<std::string> words{"run",  file,     "--null", "--block",
                                   "8192", "--json", "--midi", "virtual:knobs"};
    if (keeps_a_log) words.insert(words.end(), {"--log", log});
    Program program(words);
    REQUIRE(program.tells("playing"));
    Tape tape(1, 1);
    tape.connect_midi("gainstage-midi:knobs");

    std::vector<TapeMidi> midi;
    for (int k = 0; k < sent; ++k) midi.push_back(turn(k / in_a_cycle * period, k));
    constexpr int end = cycles * period + 6 * rate_hz;  // the queue is empty long before
    tape.start(mono(silence(end)), end, midi);
    tape.wait_for(end);
    program.signal(SIGINT);
    const int status = program.wait();
    INFO(program.standard_error());

    CHECK(status == (keeps_a_log ? 73 : 0));
    const auto summary = program.events("summary").at(0);
    const int taken = summary.at("midi_messages"), dropped = summary.at("midi_dropped");
    CHECK(tape.unsent() == 0);
    CHECK(taken + dropped == sent);
    CHECK(dropped > sent / 4);
    CHECK(summary.at("incomplete") == keeps_a_log);
    int told = 0;
    for (const auto& lost : program.events("lost")) told += lost.at("lost").value("midi", 0);
    CHECK(told == dropped);
    if (!keeps_a_log) return;

    const Take take = read_take(log);
    std::uint64_t missing = 0;
    for (const Loss& loss : take.losses) missing += loss.kind == Loss::Kind::midi ? loss.count : 0;
    CHECK(missing == static_cast<std::uint64_t>(dropped));
    CHECK(logged_values(take).size() == static_cast<std::size_t>(taken));
    const std::string out = folder.file("again.wav");
    Program replay({"render", file, silence_in(folder, 1), "-o", out, "--events", log});
    CHECK(replay.wait() == 65);
    INFO(replay.words());
    CHECK(has(replay.standard_error(), "--incomplete"));
}

}  // namespace gainstage::test::flood_test
