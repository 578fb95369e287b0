/// Headers of sound files that were never finished, or that promise what can't be.

#include <sndfile.h>

#include <algorithm>
#include <filesystem>

#include "tests/support/catch.hpp"
#include "tests/support/heard_sound.hpp"
#include "tests/support/sound_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::unfinished_sound_test {

namespace {

std::string big_bytes(std::int64_t value, int count) {
    return bytes_of(value, count, ByteOrder::big);
}

std::string big_samples(const Channel& sound) {
    std::string samples;
    for (const float x : sound)
        samples += big_bytes(static_cast<std::uint16_t>(std::lround(x * 32'768.f)), 2);
    return samples;
}

/// An AIFF of 16 bits and one channel at 48 kHz whose header says what a test wants.
std::string aiff_of(const Channel& sound, std::int64_t frames, std::int64_t chunk_bytes,
                    const std::string& behind = {}) {
    const std::string rate("\x40\x0e\xbb\x80\0\0\0\0\0\0", 10);
    const std::string body = "AIFFCOMM" + big_bytes(18, 4) + big_bytes(1, 2) + big_bytes(frames, 4) +
                             big_bytes(16, 2) + rate + "SSND" + big_bytes(chunk_bytes, 4) + big_bytes(0, 8) +
                             big_samples(sound) + behind;
    return "FORM" + big_bytes(static_cast<std::int64_t>(body.size()), 4) + body;
}

std::string caf_of(const Channel& sound, std::int64_t chunk_bytes) {
    const std::string rate("\x40\xe7\x70\0\0\0\0\0", 8);
    return "caff" + big_bytes(1, 2) + big_bytes(0, 2) + "desc" + big_bytes(32, 8) + rate + "lpcm" +
           big_bytes(0, 4) + big_bytes(2, 4) + big_bytes(1, 4) + big_bytes(1, 4) + big_bytes(16, 4) + "data" +
           big_bytes(chunk_bytes, 8) + big_bytes(0, 4) + big_samples(sound);
}

std::string au_of(const Channel& sound, std::int64_t bytes) {
    return ".snd" + big_bytes(24, 4) + big_bytes(bytes, 4) + big_bytes(3, 4) + big_bytes(48'000, 4) +
           big_bytes(1, 4) + big_samples(sound);
}

/// "LIST", "id3 ": what editors and taggers put behind the sound.
std::string chunk(const std::string& name, int bytes, ByteOrder order = ByteOrder::little) {
    std::string content = std::string(static_cast<std::size_t>(bytes), '\x5a');
    if (bytes % 2 == 1) content += '\0';
    return name + bytes_of(bytes, 4, order) + content;
}

void is_whole(const Heard& found, const Channel& sound, const std::string& told) {
    INFO(found.text());
    CHECK(found.sound.size() == sound.size());
    CHECK(differing(found.sound, sound) == std::pair{-1, -1});
    CHECK(found.promised == static_cast<std::int64_t>(sound.size()));
    CHECK(found.lost_s == 0.);
    if (told.empty()) {
        CHECK(found.news.empty());
        return;
    }
    REQUIRE(found.news.size() == 1);
    CHECK(found.news[0].kind == SoundNews::Kind::odd);
    CHECK(has(found.news[0].text, "was never finished (its header " + told));
}

}  // namespace

TEST_CASE("a header that was never finished is told, and what follows it is played to its real length") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(20'000, 16);
    struct Case {
        std::int64_t riff_bytes, sound_bytes;
        std::string told;
    };
    const auto [riff_bytes, sound_bytes, told] =
        GENERATE(Case{0, 0, "its header says 0 s"}, Case{4'088, 0, "its header says 0 s"},
                 Case{36, 0, "its header says 0 s"},
                 Case{0xFFFF'FFFF, 0xFFFF'FFFF, "its header doesn't say how long it is"},
                 Case{0x7FFF'FFFF, 0x7FFF'FFDB, "its header doesn't say how long it is"},
                 Case{36 + 30'000, 30'000, "its header ends before the sound does"});
    const Heard found = heard(folder.write("a.wav", wav_of(sound, riff_bytes, sound_bytes)));
    INFO(sound_bytes << ": " << found.text());
    CHECK(found.sound == sound);
    CHECK(found.promised == 20'000);
    CHECK(found.lost_s == 0.);
    REQUIRE(found.news.size() == 1);
    CHECK(found.news[0].kind == SoundNews::Kind::odd);
    CHECK(has(found.news[0].text,
              "a.wav: was never finished (" + told + "): the 0.417 s that are there are played"));
}

TEST_CASE("an unfinished RF64 and W64 are played to their real length, too") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(20'000, 17);
    const auto [name, format] = GENERATE(std::pair{"rf64", SF_FORMAT_RF64}, std::pair{"w64", SF_FORMAT_W64});
    std::string bytes =
        folder.read(std::filesystem::path(write_as(folder.file(name), format | SF_FORMAT_PCM_16, mono(sound)))
                        .filename());
    const std::string unknown = little_bytes(0, 8);
    if (format == SF_FORMAT_RF64) {
        const std::size_t large = bytes.find("ds64");
        REQUIRE(large == 12);
        bytes.replace(large + 16, 8, unknown);
    } else {
        bytes.replace(bytes.find("data") + 16, 8, unknown);
    }
    const Heard found = heard(folder.write("open", bytes));
    INFO(name << ": " << found.text());
    CHECK(found.sound == sound);
    REQUIRE(found.news.size() == 1);
    CHECK(has(found.news[0].text, "was never finished"));
}

TEST_CASE("an empty WAV, padding and other programs' chunks behind the sound are nothing unfinished") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(1'000, 18);
    const std::string wav = wav_of(sound, 36 + 2'000, 2'000);
    const auto quiet = [&](const std::string& bytes, std::size_t frames) {
        const Heard found = heard(folder.write("a.wav", bytes));
        CHECK(found.text() == "");
        CHECK(found.sound.size() == frames);
    };
    quiet(wav_of({}, 36, 0), 0);
    quiet(wav_of({}, 36 + 12, 0) + "LIST" + little_bytes(4, 4) + "INFO", 0);
    quiet(wav + std::string(4'096, '\0'), 1'000);
    quiet(wav + "TAG" + std::string(125, 'x'), 1'000);
    quiet(wav + "id3 " + little_bytes(200, 4) + std::string(200, 'x'), 1'000);
}

TEST_CASE("a BW64 is an RF64 of another name") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(20'000, 19);
    std::string large = folder.read(
        std::filesystem::path(write_as(folder.file("a"), SF_FORMAT_RF64 | SF_FORMAT_PCM_16, mono(sound)))
            .filename());
    large.replace(0, 4, "BW64");
    std::string small = wav_of(sound, 36 + 40'000, 40'000);
    small.replace(0, 4, "BW64");
    for (const std::string& bytes : {large, small}) {
        const Heard found = heard(folder.write("a.wav", bytes));
        CHECK(found.text() == "");
        CHECK(found.sound == sound);
    }
}

TEST_CASE("chunks behind the sound of an unfinished WAV are not played") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(30'000, 31);
    const std::string behind = GENERATE(std::string(), chunk("LIST", 4'000),
                                        chunk("LIST", 301) + chunk("id3 ", 2'000) + chunk("bext", 602),
                                        chunk("LIST", 4'000).substr(0, 4'008));
    for (const std::int64_t size : {std::int64_t{0}, std::int64_t{0xFFFF'FFFF}}) {
        const std::string told = size == 0 ? "says 0 s" : "doesn't say how long it is";
        is_whole(heard(folder.write("a.wav", wav_of(sound, size, size) + behind)), sound, told);
    }
    // The program that wrote the chunks has brought the outer size up to date.
    const std::string all = wav_of(sound, 36 + 60'000, 0) + behind;
    std::string updated = all;
    updated.replace(4, 4, little_bytes(static_cast<std::int64_t>(all.size()) - 8, 4));
    is_whole(heard(folder.write("a.wav", updated)), sound, "says 0 s");
}

TEST_CASE("a chunk before the sound of an unfinished WAV changes nothing") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(3'000, 32);
    std::string wav = wav_of(sound, 0, 0);
    wav.insert(36, chunk("LIST", 4'000));
    is_whole(heard(folder.write("a.wav", wav + chunk("LIST", 700))), sound, "says 0 s");
}

TEST_CASE("what looks like a chunk in the sound and leads nowhere is sound") {
    const TemporaryFolder folder;
    Channel sound = noise_of_16_bits(3'000, 33);
    std::string wav = wav_of(sound, 0, 0);
    wav.replace(44 + 2'000, 8, "LIST" + little_bytes(100, 4));
    const Heard found = heard(folder.write("a.wav", wav));
    CHECK(found.sound.size() == 3'000);
}

TEST_CASE("a RIFX is a WAV with its numbers the other way round") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(20'000, 34);
    const auto rifx = [&](std::int64_t riff, std::int64_t bytes) {
        return "RIFX" + big_bytes(riff, 4) + "WAVEfmt " + big_bytes(16, 4) + big_bytes(1, 2) +
               big_bytes(1, 2) + big_bytes(48'000, 4) + big_bytes(96'000, 4) + big_bytes(2, 2) +
               big_bytes(16, 2) + "data" + big_bytes(bytes, 4) + big_samples(sound);
    };
    is_whole(heard(folder.write("a.wav", rifx(36 + 40'000, 40'000))), sound, "");
    is_whole(heard(folder.write("a.wav", rifx(0, 0) + chunk("LIST", 300, ByteOrder::big))), sound,
             "says 0 s");
    const std::string whole = rifx(36 + 40'000, 40'000);
    const Heard cut = heard(folder.write("a.wav", whole.substr(0, whole.size() - 20'000)));
    CHECK(cut.sound.size() == 20'000);
    CHECK(has(cut.text(), "0.208 to 0.417 s can't be read (the file ends there)"));
}

TEST_CASE("an AIFF that was never finished is told and played to its real length") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(24'000, 35);
    struct Case {
        std::int64_t frames, chunk_bytes;
        const char* told;
    };
    const auto [frames, chunk_bytes, told] = GENERATE(
        Case{24'000, 48'008, ""}, Case{0, 0, "says 0 s"}, Case{0, 8, "says 0 s"}, Case{0, 48'008, "says 0 s"},
        Case{24'000, 0, "says 0 s"}, Case{0, 0xFFFF'FFFF, "doesn't say how long it is"},
        Case{0x7FFF'FFFF, 0x7FFF'FFFF, "doesn't say how long it is"});
    INFO(frames << " " << chunk_bytes);
    for (const std::string& behind :
         {std::string(), chunk("NAME", 12, ByteOrder::big) + chunk("(c) ", 301, ByteOrder::big)})
        is_whole(heard(folder.write("a.aif", aiff_of(sound, frames, chunk_bytes, behind))), sound, told);
}

TEST_CASE("an AIFF whose writer was killed after the last update is played to its real length") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(24'000, 36);
    std::string aiff = aiff_of(sound, 12'000, 24'008);
    aiff.replace(4, 4, big_bytes(46 + 24'000, 4));
    is_whole(heard(folder.write("a.aif", aiff)), sound, "ends before the sound does");
}

TEST_CASE("an empty AIFF is empty, and nothing is wrong with it") {
    const TemporaryFolder folder;
    for (const std::string& behind : {std::string(), chunk("NAME", 12, ByteOrder::big)})
        is_whole(heard(folder.write("a.aif", aiff_of({}, 0, 8, behind))), {}, "");
}

TEST_CASE("a CAF or an AU that was never finished is told; one that says so is as it should be") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(24'000, 37);
    is_whole(heard(folder.write("a.caf", caf_of(sound, 48'004))), sound, "");
    is_whole(heard(folder.write("a.caf", caf_of(sound, -1))), sound, "");
    is_whole(heard(folder.write("a.caf", caf_of(sound, 0))), sound, "says 0 s");
    is_whole(heard(folder.write("a.caf", caf_of(sound, 4))), sound, "says 0 s");
    is_whole(heard(folder.write("a.au", au_of(sound, 48'000))), sound, "");
    is_whole(heard(folder.write("a.au", au_of(sound, 0xFFFF'FFFF))), sound, "");
    is_whole(heard(folder.write("a.au", au_of(sound, 0))), sound, "says 0 s");
}

TEST_CASE("a header that promises hours where there are seconds is not believed, and that is told first") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(24'000, 38);
    const std::int64_t hours = 0x3FF0'0000;  // 3.1
    const auto refused = [&](const std::string& name, const std::string& bytes) {
        const std::string file = folder.write(name, bytes);
        CHECK(SoundReader(file).news().size() == 1);  // before anything is read
        const Heard found = heard(file);
        INFO(name << ": " << found.text());
        CHECK(found.sound == sound);
        CHECK(found.promised == 24'000);
        CHECK(found.lost_s > 10'000.);
        REQUIRE(found.news.size() == 1);
        CHECK(found.news[0].kind == SoundNews::Kind::lost);
        CHECK(has(found.news[0].text, ": 0.500 to 1"));
        CHECK(has(found.news[0].text, "can't be read (its header promises more); it ends at 0.500 s"));
    };
    refused("a.wav", wav_of(sound, hours + 36, hours));
    refused("a.aif", aiff_of(sound, hours / 2, hours + 8));
    refused("a.caf", caf_of(sound, hours + 4));
    refused("a.au", au_of(sound, hours));
    // A minute may be missing of anything, and ten times what is there.
    const Heard minute = heard(folder.write("a.wav", wav_of(sound, 96'000 * 60 + 36, 96'000 * 60)));
    CHECK(minute.sound.size() == 60 * 48'000);
    CHECK(has(minute.text(), "0.500 to 60.000 s can't be read (the file ends there); silence instead"));
}

TEST_CASE("a FLAC that promises hours and has seconds ends where its sound does") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(100'000, 39);
    write_as(folder.file("a.flac"), SF_FORMAT_FLAC | SF_FORMAT_PCM_16, mono(sound));
    std::string bytes = folder.read("a.flac");
    const std::int64_t before = number_at(bytes, 18, 8, ByteOrder::big) >> 36 << 36;
    const auto with_frames = [&](std::int64_t frames) {
        std::string changed = bytes;
        put_number(changed, 18, 8, before | frames, ByteOrder::big);
        return folder.write("b.flac", changed);
    };
    const Heard hours = heard(with_frames(std::int64_t{3} * 3'600 * 48'000));
    INFO(hours.text());
    CHECK(hours.sound == sound);
    REQUIRE(hours.news.size() == 1);
    CHECK(has(hours.news[0].text,
              "2.083 to 10800.000 s can't be read (the file ends there); it ends at 2.083 s"));
    const Heard streamed = heard(with_frames(0));  // as an encoder writes that can't go back
    CHECK(streamed.sound == sound);
    CHECK(streamed.news.empty());
}

}  // namespace gainstage::test::unfinished_sound_test
