/// The level of the whole stream, without a stream.

#include "runtime/realtime/master.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/realtime_guard.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test::master_test {

namespace {

/// What becomes of a constant 1 in pieces of 16 frames.
class Constant {
public:
    Channel play(int frames) {
        Channel heard;
        for (int done = 0; done < frames; done += 16) {
            float sound[16];
            std::fill_n(sound, 16, 1.f);
            float* out = sound;
            const DeviceBlock device{.out = &out, .out_channels = 1};
            {
                const RealtimeScope scope;
                ended = master.play(device, 16, now) || ended;
            }
            heard.insert(heard.end(), sound, sound + 16);
            now += 16;
        }
        return heard;
    }
    Master master{48'000.};
    std::uint64_t now = 0;
    bool ended = false;
};

}  // namespace

TEST_CASE("a stream begins at full level or with a ramp") {
    Constant at_once, ramp;
    at_once.master.start(0.f);
    ramp.master.start(20.f);
    CHECK(at_once.play(960) == constant(960, 1.f));
    const Channel risen = ramp.play(1'024);
    CHECK(risen[0] == 0.f);
    CHECK(risen[480] == 0.5f);
    CHECK(risen[960] == 1.f);
}

TEST_CASE(
    "a panic goes down in 5 ms and asks to be woken when silence is reached; another one changes nothing") {
    Constant stream;
    stream.play(160);
    const std::uint64_t reset = stream.master.panic(stream.now);
    CHECK(reset == 160 + 240);
    CHECK(stream.master.panic(stream.now) == Master::never);
    const Channel fall = stream.play(320);
    CHECK(fall[0] == 1.f);
    CHECK(fall[120] == 0.5f);
    CHECK(fall[240] == 0.f);
    stream.master.come_back(stream.now);
    CHECK(stream.play(976)[960] == 1.f);
    CHECK_FALSE(stream.ended);
}

TEST_CASE("a fade-out ends at a sample that is known from then on, and nothing brings the sound back") {
    Constant stream;
    CHECK(stream.master.next_cut(0) == Master::never);
    stream.master.fade_out(0, 1.f);
    CHECK(stream.master.next_cut(0) == 48);
    stream.play(48);
    CHECK(stream.ended);
    CHECK(stream.master.silent_at() == 48);
    CHECK(stream.master.panic(stream.now) == Master::never);
    stream.master.come_back(stream.now);
    CHECK(stream.play(2'000) == silence(2'000));
    CHECK(stream.master.silent_at() == 48);
}

}  // namespace gainstage::test::master_test
