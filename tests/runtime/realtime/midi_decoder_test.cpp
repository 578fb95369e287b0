#include "runtime/realtime/midi_decoder.hpp"

#include <random>
#include <vector>

#include "tests/support/catch.hpp"

namespace gainstage::test::midi_decoder_test {

namespace {

MidiMessage message(int status, int first, int second = -1) {
    const std::uint8_t bytes[] = {static_cast<std::uint8_t>(status), static_cast<std::uint8_t>(first),
                                  static_cast<std::uint8_t>(second)};
    return channel_message(bytes, second < 0 ? 2 : 3);
}

struct Sender {
    MidiDecoder decoder;
    std::vector<MidiEvent> cc(int number, int value, int channel = 1) {
        const auto events = decoder.decode(message(0xB0 + channel - 1, number, value));
        return {events.begin(), events.end()};
    }
    /// The only event of this source that the controller message gave.
    MidiEvent cc(MidiSource source, int number, int value, int channel = 1) {
        const auto events = cc(number, value, channel);
        int found = 0;
        MidiEvent last;
        for (const MidiEvent& event : events)
            if (event.source == source) last = event, ++found;
        REQUIRE(found == 1);
        return last;
    }
    void select_nrpn(int number, int channel = 1) {
        cc(99, number / 128, channel);
        cc(98, number % 128, channel);
    }
};

int count_of(const std::vector<MidiEvent>& events, MidiSource source) {
    int count = 0;
    for (const MidiEvent& event : events) count += event.source == source;
    return count;
}

}  // namespace

TEST_CASE("Only whole channel messages are accepted") {
    const auto size_of = [](std::vector<std::uint8_t> bytes) {
        return int{channel_message(bytes.data(), bytes.size()).size};
    };
    CHECK(size_of({0xB0, 7, 127}) == 3);
    CHECK(size_of({0xC3, 7}) == 2);
    CHECK(size_of({0xD0, 7}) == 2);
    CHECK(size_of({}) == 0);
    CHECK(size_of({0xB0}) == 0);
    CHECK(size_of({0xB0, 7}) == 0);
    CHECK(size_of({0xC0, 7, 7}) == 0);
    CHECK(size_of({7, 127}) == 0);
    CHECK(size_of({0xB0, 0x80, 0}) == 0);
    CHECK(size_of({0xB0, 0, 0xF8}) == 0);
    CHECK(size_of({0xF0, 1, 2, 0xF7}) == 0);
    CHECK(size_of({0xF8}) == 0);
    CHECK(size_of({0xFE}) == 0);
    CHECK(size_of({0xF2, 1, 2}) == 0);
}

TEST_CASE("A controller ends exactly at 0 and 1") {
    Sender sender;
    CHECK(sender.cc(MidiSource::cc, 70, 0).position == 0.f);
    CHECK(sender.cc(MidiSource::cc, 70, 127).position == 1.f);
    CHECK(sender.cc(MidiSource::cc, 70, 64, 16).channel == 16);
    CHECK(sender.cc(70, 1).size() == 1);
}

TEST_CASE("A 7-bit controller reaches the whole range of a 14-bit mapping") {
    Sender sender;
    CHECK(sender.cc(MidiSource::cc14, 21, 127).position == 1.f);
    CHECK(sender.cc(MidiSource::cc14, 21, 0).position == 0.f);
}

TEST_CASE("A coarse half takes effect at once and zeroes the fine half, which refines it later") {
    Sender sender;
    sender.cc(21, 3);
    const MidiEvent fine = sender.cc(MidiSource::cc14, 53, 5);
    CHECK(fine.number == 21);
    CHECK(fine.refines);
    CHECK(fine.position == 389.f / 16383.f);
    const MidiEvent coarse = sender.cc(MidiSource::cc14, 21, 64);
    CHECK_FALSE(coarse.refines);
    CHECK(coarse.position == 8192.f / 16383.f);
    CHECK(sender.cc(MidiSource::cc14, 53, 127).position == 8319.f / 16383.f);
    CHECK(sender.cc(MidiSource::cc14, 53, 1).position == 8193.f / 16383.f);
    sender.cc(21, 127);
    CHECK(sender.cc(MidiSource::cc14, 53, 127).position == 1.f);
    // Other channels and controllers are not affected.
    CHECK(sender.cc(MidiSource::cc14, 53, 1, 2).position == 1.f / 16383.f);
    CHECK(sender.cc(MidiSource::cc14, 54, 1).position == 1.f / 16383.f);
}

TEST_CASE(
    "A coarse half tells what it makes with the fine half before it, for controls that send that first") {
    Sender sender;
    sender.cc(53, 127);
    const MidiEvent coarse = sender.cc(MidiSource::cc14, 21, 63);
    CHECK(coarse.position == 8064.f / 16383.f);
    CHECK(coarse.position_after_fine == 8191.f / 16383.f);
    CHECK(sender.cc(MidiSource::cc14, 21, 64).position_after_fine ==
          8319.f / 16383.f);                                                 // the fine half is the same
    CHECK(sender.cc(MidiSource::cc14, 22, 127).position_after_fine == 1.f);  // a 7-bit control
    sender.select_nrpn(300);
    sender.cc(38, 127);
    CHECK(sender.cc(MidiSource::nrpn, 6, 63).position_after_fine == 8191.f / 16383.f);
    sender.select_nrpn(301);
    CHECK(sender.cc(MidiSource::nrpn, 6, 63).position_after_fine ==
          8064.f / 16383.f);  // another one's fine half
}

TEST_CASE("Pitch bend rests at exactly one half and ends at exactly 0 and 1") {
    MidiDecoder decoder;
    const auto bend = [&](int value) {
        return decoder.decode(message(0xE0, value % 128, value / 128)).front();
    };
    CHECK(bend(0).position == 0.f);
    CHECK(bend(8192).position == 0.5f);
    CHECK(bend(16383).position == 1.f);
    CHECK(bend(8191).position < 0.5f);
    CHECK(bend(8193).position > 0.5f);
    CHECK_FALSE(bend(8192).pressed);
    CHECK(bend(16383).pressed);
}

TEST_CASE("A note-on of velocity 0 is a release") {
    MidiDecoder decoder;
    const MidiEvent on = decoder.decode(message(0x91, 60, 127)).front();
    CHECK(on.source == MidiSource::note);
    CHECK(on.channel == 2);
    CHECK(on.number == 60);
    CHECK(on.pressed);
    CHECK(on.position == 1.f);
    CHECK(decoder.decode(message(0x90, 60, 1)).front().pressed);
    CHECK_FALSE(decoder.decode(message(0x90, 60, 0)).front().pressed);
    const MidiEvent off = decoder.decode(message(0x80, 60, 90)).front();
    CHECK_FALSE(off.pressed);
    CHECK(off.position == 0.f);
}

TEST_CASE("NRPN data reaches the number that was selected last") {
    Sender sender;
    CHECK(count_of(sender.cc(6, 100), MidiSource::nrpn) == 0);  // no number selected yet
    sender.select_nrpn(300);
    const MidiEvent coarse = sender.cc(MidiSource::nrpn, 6, 127);
    CHECK(coarse.number == 300);
    CHECK(coarse.position == 1.f);  // no fine half so far: a 7-bit sender
    const MidiEvent fine = sender.cc(MidiSource::nrpn, 38, 0);
    CHECK(fine.number == 300);
    CHECK(fine.refines);
    CHECK(fine.position == 16256.f / 16383.f);
    CHECK(sender.cc(MidiSource::nrpn, 38, 127).position == 1.f);
    CHECK(count_of(sender.cc(6, 1, 2), MidiSource::nrpn) == 0);  // another channel has none selected
}

TEST_CASE("Selecting the same NRPN again keeps its data, another one starts from 0") {
    Sender sender;
    sender.select_nrpn(5);
    sender.cc(6, 64);
    sender.select_nrpn(5);
    CHECK(sender.cc(MidiSource::nrpn, 38, 1).position == 8193.f / 16383.f);
    sender.select_nrpn(6);
    CHECK(sender.cc(MidiSource::nrpn, 38, 1).position == 1.f / 16383.f);
}

TEST_CASE("Data entry after a registered parameter or the null NRPN is ignored") {
    Sender sender;
    sender.select_nrpn(5);
    sender.cc(101, 0);
    sender.cc(100, 0);
    CHECK(count_of(sender.cc(6, 100), MidiSource::nrpn) == 0);
    sender.select_nrpn(5);
    CHECK(count_of(sender.cc(6, 100), MidiSource::nrpn) == 1);
    sender.select_nrpn(16383);
    CHECK(count_of(sender.cc(6, 100), MidiSource::nrpn) == 0);
    CHECK(count_of(sender.cc(96, 0), MidiSource::nrpn) == 0);
}

TEST_CASE("Data increment and decrement are single steps") {
    Sender sender;
    sender.select_nrpn(5);
    CHECK(sender.cc(MidiSource::nrpn, 96, 0).step == 1);
    CHECK(sender.cc(MidiSource::nrpn, 97, 127).step == -1);
}

TEST_CASE("Any bytes decode to positions between 0 and 1") {
    std::mt19937 random(11);
    MidiDecoder decoder;
    for (int k = 0; k < 200'000; ++k) {
        const auto bits = random();
        const int status = 0x80 + static_cast<int>(bits % 0x70);
        const auto events = decoder.decode(
            message(status, static_cast<int>(bits >> 8 & 0x7F), static_cast<int>(bits >> 16 & 0x7F)));
        REQUIRE(events.size() <= 3);
        for (const MidiEvent& event : events) {
            REQUIRE(event.position >= 0.f);
            REQUIRE(event.position <= 1.f);
            REQUIRE(event.channel == (status & 15) + 1);
            REQUIRE(event.number < 16384);
        }
    }
    CHECK(decoder.decode(MidiMessage{}).empty());
}

}  // namespace gainstage::test::midi_decoder_test
