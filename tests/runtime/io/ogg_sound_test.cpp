/// Ogg files that lack pages, and chains of them.

#include <sndfile.h>

#include <cmath>

#include "runtime/io/ogg_pages.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/heard_sound.hpp"
#include "tests/support/sound_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::ogg_sound_test {

namespace {

constexpr int vorbis = SF_FORMAT_OGG | SF_FORMAT_VORBIS, opus = SF_FORMAT_OGG | SF_FORMAT_OPUS;

std::string ogg_of(const TemporaryFolder& folder, int format, const Channel& sound, int rate_hz = 48'000) {
    write_as(folder.file("made.ogg"), format, mono(sound), rate_hz);
    return folder.read("made.ogg");
}

/// Without the page in the middle.
std::string without_a_page(const std::string& bytes) {
    const std::size_t middle = bytes.find("OggS", bytes.size() / 2), after = bytes.find("OggS", middle + 4);
    return bytes.substr(0, middle) + bytes.substr(after);
}

/// As if its writer was killed.
std::string without_its_end(const std::string& bytes) {
    return bytes.substr(0, bytes.find("OggS", bytes.size() / 2));
}

}  // namespace

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

TEST_CASE("an Opus that lacks a page tells it, and what follows keeps its time") {
    const TemporaryFolder folder;
    const int rate_hz = GENERATE(48'000, 16'000);
    const Channel sound = noise_of_16_bits(10 * rate_hz, 23);
    const std::string bytes = ogg_of(folder, opus, sound, rate_hz);
    const Heard whole = heard(folder.file("made.ogg"));
    CHECK(whole.text() == "");
    REQUIRE(whole.sound.size() == sound.size());
    const Heard found = heard(folder.write("bad.ogg", without_a_page(bytes)));
    INFO(rate_hz << ": " << found.text());
    REQUIRE(found.news.size() == 1);
    CHECK(has(found.news[0].text, "can't be read (the file is damaged there); silence instead"));
    REQUIRE(found.sound.size() == sound.size());
    CHECK(found.lost_s > 0.01);
    CHECK(found.lost_s < 4.);
    const auto close = [&](std::size_t k) { return std::abs(found.sound[k] - whole.sound[k]) < 0.02f; };
    for (std::size_t k = 0; k < static_cast<std::size_t>(rate_hz); ++k)
        REQUIRE((close(k) && close(sound.size() - 1 - k)));
    const Heard cut = heard(folder.write("cut.ogg", without_its_end(bytes)));
    REQUIRE(cut.news.size() == 1);
    CHECK(has(cut.news[0].text, "because its last pages are missing"));
}

TEST_CASE("of a chain of Ogg streams the first is played, and the time of the others is told") {
    const TemporaryFolder folder;
    const Channel sound = noise_of_16_bits(96'000, 24), other = noise_of_16_bits(48'000, 25);
    const int format = GENERATE(vorbis, opus);
    const std::string first = ogg_of(folder, format, sound), middle = ogg_of(folder, format, other);
    const Heard alone = heard(folder.write("first.ogg", first));
    const Heard found = heard(folder.write("chain.ogg", first + middle + first));
    INFO(found.text());
    REQUIRE(found.sound.size() == 96'000 + 48'000 + 96'000);
    CHECK(std::equal(alone.sound.begin(), alone.sound.end(), found.sound.begin()));
    CHECK(std::all_of(found.sound.begin() + 96'000, found.sound.end(), [](float x) { return x == 0.f; }));
    CHECK(found.lost_s == Approx(3.));
    REQUIRE(found.news.size() == 1);
    CHECK(found.news[0].kind == SoundNews::Kind::lost);
    CHECK(has(found.news[0].text,
              ": 2.000 to 5.000 s can't be read (a chain of 3 Ogg streams, of which the "
              "first is read; convert it: ffmpeg"));
    // A link in the middle that was cut is as long as its pages say.
    const Heard cut = heard(folder.write("chain.ogg", first + without_its_end(middle) + first));
    INFO(cut.text());
    REQUIRE(cut.news.size() == 1);
    CHECK(cut.sound.size() > 96'000 + 96'000);
    CHECK(cut.sound.size() < 96'000 + 48'000 + 96'000);
}

TEST_CASE("the clock of FLAC in Ogg is read") {
    // The mapping's first packet: signature, version, two header packets, "fLaC", STREAMINFO.
    const std::string info =
        std::string(10, '\0') + bytes_of(44'100 << 4, 3, ByteOrder::big) + std::string(21, '\0');
    const std::string packet =
        "\x7f"
        "FLAC" +
        std::string("\1\0\0\2", 4) + "fLaC" + std::string("\0\0\0\x22", 4) + info;
    const OggPages clock = ogg_clock(packet);
    CHECK(clock.ticks_per_second == 44'100);
    CHECK(clock.ticks_before == 0);
}

}  // namespace gainstage::test::ogg_sound_test
