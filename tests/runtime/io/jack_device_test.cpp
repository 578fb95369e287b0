#include "runtime/io/jack_device.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include "runtime/io/audio_doors.hpp"
#include "runtime/io/midi_input.hpp"
#include "tests/stage/line.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/device_tries.hpp"
#include "tests/support/jack_server.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::jack_device_test {

using namespace std::chrono_literals;

namespace {

std::string unique_name(const char* what) {
    return what + std::to_string(getpid());
}

/// Numbers its output samples, and checks its input against those of the last period.
class Numbers {
public:
    static void play(void* self, const AudioBlock& block) {
        auto& me = *static_cast<Numbers*>(self);
        bool is_last = block.frames == static_cast<int>(me.last_.size());
        for (int k = 0; k < block.frames && is_last; ++k) is_last = block.in[0][k] == me.last_[k];
        if (is_last) ++me.whole_;
        ++me.blocks_;
        for (int k = 0; k < block.frames; ++k) block.out[0][k] = static_cast<float>(++me.count_ % 65'536);
        me.last_size_ = std::min<std::size_t>(me.last_.capacity(), static_cast<std::size_t>(block.frames));
        me.last_.assign(block.out[0], block.out[0] + me.last_size_);
    }
    Numbers() { last_.reserve(8'192); }
    int whole() const { return whole_; }
    int blocks() const { return blocks_; }

private:
    std::vector<float> last_;
    std::size_t last_size_ = 0;
    std::uint32_t count_ = 0;
    std::atomic<int> whole_{0}, blocks_{0};
};

/// Keeps the messages that came, with their samples.
struct Heard {
    struct Message {
        std::uint64_t at = 0;
        int port = 0;
        MidiMessage message;
    };
    std::vector<Message> messages = std::vector<Message>(1'000);
    std::atomic<int> count{0};
    std::uint64_t now = 0;

    static void play(void* self, const AudioBlock& block) {
        auto& me = *static_cast<Heard*>(self);
        for (const BlockMidi& midi : block.midi)
            if (const int at = me.count; at < static_cast<int>(me.messages.size())) {
                me.messages[at] = {me.now + static_cast<std::uint64_t>(midi.frame), midi.port, midi.message};
                me.count = at + 1;
            }
        me.now += static_cast<std::uint64_t>(block.frames);
    }
};

}  // namespace

TEST_CASE("an output connected to an input of the same JACK client is heard one period later, and whole") {
    if (!JackServer::is_available()) return;
    const bool synchronous = GENERATE(true, false);
    const JackServer server({.period_frames = 128, .synchronous = synchronous});
    const std::string name = unique_name("self-");
    Numbers numbers;
    const auto jack = open_audio(
        {.api = "jack", .in_channels = 1, .out_channels = 1, .stream_name = name, .connect = false});
    jack->start(&Numbers::play, &numbers);
    REQUIRE(server.run("jack_connect " + name + ":out_1 " + name + ":in_1") == 0);
    const int before = numbers.blocks();
    REQUIRE(becomes_true([&] { return numbers.blocks() >= before + 100; }, 20s));
    jack->stop();
    CHECK(numbers.whole() >= 95);  // all but those around the connection
}

TEST_CASE("a JACK stream goes on when the server changes the size of its period") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    Numbers numbers;
    const auto jack = open_audio({.api = "jack", .in_channels = 1, .out_channels = 1});
    jack->start(&Numbers::play, &numbers);
    CHECK(jack->period_frames() == 256);
    for (const int frames : {64, 1'024, 128}) {
        REQUIRE(server.run("jack_bufsize " + std::to_string(frames)) == 0);
        const int before = numbers.blocks();
        CHECK(becomes_true([&] { return numbers.blocks() >= before + 10; }, 20s));
        CHECK(jack->period_frames() == frames);
        CHECK(jack->is_running());
    }
    CHECK(jack->format().block_frames == 256);  // as it was opened
}

TEST_CASE("a JACK stream's MIDI comes with its blocks, each message at its frame") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    Line line;
    const std::string name = unique_name("heard-");
    Heard heard;
    const auto jack = open_audio({.api = "jack",
                                  .in_channels = 1,
                                  .out_channels = 1,
                                  .stream_name = name,
                                  .connect = false,
                                  .midi_ports = 2});
    const std::shared_ptr<StreamMidi> midi = jack->midi();
    REQUIRE(midi);
    MidiQueue queue;
    const auto wheel = open_midi_port("virtual:wheel", 0, queue, midi.get());
    const auto source = open_midi_port("SOURCE-", 1, queue, midi.get());  // the line's, by a part of its name
    CHECK(wheel->port().name == "wheel");
    CHECK(source->port().api == "jack");
    CHECK(has(source->port().name, "source-"));
    CHECK(has(error_of([&] { open_midi_port("organ", 0, queue, midi.get()); }),
              "no MIDI port is called \"organ\"; there are: \"source-"));
    CHECK(has(error_of([&] { open_midi_port("virtual:", 0, queue, midi.get()); }), "write virtual:NAME"));

    jack->start(&Heard::play, &heard);
    line.connect(name + ":in_1", name + ":out_1");
    constexpr int messages = 100, apart = 333;
    std::vector<TapeMidi> sent;
    for (int k = 0; k < messages; ++k)
        sent.push_back({.at = static_cast<std::uint64_t>(1'000 + k * apart),
                        .bytes = {0xb0, 20, static_cast<std::uint8_t>(k)}});
    line.freewheel(true);
    line.start(silence(0), 50'000, sent);
    line.wait_for(50'000);
    line.freewheel(false);
    jack->stop();
    REQUIRE(heard.count == messages);
    int wrong = 0;
    for (int k = 0; k < messages; ++k) {
        const Heard::Message& one = heard.messages[k];
        wrong += one.port != 1 || one.message.bytes[2] != k ||
                 one.at != heard.messages[0].at + static_cast<std::uint64_t>(k) * apart;
    }
    CHECK(wrong == 0);
    CHECK(source->received() == messages);
    CHECK(source->dropped() == 0);
    CHECK(wheel->received() == 0);
    CHECK(queue.read_available() == 0);
}

TEST_CASE("a JACK stream knows when it freewheels, and has not stalled however long a period takes") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    struct Slow {
        std::atomic<int> blocks{0}, freewheeling{0};
        std::atomic<bool> waits{false};
        static void play(void* self, const AudioBlock& block) {
            auto& me = *static_cast<Slow*>(self);
            ++me.blocks;
            me.freewheeling += block.freewheels ? 1 : 0;
            while (block.freewheels && me.waits) std::this_thread::sleep_for(1ms);
        }
    } slow;
    const auto jack = open_audio({.api = "jack", .out_channels = 1});
    jack->start(&Slow::play, &slow);
    REQUIRE(becomes_true([&] { return slow.blocks > 10; }, 20s));
    CHECK(jack->keeps_time());
    CHECK(slow.freewheeling == 0);
    Line line;
    slow.waits = true;
    std::thread wheel([&] { line.freewheel(true); });
    REQUIRE(becomes_true([&] { return slow.freewheeling > 0; }, 20s));
    CHECK_FALSE(jack->keeps_time());
    auto now = std::chrono::steady_clock::now();
    bool stalled = false;
    for (int k = 0; k < 100; ++k) stalled = stalled || jack->has_stalled(now += 100ms);
    CHECK_FALSE(stalled);
    slow.waits = false;
    wheel.join();
    line.freewheel(false);
    jack->stop();
}

TEST_CASE("what outlives a JACK stream can still be asked, and opens nothing") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    auto jack = open_audio({.api = "jack", .out_channels = 1, .midi_ports = 2});
    const std::shared_ptr<StreamMidi> midi = jack->midi();
    const auto port = midi->open(0, "virtual:knobs");
    jack.reset();
    CHECK(port->received() == 0);
    CHECK(has(error_of([&] { midi->open(1, "virtual:more"); }), "the JACK server has gone"));
    CHECK(has(error_of([&] { midi->ports(); }), "the JACK server has gone"));
}

}  // namespace gainstage::test::jack_device_test
