#include "runtime/io/sound_inputs.hpp"

#include <stdexcept>

#include "tests/support/catch.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/sound_files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace gainstage::test::sound_inputs_test {

namespace {

std::string refusal(const std::vector<SoundInput>& inputs) {
    try {
        SoundInputs{inputs};
    } catch (const SoundFileError& error) {
        CHECK(error.exit_code == 65);
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("files play side by side, each in its channel; the longest gives the length") {
    const TemporaryFolder folder;
    const Sound voice{white_noise(700, 1)}, guitar{white_noise(1'000, 2)};
    write_wav(folder.file("voice.wav"), voice);
    write_wav(folder.file("guitar.wav"), guitar);
    SoundInputs inputs({{folder.file("voice.wav"), 1}, {folder.file("guitar.wav"), 3}});
    REQUIRE(inputs.format().channels == 3);
    CHECK(inputs.format().frames == 1'000);
    Sound heard(3);
    std::vector<float> block(3 * 64);
    float* channels[] = {block.data(), block.data() + 64, block.data() + 128};
    for (int got = 64; got == 64;) {
        got = inputs.read_as_promised(channels, 64);
        for (int c = 0; c < 3; ++c) heard[c].insert(heard[c].end(), channels[c], channels[c] + got);
    }
    REQUIRE(heard[0].size() == 1'000);
    CHECK(Channel(heard[0].begin(), heard[0].begin() + 700) == voice[0]);
    CHECK(Channel(heard[0].begin() + 700, heard[0].end()) == silence(300));
    CHECK(heard[1] == silence(1'000));
    CHECK(heard[2] == guitar[0]);
    CHECK(inputs.news().empty());
}

TEST_CASE("files that can't play together are refused with the reason") {
    const TemporaryFolder folder;
    write_wav(folder.file("a.wav"), {white_noise(100, 1)});
    write_wav(folder.file("stereo.wav"), {white_noise(100, 1), white_noise(100, 1)});
    write_wav(folder.file("slow.wav"), {white_noise(100, 1)}, 44'100);
    const std::string a = folder.file("a.wav"), stereo = folder.file("stereo.wav");
    CHECK(refusal({{a, 1}, {folder.file("slow.wav"), 2}}).find("has 44100 Hz, but " + a + " has 48000 Hz") !=
          std::string::npos);
    CHECK(refusal({{stereo, 2}, {a, 2}}).find(a + ": channel 2 is that of " + stereo + " already") == 0);
    CHECK(refusal({{a, 1}, {stereo, 2}}).empty());
    CHECK(refusal({{stereo, 64}}).find("reaches beyond channel 64") != std::string::npos);
}

TEST_CASE("a stereo file leaves the next player's channel alone, and says so") {
    const TemporaryFolder folder;
    const Sound voice{white_noise(100, 1), white_noise(100, 7)}, guitar{white_noise(100, 8)};
    write_wav(folder.file("voice.wav"), voice);
    write_wav(folder.file("guitar.wav"), guitar);
    SoundInputs inputs({{folder.file("guitar.wav"), 2}, {folder.file("voice.wav"), 1}});
    CHECK(inputs.format().channels == 2);
    Sound heard(2, Channel(100));
    float* channels[] = {heard[0].data(), heard[1].data()};
    CHECK(inputs.read_as_promised(channels, 100) == 100);
    CHECK(heard[0] == voice[0]);
    CHECK(heard[1] == guitar[0]);
    REQUIRE(inputs.news().size() == 1);
    CHECK(inputs.news()[0].text.find("voice.wav: only the first 1 of its 2 channels are heard") !=
          std::string::npos);
}

TEST_CASE("an input is written as CHANNEL=FILE") {
    CHECK(parse_sound_input("2=a=b.wav").first_channel == 2);
    CHECK(parse_sound_input("2=a=b.wav").file == "a=b.wav");
    for (const char* wrong :
         {"", "a.wav", "=a.wav", "0=a.wav", "65=a.wav", "1=", "x=a.wav", "-1=a.wav", "999=a"})
        CHECK_THROWS_AS(parse_sound_input(wrong), std::invalid_argument);
}

}  // namespace gainstage::test::sound_inputs_test
