#include "runtime/io/midi_file.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/support/catch.hpp"

namespace gainstage::test::midi_file_test {

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

Bytes header(int format, int tracks, int division) {
    const auto byte = [](int value) { return static_cast<std::uint8_t>(value); };
    return {'M',           'T', 'h', 'd', 0, 0, 0, 6, 0, byte(format), 0, byte(tracks), byte(division >> 8),
            byte(division)};
}

Bytes chunk(const char (&id)[5], const Bytes& data) {
    const Bytes head{static_cast<std::uint8_t>(id[0]),
                     static_cast<std::uint8_t>(id[1]),
                     static_cast<std::uint8_t>(id[2]),
                     static_cast<std::uint8_t>(id[3]),
                     0,
                     0,
                     static_cast<std::uint8_t>(data.size() >> 8),
                     static_cast<std::uint8_t>(data.size())};
    return head + data;
}

const Bytes end_of_track{0, 0xFF, 0x2F, 0};

Bytes track(const Bytes& events) {
    return chunk("MTrk", events + end_of_track);
}

std::vector<TimedMidi> parse(const Bytes& bytes) {
    return parse_midi_file(bytes, "take.mid").messages;
}
std::string notes_of(const Bytes& bytes) {
    std::string all;
    for (const std::string& note : parse_midi_file(bytes, "take.mid").notes) all += note + "\n";
    return all;
}

std::string refusal(const Bytes& bytes) {
    try {
        parse(bytes);
    } catch (const MidiFileError& error) {
        CHECK(error.exit_code == 65);
        return error.what();
    }
    return "accepted";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// Two tracks with a little of everything.
Bytes busy_file() {
    const Bytes first =
        track({0,    0xFF, 3,  4,    'n',  'a', 'm',  'e', 0,    0xFF, 0x51, 3, 7,    0xA1, 0x20,
               0x60, 0xB0, 21, 10,   0x10, 21,  20,   0,   0xF0, 3,    1,    2, 0xF7, 0x20, 0xFF,
               0x51, 3,    3,  0xD0, 0x90, 5,   0xC1, 9,   0x81, 0x40, 0xE0, 0, 64});
    const Bytes second = track({0x30, 0x90, 60, 100, 0x30, 60, 0, 0x05, 0x80, 61, 0, 0, 0xF7, 2, 0xF8, 0xF8});
    return header(1, 2, 480) + first + chunk("Xtra", {1, 2, 3}) + second;
}

}  // namespace

TEST_CASE("Without a tempo a quarter note lasts half a second") {
    const auto messages =
        parse(header(0, 1, 96) + track({0, 0xB0, 7, 1, 96, 0xB0, 7, 2, 0x81, 0x40, 0xB0, 7, 3}));
    REQUIRE(messages.size() == 3);
    CHECK(messages[0].seconds == 0.);
    CHECK(messages[1].seconds == 0.5);
    CHECK(messages[2].seconds == 1.5);  // 0x81 0x40 is 192 ticks
    CHECK(messages[1].message == MidiMessage{3, {0xB0, 7, 2}});
}

TEST_CASE("A tempo change applies to everything after it, in all tracks") {
    // 250 ms a quarter from tick 96 on (0x03D090 microseconds).
    const Bytes conductor = track({96, 0xFF, 0x51, 3, 0x03, 0xD0, 0x90});
    const Bytes player = track({96, 0xB0, 7, 1, 96, 0xB0, 7, 2, 96, 0xB0, 7, 3});
    const auto messages = parse(header(1, 2, 96) + conductor + player);
    REQUIRE(messages.size() == 3);
    CHECK(messages[0].seconds == Approx(0.5));
    CHECK(messages[1].seconds == Approx(0.75));
    CHECK(messages[2].seconds == Approx(1.));
}

TEST_CASE("Tracks are merged by time; at one time, in the order of the tracks") {
    const Bytes one = track({0, 0xB0, 1, 1, 96, 0xB0, 1, 2});
    const Bytes two = track({0, 0xB0, 2, 1, 0, 0xB0, 2, 2, 48, 0xB0, 2, 3, 48, 0xB0, 2, 4});
    const auto messages = parse(header(1, 2, 96) + one + two);
    std::vector<int> order;
    for (const auto& [seconds, message] : messages) order.push_back(message.bytes[1] * 10 + message.bytes[2]);
    CHECK(order == std::vector<int>{11, 21, 22, 23, 12, 24});
}

TEST_CASE("Running status repeats the last status, also after a meta event") {
    const auto messages =
        parse(header(0, 1, 96) + track({0, 0x91, 60, 1, 0, 61, 2, 0, 0xFF, 1, 1, 'x', 0, 62, 3}));
    REQUIRE(messages.size() == 3);
    CHECK(messages[2].message == MidiMessage{3, {0x91, 62, 3}});
}

TEST_CASE("Only channel messages are played; SysEx, texts and unknown chunks are skipped") {
    const auto messages = parse(busy_file());
    REQUIRE(messages.size() == 7);
    CHECK(messages[1].message == MidiMessage{3, {0xB0, 21, 10}});
    CHECK(messages[5].message == MidiMessage{2, {0xC1, 9, 0}});
    for (std::size_t k = 1; k < messages.size(); ++k) CHECK(messages[k].seconds >= messages[k - 1].seconds);
}

TEST_CASE("A tempo does not change time in SMPTE frames") {
    const int frames_25_by_40 = (0x100 - 25) << 8 | 40;  // a tick is a millisecond
    const auto messages =
        parse(header(0, 1, frames_25_by_40) + track({0, 0xFF, 0x51, 3, 0x03, 0xD0, 0x90, 100, 0xB0, 7, 1}));
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].seconds == Approx(0.1));
    const int drop_frames = (0x100 - 29) << 8 | 100;
    CHECK(parse(header(0, 1, drop_frames) + track({100, 0xB0, 7, 1})).front().seconds ==
          Approx(1001. / 30000));
}

TEST_CASE("A track may end without an end marker, and a file may have no events") {
    CHECK(parse(header(0, 1, 96) + chunk("MTrk", {0, 0xB0, 7, 1})).size() == 1);
    CHECK(parse(header(0, 1, 96) + track({})).empty());
    CHECK(parse(header(0, 0, 96)).empty());
}

TEST_CASE("A bad MIDI file is reported with the file, the place and the remedy") {
    const Bytes good = header(0, 1, 96);
    CHECK(contains(refusal({}), "take.mid: byte 0: this is no Standard MIDI File"));
    CHECK(contains(refusal({'R', 'I', 'F', 'F', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), "no Standard MIDI File"));
    CHECK(contains(refusal(good), "1 tracks are announced, 0 are there: export the file again"));
    CHECK(contains(refusal(header(0, 1, 0) + track({})), "0 ticks"));
    CHECK(contains(refusal(header(3, 1, 96) + track({})), "format 3"));
    CHECK(contains(refusal(header(2, 2, 96) + track({})), "format 2"));
    CHECK(contains(refusal(header(0, 1, 0xFF01) + track({})), "frames a second"));
    CHECK(contains(refusal(good + Bytes{'M', 'T', 'r', 'k', 0xFF, 0xFF, 0xFF, 0xFF, 0}),
                   "4294967295 bytes are announced, 1 are there"));
    CHECK(contains(refusal(good + chunk("MTrk", {0, 0xB0, 7})), "in the middle of an event"));
    CHECK(contains(refusal(good + chunk("MTrk", {0})), "in the middle of an event"));
    CHECK(contains(refusal(good + track({0, 0xB0, 7, 200})), "a status byte stands where data belongs"));
    CHECK(contains(refusal(good + track({0, 7, 20})), "no valid status byte"));
    CHECK(contains(refusal(good + track({0, 0xF4, 20})), "no valid status byte"));
    CHECK(contains(refusal(good + track({0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0xB0, 7, 1})),
                   "longer than four bytes"));
    CHECK(contains(refusal(good + track({0, 0xFF, 0x51, 2, 7, 7})), "a tempo has three bytes"));
    CHECK(contains(refusal(good + track({0, 0xFF, 0x51, 3, 0, 0, 0})), "a tempo of 0"));
    CHECK(contains(refusal(header(0, 1, 1) +
                           track({0, 0xFF, 0x51, 3, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0xB0, 7, 1})),
                   "11 days"));
}

TEST_CASE("A header that counts its tracks wrong is told, and all tracks are played") {
    const Bytes one = track({0, 0xB0, 7, 1}), two = track({10, 0xB0, 7, 2});
    CHECK(notes_of(header(1, 2, 96) + one + two).empty());
    for (const int announced : {0, 1, 3, 200}) {
        CHECK(parse(header(1, announced, 96) + one + two).size() == 2);
        CHECK(notes_of(header(1, announced, 96) + one + two) == "take.mid: its header counts " +
                                                                    std::to_string(announced) +
                                                                    " tracks, 2 are there: played all 2\n");
    }
    const Bytes with_rest = header(1, 2, 96) + one + two + Bytes{'x', 0, 0};
    CHECK(parse(with_rest).size() == 2);
    CHECK(contains(notes_of(with_rest), "it follows the last track, and is passed over"));
    const Bytes with_half_a_track = header(1, 1, 96) + one + chunk("MTrk", {0, 0xB0, 7, 9, 0, 0xB0});
    CHECK(parse(with_half_a_track).size() == 1);
    CHECK(contains(notes_of(with_half_a_track), "in the middle of an event"));
}

TEST_CASE("RIFF MIDI holds a Standard MIDI File, and places count from the beginning of the file") {
    const auto riff = [](const Bytes& midi, const Bytes& before = {}) {
        const auto size = static_cast<std::uint8_t>(midi.size());
        return Bytes{'R', 'I', 'F', 'F', 0xFF, 0, 0, 0, 'R', 'M', 'I', 'D'} + before +
               Bytes{'d', 'a', 't', 'a', size, 0, 0, 0} + midi;
    };
    const Bytes midi = header(0, 1, 96) + track({0, 0xB0, 7, 1});
    CHECK(parse(riff(midi)).size() == 1);
    CHECK(parse(riff(midi, {'D', 'I', 'S', 'P', 3, 0, 0, 0, 1, 2, 3, 0})).size() == 1);
    CHECK(notes_of(riff(midi)).empty());
    CHECK(contains(refusal(riff(header(0, 1, 0) + track({}))),
                   "take.mid: byte 34: a quarter note has 0 ticks"));
    Bytes cut = riff(midi);
    cut.pop_back();
    CHECK(contains(refusal(cut), "bytes are announced"));
}

TEST_CASE("What only has the name of a MIDI file is named") {
    const auto bytes = [](const std::string& text) { return Bytes(text.begin(), text.end()); };
    CHECK(contains(refusal(bytes("<!DOCTYPE html><html></html>")),
                   "no Standard MIDI File (.mid), but a web page"));
    CHECK(contains(refusal(bytes("version https://git-lfs.github.com/spec/v1\n")), "git lfs pull"));
}

TEST_CASE("A file cut off anywhere, or with any bytes changed, is read or refused") {
    const Bytes good = busy_file();
    int refused = 0, read = 0;
    bool has_notes = true;  // all that were read
    const auto try_it = [&](const Bytes& bytes) {
        try {
            double before = 0.;
            const MidiFile midi = parse_midi_file(bytes, "take.mid");
            has_notes = has_notes && !midi.notes.empty();
            for (const auto& [seconds, message] : midi.messages) {
                REQUIRE(seconds >= before);
                REQUIRE(seconds <= 1e6);
                REQUIRE(channel_message(message.bytes.data(), message.size) == message);
                before = seconds;
            }
            ++read;
        } catch (const MidiFileError&) {
            ++refused;
        }
    };
    for (std::size_t size = 0; size < good.size(); ++size)
        try_it({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
    CHECK(read == 2);  // between two chunks: the track that is missing is told
    CHECK(has_notes);
    std::mt19937 random(23);
    for (int k = 0; k < 50'000; ++k) {
        Bytes bytes = good;
        for (auto changes = 1 + random() % 4; changes > 0; --changes) {
            const auto at = static_cast<std::ptrdiff_t>(random() % bytes.size());
            if (random() % 3 == 0)
                bytes.insert(bytes.begin() + at, static_cast<std::uint8_t>(random()));
            else
                bytes[at] = static_cast<std::uint8_t>(random());
        }
        try_it(bytes);
    }
    CHECK(read > 1000);
    CHECK(refused > 1000);
}

TEST_CASE("A MIDI file is read from disk, and a missing one is reported as missing") {
    const std::string path =
        (std::filesystem::temp_directory_path() / "gainstage_midi_file_test.mid").string();
    const Bytes bytes = busy_file();
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    CHECK(read_midi_file(path).messages.size() == 7);
    std::filesystem::remove(path);
    for (const std::string& wrong : {path, std::filesystem::temp_directory_path().string()}) try {
            read_midi_file(wrong);
            FAIL("accepted");
        } catch (const MidiFileError& error) {
            CHECK(error.exit_code == 66);
            CHECK(contains(error.what(), wrong));
        }
}

}  // namespace gainstage::test::midi_file_test
