/// What can't be read of a sound file is told. Sounds of 16 bits, so that every format holds them exactly.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/heard_sound.hpp"
#include "tests/support/sound_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::damaged_sound_test {

namespace {

const int flac = SF_FORMAT_FLAC | SF_FORMAT_PCM_16;

}  // namespace

TEST_CASE("a WAV that was cut short keeps its promised length, and the missing time is told") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(48'000, 11);
    const std::string whole = wav_of(sound, 36 + 96'000, 96'000);
    CHECK(heard(folder.write("whole.wav", whole)).news.empty());
    const Heard cut = heard(folder.write("cut.wav", whole.substr(0, 44 + 24'000)));
    CHECK(cut.promised == 48'000);
    REQUIRE(cut.sound.size() == 48'000);
    CHECK(std::equal(cut.sound.begin(), cut.sound.begin() + 12'000, sound.begin()));
    CHECK(std::all_of(cut.sound.begin() + 12'000, cut.sound.end(), [](float x) { return x == 0.f; }));
    REQUIRE(cut.news.size() == 1);
    CHECK(cut.news[0].kind == SoundNews::Kind::lost);
    CHECK(cut.news[0].text ==
          folder.file("cut.wav") + ": 0.250 to 1.000 s can't be read (the file ends there); silence instead");
    CHECK(cut.lost_s == Approx(0.75));
}

TEST_CASE("every format that says its length says what is missing of it") {
    const TemporaryFolder folder;
    const Sound sound = stereo(noise_of_16_bits(40'000, 12), noise_of_16_bits(40'000, 13));
    const auto [name, format] = GENERATE(std::pair{"wav", SF_FORMAT_WAV}, std::pair{"rf64", SF_FORMAT_RF64},
                                         std::pair{"w64", SF_FORMAT_W64}, std::pair{"aiff", SF_FORMAT_AIFF},
                                         std::pair{"caf", SF_FORMAT_CAF}, std::pair{"flac", SF_FORMAT_FLAC});
    const std::string file = write_as(folder.file(name), format | SF_FORMAT_PCM_16, sound);
    INFO(name);
    const Heard whole = heard(file);
    CHECK(whole.text() == "");
    CHECK(whole.sound == sound[0]);
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
    const Heard half = heard(file);
    INFO(half.text());
    CHECK(half.promised == 40'000);
    REQUIRE(half.sound.size() == 40'000);
    REQUIRE(half.news.size() == 1);
    CHECK(has(half.news[0].text, " to 0.833 s can't be read (the file ends there)"));
    CHECK(half.lost_s > 0.3);
    CHECK(half.lost_s < 0.55);
    CHECK(differing(half.sound, sound[0]).first >= 40'000 - std::lround(half.lost_s * 48'000));
}

TEST_CASE("damage in the middle of a FLAC is silence for that time, and what follows keeps its place") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(480'000, 14);
    const std::string good =
        folder.read(std::filesystem::path(write_as(folder.file("a.flac"), flac, mono(sound))).filename());
    const auto kind = GENERATE(0, 1, 2);
    std::string bad = good;
    const std::size_t middle = good.size() / 2;
    if (kind == 0) bad[middle] = static_cast<char>(bad[middle] ^ 0x55);
    if (kind == 1) bad.replace(middle, 5'000, std::string(5'000, '\0'));
    if (kind == 2) bad.erase(middle, 50'000);
    const Heard found = heard(folder.write("bad.flac", bad));
    INFO(kind << ": " << found.text());
    REQUIRE(found.news.size() == 1);
    CHECK(found.news[0].kind == SoundNews::Kind::lost);
    CHECK(has(found.news[0].text, "(the file is damaged there); silence instead"));
    REQUIRE(found.sound.size() == sound.size());
    const auto [first, last] = differing(found.sound, sound);
    CHECK(first >= 230'000);
    CHECK(last < (kind == 2 ? 280'000 : 255'000));
    CHECK(found.lost_s == Approx((last + 1 - first) / 48'000.).margin(0.001));
}

TEST_CASE("a file that goes away while it is read is no shorter file") {
    const TemporaryFolder folder;
    const std::string file = folder.write("a.wav", wav_of(noise_of_16_bits(48'000, 15), 36 + 96'000, 96'000));
    SoundReader reader(file);
    Channel sound(48'000);
    float* channel = sound.data();
    REQUIRE(reader.read(&channel, 10'000) == 10'000);
    std::filesystem::resize_file(file, 100);  // as a stick that is pulled out
    channel += 10'000;
    const int got = reader.read_as_promised(&channel, 38'000);
    CHECK(got == 38'000);
    REQUIRE(reader.news().size() == 1);
    CHECK(has(reader.news()[0].text, " to 1.000 s can't be read (the file ends there)"));
    CHECK(has(refusal_of("/proc/self/mem").text, "not a sound file that can be read: Input/output error"));
}

TEST_CASE("sound from a pipe is read whole, however slowly it comes") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(100'000, 20);
    const std::string file = write_as(folder.file("a.flac"), flac, mono(sound));
    const std::string bytes = folder.read("a.flac");
    const std::string pipe = folder.file("pipe");
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    for (const bool is_late : {false, true}) {
        std::thread writer([&] {
            if (is_late) std::this_thread::sleep_for(std::chrono::milliseconds(300));
            const int fd = open(pipe.c_str(), O_WRONLY);
            for (std::size_t at = 0; at < bytes.size(); at += 30'000) {
                const std::string part = bytes.substr(at, 30'000);
                if (write(fd, part.data(), part.size()) != static_cast<ssize_t>(part.size())) break;
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
            }
            close(fd);
        });
        const Heard found = heard(pipe);
        writer.join();
        CHECK(found.text() == "");
        CHECK(found.sound == sound);
    }
}

TEST_CASE("what only has the name of a sound file is named") {
    const TemporaryFolder folder;
    const auto named = [&](const std::string& bytes, const std::string& part) {
        const Refused refused = refusal_of(folder.write("a.wav", bytes));
        INFO(refused.text);
        CHECK(refused.exit_code == 65);
        CHECK(has(refused.text, "a.wav: not a sound file that can be read: " + part));
    };
    named("<!DOCTYPE html>\n<html><body>Not the file you wanted</body></html>",
          "a web page, not the file itself");
    named("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 96044\n", "a Git LFS pointer");
    named(std::string("\0\5\x16\7\0\2\0\0Mac OS X        ", 24), "a macOS companion file");
    named("PK\3\4           ", "a ZIP archive");
    named(std::string("\0\0\0\x20", 4) + "ftypM4A         ", "an MP4 file");
    named("MThd            ", "a MIDI file; give it as --midi");
    named("{\"error\": \"not found\"}", "JSON text, such as a server's answer");
    named("[\n {\"a\": 1}]", "JSON text");
    named("\x89PNG\r\n\x1a\n           ", "a picture (PNG)");
    named("\xff\xd8\xff\xe0           ", "a picture (JPEG)");
    named("", "the file is empty");
    std::string mp3 = wav_of(Channel(200), 36 + 400, 400);
    mp3.replace(20, 2, little_bytes(0x55, 2));
    named(mp3, "MP3 in a WAV file; convert it: ffmpeg");
    // libsndfile's own reason elsewhere, and nobody's errno.
    errno = ENOENT;
    CHECK_FALSE(has(refusal_of(folder.write("a.wav", std::string(5'000, 'x'))).text, "No such file"));
    CHECK(has(refusal_of(folder.path().string()).text, "a folder; expected a sound file"));
    CHECK(has(refusal_of("/dev/zero").text, "a device"));
}

TEST_CASE("integers in floats are told once, as what they are") {
    const TemporaryFolder folder;
    const auto told = [&](Channel sound) {
        write_wav(folder.file("a.wav"), mono(std::move(sound)));
        std::string all;
        for (const SoundNews& news : heard(folder.file("a.wav")).news)
            if (news.kind == SoundNews::Kind::no_sound) all += news.text;
        return all;
    };
    Channel scaled = sine(20'000, 440., 48'000., 16'384.);
    CHECK(has(told(scaled), "holds integers as floating-point numbers: samples up to 16384 (+84 dBFS)"));
    CHECK(has(told(scaled), "Divide them by 32768 (16 bits): sox FILE NEW.wav vol 3.0517578e-05"));
    Channel whole = silence(5'000);  // a pause first
    for (const float x : sine(20'000, 440., 48'000., 100.)) whole.push_back(std::round(x));
    CHECK(has(told(whole), "samples up to 100 (+40 dBFS)"));
    Channel of_24_bits = sine(20'000, 440., 48'000., 2'000.);
    for (const float x : sine(20'000, 440., 48'000., 4e6)) of_24_bits.push_back(std::round(x));
    CHECK(has(told(of_24_bits), "Divide them by 8388608 (24 bits)"));
    CHECK(told(sine(20'000, 440., 48'000., 30.)) == "");  // loud, but nobody's integer
    Channel square = sine(20'000, 440., 48'000.);
    for (float& x : square) x = x > 0.f ? 1.f : -1.f;
    CHECK(told(square) == "");
}

TEST_CASE("samples that are no numbers are counted, with the time of the first") {
    const TemporaryFolder folder;
    Channel sound = sine(48'000, 440., 48'000.);
    sound[24'000] = std::nanf("");
    sound[30'000] = std::numeric_limits<float>::infinity();
    write_wav(folder.file("a.wav"), mono(sound));
    const Heard found = heard(folder.file("a.wav"));
    REQUIRE(found.news.size() == 1);
    CHECK(has(found.news[0].text, "a.wav: 2 samples are no numbers (NaN or infinite), the first at 0.500 s"));
}

TEST_CASE("numbers that no sound has are told in one sentence, as what they are") {
    const TemporaryFolder folder;
    write_wav(folder.file("a.wav"), mono(sine(24'000, 440., 48'000., 1e38)));
    const Heard all = heard(folder.file("a.wav"));
    REQUIRE(all.news.size() == 1);
    CHECK(all.news[0].kind == SoundNews::Kind::no_sound);
    CHECK(has(all.news[0].text, "a.wav: holds numbers up to +760 dBFS, which are no sound"));
    Channel sound = sine(48'000, 440., 48'000.);
    sound[24'000] = 1e38f;
    write_wav(folder.file("a.wav"), mono(sound));
    const Heard one = heard(folder.file("a.wav"));
    CHECK(one.sound == sound);  // the reader changes nothing
    REQUIRE(one.news.size() == 1);
    CHECK(one.news[0].kind == SoundNews::Kind::bad_samples);
    CHECK(
        has(one.news[0].text, "1 samples are louder than any sound (up to +760 dBFS), the first at 0.500 s"));
}

TEST_CASE("a name of any bytes is a name") {
    const TemporaryFolder folder;
    const Sound sound = mono(noise_of_16_bits(100, 21));
    const std::string file = folder.file("caf\xe9 \xff\xfe.wav");
    write_wav(file, sound);
    CHECK(read_sound_file(file).channels == sound);
}

}  // namespace gainstage::test::damaged_sound_test
