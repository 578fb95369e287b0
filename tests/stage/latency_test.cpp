/// What stands between input and output: the patch, and nothing else.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <set>
#include <thread>

#include "tests/stage/delays.hpp"
#include "tests/stage/line.hpp"
#include "tests/stage/player.hpp"
#include "tests/stage/program.hpp"
#include "tests/stage/wheel.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/jack_server.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::latency_test {

using namespace std::chrono_literals;

namespace {

constexpr int rate_hz = 48'000;

Delays measure(const std::string& file, bool freewheel) {
    Player player(file, {"--no-connect"});
    Line line;
    line.connect(player.name() + ":in_1", player.name() + ":out_1");
    if (freewheel) line.freewheel(true);
    constexpr int frames = rate_hz;
    const Channel noise = white_noise(frames, 5, 0.3f);
    line.start(noise, frames);
    line.wait_for(frames);
    if (freewheel) line.freewheel(false);
    CHECK(player.end() == 0);
    return {noise, line.recorded()};
}

/// Cycles that the server lost don't count. In freewheel it loses none.
void check_delay(const std::string& file, bool freewheel, int expected) {
    INFO((freewheel ? "freewheel" : "in JACK's time"));
    const Delays delays = measure(file, freewheel);
    INFO(delays.whole << " of " << delays.all << " stretches are whole");
    CHECK(delays.found == std::set<int>{expected});
    CHECK(delays.whole >= (freewheel ? delays.all : delays.all / 4));
}

}  // namespace

TEST_CASE(
    "through JACK the input is heard in the period in which it came, later by the patch's latency alone") {
    if (!JackServer::is_available()) return;
    const int period = GENERATE(32, 64, 128, 256);
    const bool synchronous = GENERATE(true, false);
    INFO(period << " frames, " << (synchronous ? "jackd -S" : "jackd"));
    const JackServer server({.rate_hz = rate_hz, .period_frames = period, .synchronous = synchronous});
    const TemporaryFolder folder;
    const std::string plain = folder.write("plain.toml", delayed(0.)),
                      late = folder.write("late.toml", delayed(5.));
    REQUIRE(declared(plain) == 0);
    REQUIRE(declared(late) > 200);
    check_delay(plain, false, 0);
    check_delay(plain, true, 0);
    check_delay(late, true, declared(late));
    if (period == 64) check_delay(late, false, declared(late));
}

namespace {

jack_latency_range_t range_of(jack_client_t* client, const std::string& port,
                              jack_latency_callback_mode_t mode) {
    jack_latency_range_t range{};
    if (jack_port_t* const found = jack_port_by_name(client, port.c_str()))
        jack_port_get_latency_range(found, mode, &range);
    return range;
}

/// The server tells its clients one after the other.
bool becomes(jack_client_t* client, const std::string& port, jack_latency_callback_mode_t mode, int frames) {
    for (int k = 0; k < 1'000; ++k) {
        const jack_latency_range_t range = range_of(client, port, mode);
        if (static_cast<int>(range.min) == frames && static_cast<int>(range.max) == frames) return true;
        std::this_thread::sleep_for(5ms);
    }
    const jack_latency_range_t range = range_of(client, port, mode);
    UNSCOPED_INFO(port << ": " << range.min << " to " << range.max << ", expected " << frames);
    return false;
}

}  // namespace

TEST_CASE("JACK's latencies of the ports include the patch's, both ways, and follow an edit") {
    if (!JackServer::is_available()) return;
    const JackServer server({.rate_hz = rate_hz, .period_frames = 128});
    const TemporaryFolder folder;
    const std::string file = folder.write("song.toml", delayed(5.));
    Player player(file, {"--rehearse"});
    const Line line;
    jack_client_t* const client = line.source();
    const int in = static_cast<int>(range_of(client, "system:capture_1", JackCaptureLatency).max);
    const int out = static_cast<int>(range_of(client, "system:playback_1", JackPlaybackLatency).max);
    const auto check = [&](int latency) {
        CHECK(becomes(client, player.name() + ":out_1", JackCaptureLatency, in + latency));
        CHECK(becomes(client, player.name() + ":in_1", JackPlaybackLatency, out + latency));
    };
    const int before = declared(file);
    check(before);
    REQUIRE(player.program().tells("playing", 1));
    folder.write("song.toml", delayed(10.));
    REQUIRE(player.program().tells("playing", 2));
    const int after = declared(file);
    CHECK(after > before + 200);
    check(after);
    CHECK(player.end() == 0);
}

// Measuring

namespace {

/// A client that hands on what it hears so many samples later, from its port "in" to its port "out".
class LongCable {
public:
    explicit LongCable(int delay) : past_(static_cast<std::size_t>(delay)) {
        client_ = jack_client_open("long-cable", JackNoStartServer, nullptr);
        if (!client_) throw std::runtime_error("the cable finds no JACK server");
        in_ = jack_port_register(client_, "in", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
        out_ = jack_port_register(client_, "out", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
        jack_set_process_callback(
            client_,
            [](jack_nframes_t frames, void* self) { return static_cast<LongCable*>(self)->play(frames); },
            this);
        jack_activate(client_);
    }
    ~LongCable() { jack_client_close(client_); }
    LongCable(const LongCable&) = delete;
    LongCable& operator=(const LongCable&) = delete;

    /// From one port to the other as soon as both exist.
    bool connect(const std::string& from, const std::string& to) const {
        for (int k = 0; k < 2'000; ++k, std::this_thread::sleep_for(5ms))
            if (const int status = jack_connect(client_, from.c_str(), to.c_str());
                status == 0 || status == EEXIST)
                return true;
        return false;
    }

private:
    int play(jack_nframes_t frames) {
        const auto* in = static_cast<const float*>(jack_port_get_buffer(in_, frames));
        auto* out = static_cast<float*>(jack_port_get_buffer(out_, frames));
        for (jack_nframes_t k = 0; k < frames; ++k) {
            out[k] = -0.5f * past_[at_];
            past_[at_] = in[k];
            at_ = (at_ + 1) % past_.size();
        }
        return 0;
    }

    jack_client_t* client_ = nullptr;
    jack_port_t *in_ = nullptr, *out_ = nullptr;
    std::vector<float> past_;
    std::size_t at_ = 0;
};

}  // namespace

TEST_CASE("gainstage latency measures a cable to a tenth of a sample") {
    if (!JackServer::is_available()) return;
    const JackServer server({.rate_hz = rate_hz, .period_frames = 256});
    Program probe(
        {"latency", "--json", "--api", "jack", "--device", "system", "--no-connect", "--name", "probe"});
    const bool is_long = GENERATE(false, true);
    const LongCable cable(321);
    if (is_long) {
        REQUIRE(cable.connect("probe:out_1", "long-cable:in"));
        REQUIRE(cable.connect("long-cable:out", "probe:in_1"));
    } else {
        REQUIRE(cable.connect("probe:out_1", "probe:in_1"));
    }
    INFO(probe.words());
    REQUIRE(probe.wait() == 0);
    const auto measured = nlohmann::json::parse(probe.standard_output());
    // JACK adds a period where the way is a circle.
    CHECK(std::abs(measured.at("samples").get<double>() - (is_long ? 256 + 321 : 256)) < 0.1);
    CHECK(measured.at("inverted") == is_long);
    const double lost_db =
        measured.at("sent_dbfs").get<double>() - measured.at("came_back_dbfs").get<double>();
    CHECK(std::abs(lost_db - (is_long ? 6.02 : 0.)) < 0.1);
}

TEST_CASE("gainstage latency without a cable says so, and ends with 69") {
    if (!JackServer::is_available()) return;
    const JackServer server({.rate_hz = rate_hz, .period_frames = 256});
    Program probe({"latency", "--api", "jack", "--device", "system", "--no-connect"});
    CHECK(probe.wait() == 69);
    CHECK(probe.standard_error().find("Is the cable in, and the input's gain up?") != std::string::npos);
}

TEST_CASE("devices tells programs from sound cards") {
    if (!JackServer::is_available()) return;
    const JackServer server({.rate_hz = rate_hz, .period_frames = 256});
    const LongCable cable(1);
    Program json({"devices", "--json"});
    REQUIRE(json.wait() == 0);
    const auto audio = nlohmann::json::parse(json.standard_output()).at("audio");
    for (const auto& device : audio)
        if (device.at("api") == "jack") CHECK(device.at("program") == (device.at("name") == "long-cable"));
    Program text({"devices"});
    REQUIRE(text.wait() == 0);
    const std::string said = text.standard_output();
    INFO(said);
    CHECK(said.find("AUDIO DEVICE") < said.find("system"));
    CHECK(said.find("system") < said.find("OTHER PROGRAM"));
    CHECK(said.find("OTHER PROGRAM") < said.find("long-cable"));
}

// Controllers

namespace {

/// Heard of a constant 0.5 while the wheel stands there.
double level(int value) {
    return 0.5 * std::pow(10., (40. * position(value) - 40.) / 20.);
}

struct Clocked {
    int wrong = 0;  ///< messages that were not applied at their sample
    int lost = 0;   ///< cycles
    int received = 0, dropped = 0;
};

/// Sends messages on an even clock, each to another value; the sound before and at the sample of each tells.
Clocked send(const std::string& file, int messages, int apart, bool freewheel) {
    Player player(file, {"--no-connect", "--midi", "virtual:wheel"});
    Line line;
    line.connect(player.name() + ":in_1", player.name() + ":out_1");
    line.connect_midi(player.name() + ":wheel");
    constexpr int first = 9'600;
    const int length = first + messages * apart + 4'800;
    std::vector<TapeMidi> midi;
    for (int k = 0; k < messages; ++k) midi.push_back(bend(first + k * apart, (k * 4'099 + 17) % 16'384));
    if (freewheel) line.freewheel(true);
    line.start(constant(length, 0.5f), length, midi);
    line.wait_for(length);
    if (freewheel) line.freewheel(false);
    CHECK(player.end() == 0);
    const Channel heard = line.recorded();
    Clocked found;
    const auto is_at = [&](std::size_t at, int message) {
        const double wanted = level((message * 4'099 + 17) % 16'384);
        return std::abs(heard[at] / wanted - 1.) < 1e-4;
    };
    for (int k = 0; k < messages; ++k) {
        const std::size_t at = midi[k].at;
        if (!is_at(at, k) || (k > 0 && !is_at(at - 1, k - 1))) ++found.wrong;
    }
    const auto summary = player.program().events("summary").at(0);
    found.received = summary.at("midi_messages").get<int>();
    found.dropped = summary.at("midi_dropped").get<int>();
    found.lost = line.lost();
    CHECK(summary.at("events_lost") == 0);
    if (freewheel) CHECK(summary.at("late_blocks") == 0);  // the driver waits
    return found;
}

}  // namespace

TEST_CASE(
    "a controller at frame k of a period moves its knob at that very sample: a hundred thousand messages") {
    if (!JackServer::is_available()) return;
    const JackServer server({.rate_hz = rate_hz, .period_frames = 256});
    const TemporaryFolder folder;
    const std::string file =
        folder.write("wheel.toml", patch(R"("in -> trim -> out")", gain("trim", 0.) + wheel));
    const Clocked found = send(file, 100'000, 101, true);
    CHECK(found.wrong == 0);
    CHECK(found.received == 100'000);
    CHECK(found.dropped == 0);
}

TEST_CASE("a controller on an even clock in JACK's own time: no sample of error in a thousand messages") {
    if (!JackServer::is_available()) return;
    const int period = GENERATE(64, 256);
    const JackServer server({.rate_hz = rate_hz, .period_frames = period});
    const TemporaryFolder folder;
    const std::string file =
        folder.write("wheel.toml", patch(R"("in -> trim -> out")", gain("trim", 0.) + wheel));
    Clocked found;
    int tries = 0;
    do found = send(file, 1'000, 101, false);
    while (found.wrong > 0 && found.lost > 0 && ++tries < 6);
    INFO(period << " frames, " << tries << " takes with lost cycles");
    CHECK(found.wrong == 0);
    CHECK(found.received == 1'000);
    CHECK(found.dropped == 0);
}

}  // namespace gainstage::test::latency_test
