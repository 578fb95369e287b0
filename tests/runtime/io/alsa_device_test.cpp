#include "runtime/io/alsa_device.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/control/realtime_rights.hpp"
#include "runtime/io/alsa_devices.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/device_tries.hpp"
#include "tests/support/realtime_guard.hpp"
#include "tests/support/test_cards.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::alsa_device_test {

using namespace std::chrono_literals;

namespace {

/// As the program opens it.
class Opened {
public:
    explicit Opened(const AudioRequest& asked)
        : request_(with_api(asked)),
          devices_(list_alsa_devices(request_)),
          device_(choose_device(devices_, request_), request_) {}
    AlsaDevice* operator->() { return &device_; }
    AlsaDevice& operator*() { return device_; }

private:
    static AudioRequest with_api(AudioRequest request) {
        request.api = "alsa";
        return request;
    }
    const AudioRequest request_;
    const AudioDevices devices_;
    AlsaDevice device_;
};
std::string refusal(const AudioRequest& request) {
    return error_of([&] { Opened device(request); });
}

/// What goes out: noise, another one in each channel.
float sent(std::size_t frame, int channel) {
    const std::uint32_t word = card_noise(SampleFormat::f32, frame, channel + 3);
    float sample = 0.f;
    std::memcpy(&sample, &word, sizeof sample);
    return sample;
}

/// Plays that, and writes down what comes in.
class Player {
public:
    Player(const AudioFormat& format, int blocks)
        : format_(format), heard_(format.in_channels, std::vector<float>(blocks * format.block_frames)) {}

    static void play(void* self, const AudioBlock& block) { static_cast<Player*>(self)->play(block); }

    int blocks() const { return blocks_; }
    const std::vector<float>& heard(int channel) const { return heard_[channel]; }
    /// The frame at which the card began the last time.
    std::size_t began() const { return began_; }
    int overflows() const { return overflows_; }
    int underflows() const { return underflows_; }

    /// Before the block of this number.
    std::function<void(int)> before = [](int) {};

private:
    void play(const AudioBlock& block) {
        before(blocks_);
        const std::size_t begin = static_cast<std::size_t>(blocks_) * block.frames;
        overflows_ += block.input_overflow ? 1 : 0;
        underflows_ += block.output_underflow ? 1 : 0;
        if (block.input_overflow || block.output_underflow) began_ = begin;
        for (int c = 0; c < format_.out_channels; ++c)
            for (int k = 0; k < block.frames; ++k) block.out[c][k] = sent(begin + k, c);
        for (int c = 0; c < format_.in_channels; ++c)
            if (begin + block.frames <= heard_[c].size())
                std::copy_n(block.in[c], block.frames,
                            heard_[c].begin() + static_cast<std::ptrdiff_t>(begin));
        ++blocks_;
    }

    const AudioFormat format_;
    std::vector<std::vector<float>> heard_;
    std::size_t began_ = 0;
    std::atomic<int> blocks_{0}, overflows_{0}, underflows_{0};
};

/// As the card's format can hold it.
float through(SampleFormat format, float sample) {
    std::byte card[4]{};
    encode(format, &sample, card, bytes_of(format), 1);
    decode(format, card, bytes_of(format), &sample, 1);
    return sample;
}

/// True: since the card began the last time, every channel hears what was sent `round_trip` frames before, to
/// the bit, and nothing before that.
bool hears_itself(const Player& player, const CardState& card, const AudioFormat& format, int round_trip) {
    const auto end = static_cast<std::size_t>(player.blocks()) * format.block_frames;
    const std::size_t first = player.began() + round_trip;
    if (end < first + 4 * format.block_frames) return false;
    for (int c = 0; c < format.in_channels; ++c)
        for (std::size_t k = player.began(); k < end; ++k) {
            const bool is_sound = k >= first && c < format.out_channels;
            const float wanted = is_sound ? through(card.ability.format, sent(k - round_trip, c)) : 0.f;
            if (player.heard(c)[k] != wanted) return false;
        }
    return true;
}

/// The only card, "box".
std::vector<TestCards::Card> box(const CardAbility& ability = {}) {
    return {{"box", ability}};
}

/// Plays so many blocks on a card that waits for it.
void play_blocks(Opened& device, Player& player, int blocks) {
    device->start(Player::play, &player);
    REQUIRE(becomes_true([&] { return player.blocks() >= blocks || !device->is_running(); }, 20s));
    device->stop();
}

constexpr AudioRequest on_box{
    .device = "box", .in_channels = 2, .out_channels = 2, .block_frames = 64, .priority = 0};

std::uint64_t frames_of(int blocks, int block_frames = 64) {
    return static_cast<std::uint64_t>(blocks) * block_frames;
}

}  // namespace

// -------- the way through the card

TEST_CASE("ALSA: a sound comes back after the periods that were asked for and the cable, no frame later") {
    for (const int periods : {2, 3, 4})
        for (const int cable : {0, 37}) {
            INFO(periods << " periods, a cable of " << cable << " frames");
            TestCards cards(box({.cable_frames = cable, .most_frames = frames_of(40)}));
            AudioRequest request = on_box;
            request.periods = periods;
            Opened device(request);
            CHECK(device->format().latency_frames == periods * 64);
            Player player(device->format(), 40);
            play_blocks(device, player, 40);
            CHECK(player.overflows() + player.underflows() == 0);
            CHECK(hears_itself(player, cards[0], device->format(), periods * 64 + cable));
            CHECK_FALSE(hears_itself(player, cards[0], device->format(), periods * 64 + cable + 1));
        }
}

TEST_CASE("ALSA: every format of a card plays, interleaved or not, to the bit of what it can hold") {
    for (const SampleFormat format : {SampleFormat::f32, SampleFormat::s32, SampleFormat::s24,
                                      SampleFormat::s24_packed, SampleFormat::s16})
        for (const bool interleaved : {true, false}) {
            INFO("format " << static_cast<int>(format) << (interleaved ? "" : ", not") << " interleaved");
            TestCards cards(box({.in_channels = 3,
                                 .out_channels = 5,
                                 .format = format,
                                 .interleaved = interleaved,
                                 .most_frames = frames_of(20)}));
            Opened device(on_box);
            Player player(device->format(), 20);
            play_blocks(device, player, 20);
            CHECK(hears_itself(player, cards[0], device->format(), 128));
            CHECK(cards[0].transfers_odd == 0);
            // Channels that nobody plays are silent.
            for (int frame = 0; frame < 20 * 64; ++frame)
                for (int c = 2; c < 5; ++c) REQUIRE(cards[0].played[frame][c] == 0);
        }
}

TEST_CASE("ALSA: an output that begins later than its input makes the way longer by that, and no more") {
    TestCards cards(box({.skew_frames = 17, .most_frames = frames_of(40)}));
    Opened device(on_box);
    Player player(device->format(), 40);
    play_blocks(device, player, 39);
    CHECK(player.overflows() + player.underflows() == 0);
    CHECK(hears_itself(player, cards[0], device->format(), 128 + 17));
}

TEST_CASE("ALSA: a card with its own blocks and few of them is played as it is, and the format says so") {
    TestCards cards(
        box({.rate_hz = 44'100, .block_frames = 441, .most_periods = 2, .most_frames = frames_of(20, 441)}));
    AudioRequest request = on_box;
    request.periods = 3;
    Opened device(request);
    CHECK(device->format().block_frames == 441);
    CHECK(device->format().rate_hz == 44'100);
    CHECK(device->format().latency_frames == 882);
    Player player(device->format(), 20);
    play_blocks(device, player, 20);
    CHECK(hears_itself(player, cards[0], device->format(), 882));
}

TEST_CASE("ALSA: the audio thread has the priority that was asked for, or the system's") {
    TestCards cards(box());
    struct Thread {
        std::atomic<int> policy{-1}, priority{-1};
        static void play(void* self, const AudioBlock& block) {
            for (int c = 0; c < 2; ++c) std::fill_n(block.out[c], block.frames, 0.f);
            auto& me = *static_cast<Thread*>(self);
            sched_param parameters{};
            int policy = 0;
            pthread_getschedparam(pthread_self(), &policy, &parameters);
            me.priority = parameters.sched_priority;
            me.policy = policy;
        }
    } thread;
    const int asked = GENERATE(0, 17);
    AudioRequest request = on_box;
    request.priority = asked;
    Opened device(request);
    device->start(Thread::play, &thread);
    REQUIRE(becomes_true([&] { return thread.policy >= 0; }, 20s));
    device->stop();
    // What `run` says of a refusal at its start.
    const bool is_granted = check_realtime_priority(17).empty();
    CHECK(thread.priority == (is_granted ? asked : 0));
}

TEST_CASE("ALSA: an input alone and an output alone play, too") {
    TestCards cards(
        {{"mic", {.in_channels = 1, .out_channels = 0, .plays_noise = true, .most_frames = frames_of(20)}},
         {"dac", {.in_channels = 0, .out_channels = 2, .most_frames = frames_of(20)}}});
    Opened mic({.device = "mic", .in_channels = 1, .out_channels = 0, .block_frames = 64, .priority = 0});
    Player listener(mic->format(), 20);
    play_blocks(mic, listener, 20);
    for (int k = 0; k < 20 * 64; ++k) {
        const std::uint32_t word = card_noise(SampleFormat::f32, k, 0);
        REQUIRE(std::memcmp(&word, &listener.heard(0)[k], sizeof word) == 0);
    }
    Opened dac({.device = "dac", .in_channels = 0, .out_channels = 2, .block_frames = 64, .priority = 0});
    CHECK(dac->format().latency_frames == 128);
    Player singer(dac->format(), 20);
    play_blocks(dac, singer, 20);
    float played = 0.f;
    std::memcpy(&played, &cards[1].played[128 + 5][1], sizeof played);
    CHECK(played == sent(5, 1));
}

namespace {

/// A take on a card whose clock drifts. Nothing: sound was lost, as it may be on a busy machine.
std::optional<bool> keeps_its_way(double drift_ppm) {
    TestCards cards(box({.block_frames = 256, .keeps_time = true, .drift_ppm = drift_ppm}));
    AudioRequest request = on_box;
    request.periods = 4;
    Opened device(request);
    Player player(device->format(), 20'000);
    device->start(Player::play, &player);
    const auto begin = std::chrono::steady_clock::now();
    CHECK(becomes_true([&] { return player.blocks() >= 60; }, 20s));
    CHECK(std::chrono::steady_clock::now() - begin >= 300ms);  // 60 blocks of 5.3 ms
    device->stop();
    if (player.overflows() + player.underflows() > 0) return {};
    const int skew = static_cast<int>(cards[0].began[CardState::out] - cards[0].began[CardState::in]);
    return hears_itself(player, cards[0], device->format(), 4 * 256 + skew);
}

}  // namespace

TEST_CASE("ALSA: by a clock that drifts the way stays as long as it was") {
    for (int k = 0; k < 10; ++k)
        if (const std::optional<bool> kept = keeps_its_way(2'000.)) {
            CHECK(*kept);
            return;
        }
    FAIL("ten takes have lost sound");
}

// -------- what goes wrong

TEST_CASE("ALSA: lost sound is counted once, and the way through the card is as long as before") {
    TestCards cards(box({.most_frames = frames_of(80)}));
    Opened device(on_box);
    Player player(device->format(), 80);
    player.before = [&](int block) {
        if (block == 20) cards[0].skipped_frames = 1'000;
    };
    play_blocks(device, player, 60);
    CHECK(player.underflows() == 1);
    CHECK(player.overflows() == 0);
    CHECK(player.began() == 21 * 64);
    CHECK(cards[0].starts[CardState::in] == 2);
    CHECK(cards[0].starts[CardState::out] == 2);
    CHECK(hears_itself(player, cards[0], device->format(), 128));

    TestCards alone(box({.out_channels = 0, .plays_noise = true, .most_frames = frames_of(80)}));
    Opened mic({.device = "box", .in_channels = 2, .out_channels = 0, .block_frames = 64, .priority = 0});
    Player listener(mic->format(), 80);
    listener.before = [&](int block) {
        if (block == 20) alone[0].skipped_frames = 1'000;
    };
    play_blocks(mic, listener, 60);
    CHECK(listener.overflows() == 1);
    CHECK(listener.underflows() == 0);
}

TEST_CASE("ALSA: a callback that comes too late loses sound, and is told so") {
    TestCards cards(box({.keeps_time = true}));
    Opened device(on_box);
    Player player(device->format(), 10'000);
    player.before = [&](int block) {
        if (block % 10 == 9) std::this_thread::sleep_for(20ms);
    };
    device->start(Player::play, &player);
    CHECK(becomes_true([&] { return player.overflows() + player.underflows() >= 3; }, 20s));
    CHECK(device->is_running());
}

TEST_CASE("ALSA: a card that is unplugged ends the stream, and says why") {
    TestCards cards(box({.most_frames = frames_of(80)}));
    Opened device(on_box);
    Player player(device->format(), 80);
    player.before = [&](int block) {
        if (block == 20) cards[0].is_unplugged = true;
    };
    CHECK(device->end_cause().empty());
    device->start(Player::play, &player);
    CHECK(becomes_true([&] { return !device->is_running(); }, 20s));
    CHECK(has(device->end_cause(), "the card is gone"));
    CHECK(player.blocks() == 21);
    device->stop();
    CHECK(has(error_of([&] { device->start(Player::play, &player); }), "does not start: No such device"));
    CHECK_FALSE(device->is_running());
    CHECK(has(refusal(on_box), "no audio device of API \"alsa\" is called \"box\""));
    cards[0].is_unplugged = false;
    CHECK(refusal(on_box) == "no error");
}

TEST_CASE("ALSA: a machine that sleeps plays on when it wakes") {
    TestCards cards(box({.most_frames = frames_of(80)}));
    Opened device(on_box);
    Player player(device->format(), 80);
    player.before = [&](int block) {
        if (block == 20) cards[0].sleeps = true;
    };
    device->start(Player::play, &player);
    REQUIRE(becomes_true([&] { return player.blocks() == 21; }, 20s));
    std::this_thread::sleep_for(60ms);
    CHECK(player.blocks() == 21);
    CHECK(device->is_running());
    cards[0].sleeps = false;
    CHECK(becomes_true([&] { return player.blocks() >= 60; }, 20s));
    device->stop();
    CHECK(player.underflows() >= 1);
    CHECK(hears_itself(player, cards[0], device->format(), 128));
}

TEST_CASE(
    "ALSA: stopping does not wait for a card that stands still, and the stream plays again afterwards") {
    TestCards cards(box({.most_frames = frames_of(20)}));
    Opened device(on_box);
    Player player(device->format(), 100);
    device->start(Player::play, &player);
    REQUIRE(becomes_true([&] { return player.blocks() == 20; }, 20s));
    const auto begin = std::chrono::steady_clock::now();
    device->stop();
    CHECK(std::chrono::steady_clock::now() - begin < 2s);
    CHECK_FALSE(device->is_running());
    CHECK(device->callbacks() == 20);
    cards[0].ability.most_frames = frames_of(60);
    device->start(Player::play, &player);
    CHECK(becomes_true([&] { return player.blocks() == 60; }, 20s));
}

TEST_CASE("ALSA: two cards are refused, with the programs that can play them") {
    TestCards cards({{"alpha"}, {"beta"}});
    AudioRequest request{.device = "alpha", .in_device = "beta", .in_channels = 1, .out_channels = 2};
    const std::string error = refusal(request);
    CHECK(has(error, "\"beta\" and \"alpha\" are two cards"));
    CHECK(has(error, "PipeWire"));
    CHECK(has(error, "alsa_in"));
    request.in_device = "alpha";
    CHECK(refusal(request) == "no error");
}

TEST_CASE("ALSA: what can't be opened is refused by name") {
    TestCards cards({{"box"}, {"odd", {.block_frames = 441}}});
    CHECK(has(refusal({.device = "Scarlett"}), "no audio device of API \"alsa\" is called \"Scarlett\""));
    CHECK(has(refusal({}), "no default output device of API \"alsa\""));
    AudioRequest request = on_box;
    request.rate_hz = 96'000;
    CHECK(has(refusal(request), "offers 48000 Hz"));
    request = on_box;
    request.in_channels = 3;
    CHECK(has(refusal(request), "has 2 input channels, the patch uses channel 3"));
    cards[0].is_busy = true;
    CHECK(has(
        refusal(on_box),
        "could not be asked what it can do: Device or resource busy; another program uses it: end that one"));
}

TEST_CASE("ALSA: a driver that hangs does not hang the program") {
    TestCards cards(box());
    cards[0].hangs = true;
    const auto begin = std::chrono::steady_clock::now();
    CHECK(has(refusal(on_box), "the driver of audio device \"box\" (alsa) does not answer"));
    CHECK(std::chrono::steady_clock::now() - begin < 15s);
    cards[0].hangs = false;
    std::this_thread::sleep_for(200ms);  // the call that was left returns while the card is still there
}

// -------- the audio thread's promises

namespace {

thread_local bool is_audio_thread = false;
std::atomic<int> allocations{0};

bool count_allocation() noexcept {
    if (is_audio_thread) ++allocations;
    return false;
}

}  // namespace

TEST_CASE(
    "ALSA: ten thousand blocks, and the audio thread allocates nothing, inside the callback and outside") {
    TestCards cards(box({.in_channels = 8,
                         .out_channels = 8,
                         .format = SampleFormat::s24_packed,
                         .interleaved = false,
                         .most_frames = frames_of(10'100, 32)}));
    Opened device({.device = "box", .in_channels = 8, .out_channels = 8, .block_frames = 32, .priority = 0});
    Player player(device->format(), 100);
    player.before = [&](int block) {
        is_audio_thread = true;
        if (block == 5'000) cards[0].skipped_frames = 1'000;  // recovering allocates nothing either
    };
    let_allocations_fail(count_allocation);
    device->start(Player::play, &player);
    CHECK(becomes_true([&] { return player.blocks() >= 10'000; }, 20s));
    device->stop();
    let_allocations_fail(nullptr);
    CHECK(allocations == 0);
    CHECK(player.underflows() == 1);
}

}  // namespace gainstage::test::alsa_device_test
