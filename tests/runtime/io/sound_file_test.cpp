#include "runtime/io/sound_file.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <functional>
#include <limits>

#include "tests/support/catch.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/temporary_folder.hpp"

namespace gainstage::test::sound_file_test {

namespace {

std::vector<const float*> pointers(const Sound& sound) {
    std::vector<const float*> channels;
    for (const Channel& channel : sound) channels.push_back(channel.data());
    return channels;
}

void write_wav(const std::string& file, const Sound& sound, int rate_hz = 48'000) {
    SoundWriter writer(file, static_cast<int>(sound.size()), rate_hz);
    writer.write(pointers(sound).data(), static_cast<int>(sound[0].size()));
    writer.finish();
}

struct Refused {
    int exit_code = 0;
    std::string text;
};
Refused refusal_of(const std::string& file) {
    try {
        read_sound_file(file);
    } catch (const SoundFileError& error) {
        return {error.exit_code, error.what()};
    }
    return {};
}
std::string write_error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const WriteError& error) {
        return error.what();
    }
    return "no error";
}
bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

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
    CHECK(refusal_of(folder.path().string()).exit_code == 65);
    for (const std::string& content : {std::string(), std::string("RIFF"), std::string(5'000, '\0'),
                                       std::string("format = 1\nname = \"a patch\"\n")}) {
        const Refused refused = refusal_of(folder.write("wrong.wav", content));
        INFO(refused.text);
        CHECK(refused.exit_code == 65);
        CHECK(has(refused.text, "wrong.wav: not a sound file that can be read"));
    }
    const std::string pipe = folder.file("pipe");
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(refusal_of(pipe).exit_code == 65);  // and it does not wait
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
              "none/a.wav: cannot be written: No such file or directory"));
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
    const pid_t child = fork();  // a file size limit holds for the life of a process
    if (child == 0) {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{100'000, 100'000};
        setrlimit(RLIMIT_FSIZE, &limit);
        const std::string error = write_error_of([&] { write_wav(file, mono(white_noise(100'000, 9))); });
        _exit(has(error, "take.wav: cannot be written: File too large") ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CHECK(status == 0);
    CHECK(folder.read("take.wav") == "old");
    CHECK(folder.size() == 1);
}

}  // namespace gainstage::test::sound_file_test
