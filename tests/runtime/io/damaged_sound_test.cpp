/// What can't be read of a sound file is told. Sounds of 16 bits, so that every format holds them exactly.

#include <fcntl.h>
#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/sound_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::damaged_sound_test {

namespace {

Channel noise_of_16_bits(int frames, unsigned seed) {
    Channel sound = white_noise(frames, seed);
    for (float& x : sound) x = std::round(x * 8'192.f) / 32'768.f;
    return sound;
}

std::string write_as(const std::string& file, int format, const Sound& sound, int rate_hz = 48'000) {
    SF_INFO info{};
    info.channels = static_cast<int>(sound.size());
    info.samplerate = rate_hz;
    info.format = format;
    SNDFILE* out = sf_open(file.c_str(), SFM_WRITE, &info);
    REQUIRE(out);
    std::vector<float> interleaved;
    for (std::size_t k = 0; k < sound[0].size(); ++k)
        for (const Channel& channel : sound) interleaved.push_back(channel[k]);
    REQUIRE(sf_writef_float(out, interleaved.data(), static_cast<sf_count_t>(sound[0].size())) ==
            static_cast<sf_count_t>(sound[0].size()));
    REQUIRE(sf_close(out) == 0);
    return file;
}

std::string little(std::uint64_t value, int bytes) {
    std::string text;
    for (int k = 0; k < bytes; ++k) text += static_cast<char>(value >> (8 * k));
    return text;
}

/// A WAV of 16 bits and one channel whose header says what a test wants.
std::string wav_of(const Channel& sound, std::uint64_t riff_bytes, std::uint64_t sound_bytes) {
    std::string samples;
    for (const float x : sound) samples += little(static_cast<std::uint16_t>(std::lround(x * 32'768.f)), 2);
    return "RIFF" + little(riff_bytes, 4) + "WAVEfmt " + little(16, 4) + little(1, 2) + little(1, 2) +
           little(48'000, 4) + little(96'000, 4) + little(2, 2) + little(16, 2) + "data" +
           little(sound_bytes, 4) + samples;
}

struct Heard {
    Channel sound;  ///< of the first channel, as long as the header promised
    std::vector<SoundNews> news;
    std::int64_t promised = 0;
    double lost_s = 0.;
    std::string text() const {
        std::string all;
        for (const SoundNews& one : news) all += one.text + "\n";
        return all;
    }
};

Heard heard(const std::string& file, int block = 1'000) {
    SoundReader reader(file);
    Heard all{.sound = {}, .news = {}, .promised = reader.format().frames};
    Sound piece(reader.format().channels, Channel(block));
    std::vector<float*> channels;
    for (Channel& channel : piece) channels.push_back(channel.data());
    for (int got = block; got == block;) {
        got = reader.read_as_promised(channels.data(), block);
        all.sound.insert(all.sound.end(), piece[0].begin(), piece[0].begin() + got);
    }
    all.news = reader.news();
    all.lost_s = reader.lost_seconds();
    return all;
}

/// The first and the last sample that differ; {-1, -1}: none.
std::pair<int, int> differing(const Channel& a, const Channel& b) {
    std::pair<int, int> edges{-1, -1};
    for (std::size_t k = 0; k < std::min(a.size(), b.size()); ++k)
        if (a[k] != b[k]) edges = {edges.first < 0 ? static_cast<int>(k) : edges.first, static_cast<int>(k)};
    return edges;
}

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

TEST_CASE("an Ogg file that lacks pages tells them, and what follows keeps its time") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(480'000, 22);
    const std::string bytes = folder.read(
        std::filesystem::path(write_as(folder.file("a.ogg"), SF_FORMAT_OGG | SF_FORMAT_VORBIS, mono(sound)))
            .filename());
    const Heard whole = heard(folder.file("a.ogg"));
    CHECK(whole.text() == "");
    REQUIRE(whole.sound.size() == sound.size());
    const std::size_t middle = bytes.find("OggS", bytes.size() / 2), after = bytes.find("OggS", middle + 4);
    std::string changed = bytes;
    changed[middle + 100] = static_cast<char>(changed[middle + 100] ^ 0x55);
    for (const std::string& bad : {bytes.substr(0, middle) + bytes.substr(after), changed}) {
        const Heard found = heard(folder.write("bad.ogg", bad));
        INFO(found.text());
        REQUIRE(found.news.size() == 1);
        CHECK(has(found.news[0].text, "can't be read (the file is damaged there); silence instead"));
        REQUIRE(found.sound.size() == sound.size());
        const auto close = [&](std::size_t k) { return std::abs(found.sound[k] - whole.sound[k]) < 0.01f; };
        for (std::size_t k = 0; k < 48'000; ++k) REQUIRE((close(k) && close(sound.size() - 1 - k)));
        CHECK(found.lost_s > 0.01);
        CHECK(found.lost_s < 4.);
    }
    const Heard cut = heard(folder.write("cut.ogg", bytes.substr(0, middle)));
    REQUIRE(cut.news.size() == 1);
    CHECK(cut.news[0].kind == SoundNews::Kind::lost);
    CHECK(has(cut.news[0].text, "because its last pages are missing: the file was cut short"));
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

TEST_CASE("a header that was never finished is told, and what follows it is played to its real length") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(20'000, 16);
    struct Case {
        std::uint64_t riff_bytes, sound_bytes;
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
    const std::string unknown = little(0, 8);
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
    quiet(wav_of({}, 36 + 12, 0) + "LIST" + little(4, 4) + "INFO", 0);
    quiet(wav + std::string(4'096, '\0'), 1'000);
    quiet(wav + "TAG" + std::string(125, 'x'), 1'000);
    quiet(wav + "id3 " + little(200, 4) + std::string(200, 'x'), 1'000);
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
    named("", "the file is empty");
    std::string mp3 = wav_of(Channel(200), 36 + 400, 400);
    mp3.replace(20, 2, little(0x55, 2));
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
            if (news.kind == SoundNews::Kind::integers) all += news.text;
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

TEST_CASE("a name of any bytes is a name") {
    const TemporaryFolder folder;
    const Sound sound = mono(noise_of_16_bits(100, 21));
    const std::string file = folder.file("caf\xe9 \xff\xfe.wav");
    write_wav(file, sound);
    CHECK(read_sound_file(file).channels == sound);
}

}  // namespace gainstage::test::damaged_sound_test
