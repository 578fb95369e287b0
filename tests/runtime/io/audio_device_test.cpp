#include "runtime/io/audio_device.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <thread>

#include "runtime/io/audio_doors.hpp"
#include "runtime/io/null_device.hpp"
#include "runtime/io/patience.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/device_tries.hpp"
#include "tests/support/jack_server.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::audio_device_test {

using namespace std::chrono_literals;

namespace {

AudioDeviceInfo device(const std::string& api, const std::string& name, int in, int out,
                       std::vector<int> rates = {48'000}, bool is_default = false) {
    return {.api = api,
            .name = name,
            .in_channels = in,
            .out_channels = out,
            .rates_hz = std::move(rates),
            .preferred_rate_hz = 48'000,
            .is_default_in = is_default && in > 0,
            .is_default_out = is_default && out > 0};
}

using test::error_of;
std::string error_of(const AudioDevices& devices, const AudioRequest& request) {
    return error_of([&] { choose_device(devices, request); });
}

/// Counts and records the callback's calls.
struct Seen {
    std::atomic<int> blocks{0}, frames{0}, late{0};
    std::atomic<float> input{0.f};
    int in_channels = 0, out_channels = 0;
    std::chrono::milliseconds pause{0};
    AudioCallback callback = [](void* self, const AudioBlock& block) {
        Seen& seen = *static_cast<Seen*>(self);
        for (int c = 0; c < seen.in_channels; ++c)
            for (int k = 0; k < block.frames; ++k) seen.input = seen.input + std::abs(block.in[c][k]);
        for (int c = 0; c < seen.out_channels; ++c) std::fill_n(block.out[c], block.frames, 0.25f);
        seen.frames = block.frames;
        seen.late += block.output_underflow ? 1 : 0;
        ++seen.blocks;
        std::this_thread::sleep_for(seen.pause);
    };
};

}  // namespace

// -------- which device?

TEST_CASE("a device is found by a part of its name, whatever its capitals") {
    const AudioDevices devices{device("alsa", "HDA Intel", 2, 2), device("alsa", "Scarlett 2i2 USB", 2, 2)};
    const ChosenDevice chosen =
        choose_device(devices, {.device = "scarlett", .in_channels = 1, .out_channels = 2});
    CHECK(chosen.in == &devices[1]);
    CHECK(chosen.out == &devices[1]);
    CHECK(chosen.rate_hz == 48'000);
}

TEST_CASE("a full name wins over names that contain it") {
    const AudioDevices devices{device("jack", "system monitor", 2, 2), device("jack", "system", 2, 2)};
    CHECK(choose_device(devices, {.device = "system"}).out == &devices[1]);
}

TEST_CASE("a card is found by every name that ALSA and RtAudio give it, and by its number") {
    AudioDevices devices{device("alsa", "default", 2, 2, {48'000}, true),
                         device("alsa", "Scarlett 2i2 USB: USB Audio (hw:USB,0)", 2, 2),
                         device("alsa", "HDA Intel PCH: ALC892 (hw:PCH,0)", 2, 2)};
    devices[1].other_names = {"hw:USB,0", "hw:Scarlett 2i2 USB,0", "Scarlett 2i2 USB (USB Audio)", "hw:1,0"};
    devices[2].other_names = {"hw:PCH,0", "hw:HDA Intel PCH,0", "HDA Intel PCH (ALC892)", "hw:11,0"};
    for (const char* name : {"hw:USB,0", "hw:Scarlett 2i2 USB,0", "Scarlett 2i2 USB (USB Audio)", "hw:1,0",
                             "2i2 usb,0", "scarlett"})
        CHECK(choose_device(devices, {.device = name}).out == &devices[1]);
    CHECK(choose_device(devices, {.device = "hw:11,0"}).out == &devices[2]);
    CHECK(choose_device(devices, {.device = "default"}).out == &devices[0]);
    CHECK(choose_device(devices, {}).out == &devices[0]);
    CHECK(has(error_of(devices, {.device = "hw:1"}), "may be one of 2 audio devices"));
}

TEST_CASE("a name that matches several devices is an error that lists only those") {
    const AudioDevices devices{device("alsa", "USB Audio A", 2, 2), device("alsa", "USB Audio B", 2, 2),
                               device("alsa", "HDMI", 0, 2)};
    const std::string error = error_of(devices, {.device = "usb"});
    CHECK(has(error, "\"usb\" may be one of 2 audio devices"));
    CHECK(has(error, "USB Audio A"));
    CHECK(has(error, "USB Audio B"));
    CHECK_FALSE(has(error, "HDMI"));
}

TEST_CASE("a missing device is an error that lists the existing ones; another device is never taken") {
    const AudioDevices devices{device("alsa", "HDA Intel", 2, 2, {48'000}, true)};
    const std::string error = error_of(devices, {.device = "Scarlett"});
    CHECK(has(error, "no audio device is called \"Scarlett\""));
    CHECK(has(error, "HDA Intel (2 in, 2 out)"));
    CHECK(has(error_of({}, {.device = "Scarlett"}), "--null"));
    CHECK(has(error_of({}, {}), "no default output device"));
    CHECK(has(error_of(devices, {.api = "jack"}), "HDA Intel"));
}

TEST_CASE("without a name the default of the first API is taken; with JACK that is system") {
    const AudioDevices devices{device("jack", "ardour", 2, 2, {48'000}, true), device("jack", "system", 2, 2),
                               device("pulse", "Speakers", 0, 2, {48'000}, true)};
    CHECK(choose_device(devices, {}).out == &devices[1]);
    CHECK(choose_device(devices, {.api = "pulse"}).out == &devices[2]);
}

TEST_CASE("an API without inputs or without outputs is skipped") {
    const AudioDevices devices{device("alsa", "HDMI", 0, 2, {48'000}, true),
                               device("pulse", "Box", 2, 2, {48'000}, true)};
    CHECK(choose_device(devices, {.in_channels = 1, .out_channels = 2}).out == &devices[1]);
    CHECK(choose_device(devices, {.in_channels = 0, .out_channels = 2}).out == &devices[0]);
    CHECK(
        has(error_of(devices, {.api = "alsa", .in_channels = 1}), "no default input device of API \"alsa\""));
}

TEST_CASE("input and output may be named separately, and a device listed once for each is one device") {
    const AudioDevices devices{device("core", "Built-in Microphone", 1, 0),
                               device("core", "Interface", 8, 8)};
    const ChosenDevice apart = choose_device(
        devices, {.device = "interface", .in_device = "microphone", .in_channels = 1, .out_channels = 2});
    CHECK(apart.in == &devices[0]);
    CHECK(apart.out == &devices[1]);
    const AudioDevices split{device("core", "USB Codec", 2, 0), device("core", "USB Codec #2", 0, 2)};
    const ChosenDevice one = choose_device(split, {.device = "usb", .in_channels = 2, .out_channels = 2});
    CHECK(one.in == &split[0]);
    CHECK(one.out == &split[1]);
}

TEST_CASE("a device with too few channels is refused, and so is a busy one") {
    const AudioDevices devices{device("alsa", "Mono Mic", 1, 0), device("alsa", "Busy", 0, 0)};
    CHECK(has(error_of(devices, {.device = "mono", .in_channels = 2, .out_channels = 0}),
              "has 1 input channels, the patch uses channel 2"));
    CHECK(has(error_of(devices, {.device = "busy"}), "is another program using it?"));
}

TEST_CASE("input and output run at one rate, or not at all") {
    const AudioDevices devices{device("alsa", "In", 2, 0, {44'100, 96'000}),
                               device("alsa", "Out", 0, 2, {44'100, 48'000}),
                               device("alsa", "Odd", 2, 0, {32'000})};
    AudioRequest request{.device = "out", .in_device = "in", .in_channels = 2, .out_channels = 2};
    CHECK(choose_device(devices, request).rate_hz == 44'100);
    request.rate_hz = 96'000;
    CHECK(has(error_of(devices, request), "nothing runs at 96000 Hz"));
    CHECK(has(error_of(devices, request), "\"Out\" (alsa) offers 44100, 48000 Hz"));
    request.rate_hz = 0;
    request.in_device = "odd";
    CHECK(has(error_of(devices, request), "no rate in common"));
}

// -------- without hardware

TEST_CASE("the null device keeps time, delivers silence, and stops when told") {
    Seen seen;
    seen.in_channels = 1, seen.out_channels = 2;
    NullDevice null({.in_channels = 1, .out_channels = 2, .block_frames = 480});
    CHECK(null.format().rate_hz == 48'000);
    CHECK_FALSE(null.is_running());
    const auto begin = std::chrono::steady_clock::now();
    null.start(seen.callback, &seen);
    REQUIRE(becomes_true([&] { return seen.blocks >= 20; }, 5s));
    // 20 blocks of 10 ms: never early; a machine under load may be late.
    CHECK(std::chrono::steady_clock::now() - begin >= 195ms);
    CHECK(null.is_running());
    null.stop();
    const int blocks = seen.blocks;
    std::this_thread::sleep_for(50ms);
    CHECK(seen.blocks == blocks);
    CHECK(null.callbacks() == static_cast<std::uint64_t>(blocks));
    CHECK(seen.input == 0.f);
    CHECK_FALSE(null.is_running());
}

TEST_CASE("the null device reports a block that came too late") {
    Seen seen;
    seen.pause = 30ms;
    NullDevice null({.block_frames = 480});
    null.start(seen.callback, &seen);
    CHECK(becomes_true([&] { return seen.late > 0; }, 5s));
}

TEST_CASE("a stream has stalled if no block came for a second of watching") {
    NullDevice null({});
    auto now = std::chrono::steady_clock::now();
    const auto looks = [&](int count, std::chrono::milliseconds apart) {
        bool stalled = false;
        for (int k = 0; k < count; ++k) stalled = null.has_stalled(now += apart);
        return stalled;
    };
    CHECK_FALSE(looks(10, 90ms));
    CHECK(looks(3, 90ms));
    SECTION("the next block ends it") {
        Seen seen;
        null.start(seen.callback, &seen);
        REQUIRE(becomes_true([&] { return seen.blocks > 0; }, 5s));
        null.stop();
        CHECK_FALSE(looks(10, 90ms));
    }
    SECTION("after an hour of being stopped a program waits for the next block before it reports a stall") {
        NullDevice other({});
        CHECK_FALSE(other.has_stalled(now));
        CHECK_FALSE(other.has_stalled(now + 1h));
        CHECK_FALSE(other.has_stalled(now + 1h + 5ms));
    }
}

TEST_CASE("work that does not return in time is left alone, other work gives its result") {
    int done = 0;
    CHECK(returns_within(20s, [&] { done = 3; }));
    CHECK(done == 3);
    CHECK_THROWS_AS(returns_within(20s, [] { throw DeviceError("no"); }), DeviceError);
    const auto may_end = std::make_shared<std::atomic<bool>>(false),
               ended = std::make_shared<std::atomic<bool>>(false);
    CHECK_FALSE(returns_within(20ms, [=] {
        while (!*may_end) std::this_thread::sleep_for(1ms);
        *ended = true;
    }));
    CHECK_FALSE(*ended);
    *may_end = true;
    CHECK(becomes_true([&] { return ended->load(); }, 20s));
}

TEST_CASE("a closed gate waits for the callback inside, and lets none in again") {
    CallbackGate gate;
    std::atomic<int> entered{0}, refused{0}, inside{0};
    std::atomic<bool> plays{true};
    std::thread driver([&] {
        while (plays) {
            const CallbackGate::Pass pass(gate);
            if (!pass) {
                ++refused;
                continue;
            }
            ++inside;
            ++entered;
            std::this_thread::yield();
            --inside;
        }
    });
    CHECK(becomes_true([&] { return entered > 1'000; }, 20s));
    gate.shut();
    CHECK(inside == 0);
    const int entered_by_then = entered;
    CHECK(becomes_true([&] { return refused > 1'000; }, 20s));
    plays = false;
    driver.join();
    CHECK(entered == entered_by_then);
}

// -------- a real audio server

namespace {

/// Our own door and RtAudio's; without libjack RtAudio's alone.
std::string jack_door() {
    return own_door("jack") ? GENERATE(std::string("jack"), std::string("rtaudio-jack"))
                            : std::string("jack");
}
/// The name of the second output.
std::string second_port(const std::string& api, const std::string& client) {
    return client + (own_door(api) ? ":out_2" : ":outport 1");
}

}  // namespace

TEST_CASE("JACK: the system device is listed and plays at the block size of the server") {
    if (!JackServer::is_available()) return;
    const std::string api = jack_door();
    const JackServer server;
    const AudioDevices devices = list_audio_devices(api);
    REQUIRE(devices.size() == 1);
    CHECK(devices[0].name == "system");
    CHECK(devices[0].in_channels == 2);
    CHECK(devices[0].rates_hz == std::vector<int>{48'000});

    Seen seen;
    seen.in_channels = 1, seen.out_channels = 2;
    const auto stream = open_audio(
        {.api = api, .in_channels = 1, .out_channels = 2, .block_frames = 64, .stream_name = "seen"});
    AudioStream& jack = *stream;
    CHECK(jack.format().api == api);
    CHECK(jack.format().name == "system");
    CHECK(jack.format().rate_hz == 48'000);
    CHECK(jack.format().block_frames == 256);  // the server decides
    CHECK_FALSE(jack.is_running());
    jack.start(seen.callback, &seen);
    CHECK(jack.is_running());
    CHECK(becomes_true([&] { return seen.blocks >= 10; }, 5s));
    CHECK(server.run("sh -c \"jack_lsp -c | grep -A1 '" + second_port(api, "seen") +
                     "' | grep -q system:playback_2\"") == 0);
    jack.stop();
    CHECK_FALSE(jack.is_running());
    const int blocks = seen.blocks;
    std::this_thread::sleep_for(50ms);
    CHECK(seen.blocks == blocks);
    CHECK(seen.frames == 256);

    jack.start(seen.callback, &seen);  // and again
    CHECK(becomes_true([&] { return seen.blocks >= blocks + 10; }, 5s));
}

TEST_CASE("JACK: what can't be opened is refused with a list of what there is") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    const auto open = [](const AudioRequest& request) { return error_of([&] { open_audio(request); }); };
    CHECK(has(open({.api = "jack", .device = "Scarlett"}), "jack   system (2 in, 2 out)"));
    CHECK(has(open({.api = "jack", .rate_hz = 44'100}), "offers 48000 Hz"));
    CHECK(has(open({.api = "jack", .in_channels = 3}), "has 2 input channels, the patch uses channel 3"));
    CHECK(has(open({.api = "rtaudio-jack", .in_channels = 3}), "the patch uses channel 3"));
    CHECK(has(open({.api = "bluetooth"}), "there is no audio API \"bluetooth\" here; there is: jack"));
}

TEST_CASE("JACK: ports stay unconnected on request, however many there are") {
    if (!JackServer::is_available()) return;
    const std::string api = jack_door();
    const JackServer server;
    Seen seen;
    const auto stream = open_audio(
        {.api = api, .in_channels = 4, .out_channels = 4, .stream_name = "lonely", .connect = false});
    AudioStream& jack = *stream;
    jack.start(seen.callback, &seen);
    CHECK(becomes_true([&] { return seen.blocks >= 3; }, 5s));
    CHECK(server.run("sh -c \"jack_lsp | grep -q '" + second_port(api, "lonely") + "'\"") == 0);
    CHECK(server.run("sh -c 'jack_lsp -c | grep -A1 lonely | grep -q system'") != 0);
}

TEST_CASE("JACK: a dying server ends the stream, and stopping it afterwards is safe") {
    if (!JackServer::is_available()) return;
    const std::string api = jack_door();
    JackServer server;
    Seen seen;
    const auto stream = open_audio({.api = api, .in_channels = 1, .out_channels = 2});
    AudioStream& jack = *stream;
    jack.start(seen.callback, &seen);
    REQUIRE(becomes_true([&] { return seen.blocks >= 10; }, 5s));
    server.kill();
    CHECK(becomes_true([&] { return !jack.is_running() || jack.has_stalled(); }, 5s));
    jack.stop();
    CHECK_FALSE(jack.is_running());
}

TEST_CASE(
    "RtAudio's JACK: a changed block size stalls the stream, is noticed, and does not make stopping hang") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    Seen seen;
    AudioDevice jack({.api = "rtaudio-jack", .in_channels = 1, .out_channels = 2});
    jack.start(seen.callback, &seen);
    REQUIRE(becomes_true([&] { return seen.blocks >= 10; }, 5s));
    REQUIRE(server.run("jack_bufsize 128") == 0);
    CHECK(becomes_true([&] { return !jack.is_running() || jack.has_stalled(); }, 5s));
    const auto begin = std::chrono::steady_clock::now();
    jack.stop();
    CHECK(std::chrono::steady_clock::now() - begin < 3s);
}

TEST_CASE("JACK: without a server there are no devices and no noise") {
    if (!JackServer::is_available()) return;
    setenv("JACK_DEFAULT_SERVER", "gainstage-test-nobody", 1);
    CHECK(list_audio_devices("jack").empty());
    for (const char* api : {"jack", "rtaudio-jack"})
        CHECK(has(error_of([&] { open_audio({.api = api}); }),
                  fmt::format("no default output device of API \"{}\"", api)));
    unsetenv("JACK_DEFAULT_SERVER");
}

TEST_CASE("where PipeWire runs and no JACK server, the message says how to start") {
    if (!own_door("jack")) {
        std::puts("skipped: JACK's own door is not built here");
        return;
    }
    const TemporaryFolder folder;
    const char* const before = std::getenv("XDG_RUNTIME_DIR");
    const std::string kept = before ? before : "";
    setenv("JACK_DEFAULT_SERVER", "gainstage-test-nobody", 1);
    setenv("XDG_RUNTIME_DIR", folder.path().c_str(), 1);
    const auto error = [] { return error_of([] { open_audio({.api = "jack"}); }); };
    CHECK_FALSE(has(error(), "PipeWire"));
    folder.write("pipewire-0", "");
    CHECK(
        has(error(), "PipeWire runs here and no JACK server: start Gainstage as \"pw-jack gainstage ...\""));
    before ? setenv("XDG_RUNTIME_DIR", kept.c_str(), 1) : unsetenv("XDG_RUNTIME_DIR");
    unsetenv("JACK_DEFAULT_SERVER");
}

}  // namespace gainstage::test::audio_device_test
