#include "runtime/io/sound_file.hpp"

#include <sys/stat.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>

#include "tests/support/catch.hpp"
#include "tests/support/full_disk.hpp"
#include "tests/support/sound_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::sound_file_test {

TEST_CASE("a float WAV holds every sample exactly, even beyond full scale and not finite") {
    const TemporaryFolder folder;
    Sound sound = stereo(white_noise(10'001, 1), sine(10'001, 440., 48'000., 3.));
    sound[0][5] = std::numeric_limits<float>::infinity();
    sound[1][7] = 1e-42f;
    write_wav(folder.file("a.wav"), sound, 44'100);
    const SoundData read = read_sound_file(folder.file("a.wav"));
    CHECK(read.rate_hz == 44'100);
    CHECK(read.channels == sound);
}

TEST_CASE("the same samples give the same bytes, written in any pieces") {
    const TemporaryFolder folder;
    const Sound sound = mono(white_noise(9'000, 2));
    write_wav(folder.file("whole.wav"), sound);
    SoundWriter writer(folder.file("pieces.wav"), 1, 48'000);
    for (int at = 0, size = 1; at < 9'000; at += size, size = std::min(size * 3, 9'000 - at)) {
        const float* piece = sound[0].data() + at;
        writer.write(&piece, size);
    }
    writer.finish();
    CHECK(folder.read("whole.wav") == folder.read("pieces.wav"));
}

TEST_CASE("a long file is read in pieces of any size, and knows its length") {
    const TemporaryFolder folder;
    const Sound sound = stereo(white_noise(20'000, 3), white_noise(20'000, 4));
    write_wav(folder.file("long.wav"), sound);
    SoundReader reader(folder.file("long.wav"));
    CHECK(reader.format().channels == 2);
    CHECK(reader.format().frames == 20'000);
    Sound read = stereo(silence(20'000), silence(20'000));
    int done = 0;
    for (const int size : {1, 4095, 4096, 4097, 9'000}) {
        float* channels[] = {read[0].data() + done, read[1].data() + done};
        const int got = reader.read(channels, size);
        CHECK(got == std::min(size, 20'000 - done));
        done += got;
    }
    CHECK(done == 20'000);
    CHECK(read == sound);
}

TEST_CASE("a file that is missing, a folder, not sound, or cut off is one clear error") {
    const TemporaryFolder folder;
    CHECK(refusal_of(folder.file("none.wav")).exit_code == 66);
    CHECK(has(refusal_of(folder.file("none.wav")).text, "none.wav: there is no such file"));
    CHECK(refusal_of(folder.path().string()).exit_code == 66);
    for (const std::string& content :
         {std::string(), std::string("abc"), std::string("RIFF"), std::string(5'000, '\0'),
          std::string("format = 1\nname = \"a patch\"\n")}) {
        const Refused refused = refusal_of(folder.write("wrong.wav", content));
        INFO(refused.text);
        CHECK(refused.exit_code == 65);
        CHECK(has(refused.text, "wrong.wav: not a sound file that can be read"));
    }
    const std::string pipe = folder.file("pipe");
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(refusal_of(pipe).exit_code == 66);  // and it does not wait for ever
    CHECK(has(refusal_of(pipe).text, "a pipe that nobody writes to"));
}

TEST_CASE("a WAV file that ends too early gives the samples it has") {
    const TemporaryFolder folder;
    const Sound sound = mono(white_noise(5'000, 5));
    write_wav(folder.file("whole.wav"), sound);
    const std::string bytes = folder.read("whole.wav");
    const SoundData read =
        read_sound_file(folder.write("cut.wav", bytes.substr(0, bytes.size() - 4 * 1'000)));
    REQUIRE(read.channels[0].size() == 4'000);
    CHECK(std::equal(read.channels[0].begin(), read.channels[0].end(), sound[0].begin()));
}

TEST_CASE("a header with a wrong length, channel count or rate never yields more than the file holds") {
    const TemporaryFolder folder;
    write_wav(folder.file("good.wav"), mono(white_noise(100, 6)));
    const std::string good = folder.read("good.wav");
    const auto with = [&](std::size_t at, std::uint32_t value, std::size_t bytes) {
        std::string bad = good;
        std::memcpy(bad.data() + at, &value, bytes);
        return folder.write("bad.wav", bad);
    };
    const std::size_t data_size = good.find("data") + 4;
    const SoundData read = read_sound_file(with(data_size, 0xFFFF'FFF0, 4));
    CHECK(read.channels[0].size() == 100);
    CHECK(refusal_of(with(22, 60'000, 2)).exit_code == 65);  // channels
    CHECK(refusal_of(with(24, 0, 4)).exit_code == 65);       // rate
    CHECK(refusal_of(with(24, 2'000'000'000, 4)).exit_code == 65);
}

TEST_CASE("an earlier file stays whole until the new one is, and stays if the new one fails") {
    const TemporaryFolder folder;
    const std::string file = folder.write("take.wav", "the take of a lifetime");
    REQUIRE(chmod(file.c_str(), 0640) == 0);
    const Sound sound = mono(white_noise(50'000, 7));
    {
        SoundWriter writer(file, 1, 48'000);
        writer.write(pointers(sound).data(), 50'000);
        CHECK(folder.read("take.wav") == "the take of a lifetime");
        // not finished
    }
    CHECK(folder.read("take.wav") == "the take of a lifetime");
    CHECK(folder.size() == 1);
    write_wav(file, sound);
    CHECK(read_sound_file(file).channels == sound);
    CHECK(folder.size() == 1);
    struct stat after {};
    REQUIRE(stat(file.c_str(), &after) == 0);
    CHECK((after.st_mode & 0777) == 0640);
}

TEST_CASE("a link to a file stays a link, and its target is replaced") {
    const TemporaryFolder folder;
    folder.write("real.wav", "old");
    std::filesystem::create_symlink("real.wav", folder.path() / "link.wav");
    write_wav(folder.file("link.wav"), mono(silence(10)));
    CHECK(std::filesystem::is_symlink(folder.path() / "link.wav"));
    CHECK(read_sound_file(folder.file("real.wav")).channels[0].size() == 10);
}

TEST_CASE("a place where nothing can be written is one clear error") {
    const TemporaryFolder folder;
    CHECK(has(write_error_of([&] { write_wav(folder.file("none/a.wav"), mono(silence(1))); }),
              "none/a.wav: cannot be written: there is no folder " + folder.file("none")));
    CHECK(
        has(write_error_of([&] { write_wav(folder.path().string(), mono(silence(1))); }), "it is a folder"));
    CHECK(has(write_error_of([] { write_wav("/dev/full", mono(white_noise(100'000, 8))); }),
              "/dev/full: cannot be written: No space left on device"));
    write_wav("/dev/null", mono(silence(100)));  // it is still a
    CHECK(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("a disk that fills up while writing keeps the earlier file and no rubbish") {
    const TemporaryFolder folder;
    const std::string file = folder.write("take.wav", "old");
    const std::string error = [&] {
        const FullDisk disk(100'000);
        return write_error_of([&] { write_wav(file, mono(white_noise(100'000, 9))); });
    }();
    CHECK(has(error, "take.wav: cannot be written: File too large"));
    CHECK(folder.read("take.wav") == "old");
    CHECK(folder.size() == 1);
}

TEST_CASE("a name that ends in .flac is written as FLAC of 24 bits, to the bit each time") {
    const TemporaryFolder folder;
    Sound sound = stereo(white_noise(10'000, 10), sine(10'000, 440., 44'100.));
    for (const char* name : {"a.flac", "b.FLAC"}) write_wav(folder.file(name), sound, 44'100);
    CHECK(folder.read("a.flac").substr(0, 4) == "fLaC");
    CHECK(folder.read("a.flac") == folder.read("b.FLAC"));
    const SoundData read = read_sound_file(folder.file("a.flac"));
    CHECK(read.rate_hz == 44'100);
    REQUIRE(read.channels[0].size() == 10'000);
    float farthest = 0.f;
    for (std::size_t c = 0; c < 2; ++c)
        for (std::size_t k = 0; k < 10'000; ++k)
            farthest = std::max(farthest, std::abs(read.channels[c][k] - sound[c][k]));
    CHECK(farthest <= 1.f / (1 << 23));
}

TEST_CASE("samples that FLAC can't hold are cut off at full scale and counted") {
    const TemporaryFolder folder;
    const Sound sound = mono({0.5f, 1.5f, -1.f, -3.f, std::numeric_limits<float>::quiet_NaN(), 1.f, 0.25f});
    SoundWriter writer(folder.file("a.flac"), 1, 48'000);
    writer.write(pointers(sound).data(), 7);
    writer.finish();
    CHECK(writer.cut_off() == 4);  // a full positive scale is one step above the highest number
    constexpr float most = 1.f - 1.f / (1 << 23);
    CHECK(read_sound_file(folder.file("a.flac")).channels[0] ==
          Channel{0.5f, most, -1.f, -1.f, 0.f, most, 0.25f});
}

TEST_CASE("names of formats that can't be written are refused before anything is made") {
    const TemporaryFolder folder;
    for (const char* name : {"a.mp3", "a.ogg", "a.AIFF", "a.w64"})
        CHECK(has(write_error_of([&] { write_wav(folder.file(name), mono(silence(1))); }),
                  "files of this format can't be written; name it .wav or .flac"));
    CHECK(folder.size() == 0);
}

namespace {

constexpr SoundWriter::Manner a_recording{
    .file = {.growth = FileManner::Growth::visible, .may_replace = false}, .frames = SoundWriter::any_length};

}  // namespace

TEST_CASE("a recording can be read at every moment, and is a WAV in the end") {
    const TemporaryFolder folder;
    const Sound sound = stereo(white_noise(9'000, 11), white_noise(9'000, 12));
    SoundWriter writer(folder.file("take.wav"), 2, 48'000, a_recording);
    for (int from = 0; from < 9'000; from += 3'000) {
        const float* piece[] = {sound[0].data() + from, sound[1].data() + from};
        writer.write(piece, 3'000);
        writer.update();
        CHECK(writer.sync());
        const Sound so_far = read_sound_file(folder.file("take.unfinished.wav")).channels;
        REQUIRE(so_far[0].size() == static_cast<std::size_t>(from) + 3'000);
        CHECK(std::equal(so_far[1].begin(), so_far[1].end(), sound[1].begin()));
    }
    writer.finish();
    CHECK(folder.read("take.wav").substr(0, 4) == "RIFF");
    CHECK(read_sound_file(folder.file("take.wav")).channels == sound);
    CHECK(
        has(write_error_of([&] { SoundWriter("a.flac", 1, 48'000, a_recording); }), "a recording is a WAV"));
}

TEST_CASE("the same recording gives the same bytes, with any updates in between") {
    const TemporaryFolder folder;
    const Sound sound = mono(white_noise(9'000, 13));
    for (const int updates : {0, 7}) {
        SoundWriter writer(folder.file("take" + std::to_string(updates) + ".wav"), 1, 48'000, a_recording);
        for (int from = 0; from < 9'000; from += 1'000) {
            const float* piece = sound[0].data() + from;
            writer.write(&piece, 1'000);
            if (updates) writer.update();
        }
        writer.finish();
    }
    CHECK(folder.read("take0.wav") == folder.read("take7.wav"));
    const std::string bytes = folder.read("take0.wav");
    if (const std::size_t peak = bytes.find("PEAK"); peak != bytes.npos)
        CHECK(bytes.substr(peak + 12, 4) == std::string(4, '\0'));  // where the time of writing was
}

TEST_CASE("what fits into a WAV is the same file whether its length was known or not asked for") {
    const TemporaryFolder folder;
    const Sound sound = mono(white_noise(1'000, 14));
    write_wav(folder.file("a.wav"), sound);
    SoundWriter writer(folder.file("b.wav"), 1, 48'000, {.file = {}, .frames = 1'000});
    writer.write(pointers(sound).data(), 1'000);
    writer.finish();
    CHECK(folder.read("a.wav") == folder.read("b.wav"));
    CHECK(has(write_error_of([&] {
                  SoundWriter(folder.file("c.wav"), 64, 48'000,
                              {.file = {}, .frames = std::int64_t{1} << 48});
              }),
              "c.wav: cannot be written: it needs "));
    CHECK(folder.size() == 2);
}

// 4.3 GB of disk and some seconds: `test_io "[large]"`.
TEST_CASE("a recording goes on beyond 4 GiB as RF64, and so does a render whose length is known",
          "[.large]") {
    const TemporaryFolder folder;
    constexpr int channels = 16, piece = 48'000;
    constexpr std::int64_t frames = (std::int64_t{1} << 32) / 4 / channels + 3 * piece;
    const Channel noise = white_noise(piece, 15);
    const std::vector<const float*> from(channels, noise.data());
    SoundWriter::Manner manner = a_recording;
    SECTION("a recording") {}
    SECTION("a render") {
        manner = {.file = {}, .frames = frames};
    }
    SoundWriter writer(folder.file("long.wav"), channels, 48'000, manner);
    std::int64_t written = 0;
    for (; written < frames; written += piece) {
        writer.write(from.data(), piece);
        if (written % (100 * piece) == 0) writer.update();
    }
    writer.finish();
    SoundReader reader(folder.file("long.wav"));
    CHECK(reader.format().frames == written);
    std::FILE* const file = std::fopen(folder.file("long.wav").c_str(), "rb");
    char mark[4] = {};
    CHECK(std::fread(mark, 1, 4, file) == 4);
    std::fclose(file);
    CHECK(std::string(mark, 4) == "RF64");
}

}  // namespace gainstage::test::sound_file_test
