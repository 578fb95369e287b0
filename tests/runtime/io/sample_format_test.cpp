#include "runtime/io/sample_format.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "tests/support/catch.hpp"

namespace gainstage::test::sample_format_test {

namespace {

struct Integers {
    SampleFormat format;
    int bits;
    double lsb() const { return std::ldexp(1., 1 - bits); }
};
constexpr std::array<Integers, 4> integers{Integers{SampleFormat::s32, 32}, Integers{SampleFormat::s24, 24},
                                           Integers{SampleFormat::s24_packed, 24},
                                           Integers{SampleFormat::s16, 16}};

/// Through the format and back, with other samples between.
std::vector<float> there_and_back(SampleFormat format, const std::vector<float>& sound, int channels = 3) {
    const int step = channels * bytes_of(format), frames = static_cast<int>(sound.size());
    std::vector<std::byte> card(sound.size() * step, std::byte{0x55});
    encode(format, sound.data(), card.data() + bytes_of(format), step, frames);
    for (int k = 0; k < frames; ++k)  // the neighbours are as they were
        for (int b = 0; b < step; ++b)
            if (b < bytes_of(format) || b >= 2 * bytes_of(format))
                REQUIRE(card[k * step + b] == std::byte{0x55});
    std::vector<float> back(sound.size());
    decode(format, card.data() + bytes_of(format), step, back.data(), frames);
    return back;
}

std::vector<float> noise(int frames, float peak = 1.f) {
    std::mt19937 generator(7);
    std::uniform_real_distribution<float> sample(-peak, peak);
    std::vector<float> sound(frames);
    for (float& one : sound) one = sample(generator);
    return sound;
}

float decoded(SampleFormat format, std::initializer_list<int> bytes) {
    std::vector<std::byte> card;
    for (const int one : bytes) card.push_back(static_cast<std::byte>(one));
    float sample = 0.f;
    decode(format, card.data(), bytes_of(format), &sample, 1);
    return sample;
}

}  // namespace

TEST_CASE("a card's floats pass as they are, to the bit") {
    std::vector<float> sound = noise(1'000, 4.f);
    sound.push_back(-0.f);
    sound.push_back(std::numeric_limits<float>::denorm_min());
    const std::vector<float> back = there_and_back(SampleFormat::f32, sound);
    for (std::size_t k = 0; k < sound.size(); ++k)
        CHECK(std::bit_cast<std::uint32_t>(back[k]) == std::bit_cast<std::uint32_t>(sound[k]));
}

TEST_CASE("a card's integers are within half a step of the sound, and clip at full scale") {
    for (const Integers& one : integers) {
        INFO(one.bits << " bits in " << bytes_of(one.format) << " bytes");
        const std::vector<float> sound = noise(10'000);
        const std::vector<float> back = there_and_back(one.format, sound);
        double worst = 0.;
        for (std::size_t k = 0; k < sound.size(); ++k)
            worst = std::max(worst, std::abs(double{back[k]} - double{sound[k]}));
        CHECK(worst <= 0.5 * one.lsb() + 1e-8);  // to float again: 2^-25 of full scale
        CHECK(there_and_back(one.format, back) == back);

        const float nan = std::numeric_limits<float>::quiet_NaN(),
                    inf = std::numeric_limits<float>::infinity();
        const std::vector<float> loud =
            there_and_back(one.format, {1.f, -1.f, 3.f, -3.f, inf, -inf, nan, 0.f});
        const auto top = static_cast<float>(1. - one.lsb());
        CHECK(loud == std::vector<float>{top, -1.f, top, -1.f, top, -1.f, 0.f, 0.f});
    }
}

TEST_CASE("every value of 16 bits, and those of 24 around each power of two, come back as they were") {
    const auto stays = [](SampleFormat format, std::int32_t value, int bits) {
        const auto sample = static_cast<float>(std::ldexp(double(value), 1 - bits));
        return there_and_back(format, {sample}, 3).front() == sample;
    };
    for (std::int32_t value = -32'768; value < 32'768; ++value) REQUIRE(stays(SampleFormat::s16, value, 16));
    for (const SampleFormat format : {SampleFormat::s24, SampleFormat::s24_packed})
        for (int bit = 0; bit < 23; ++bit)
            for (int near = -2; near <= 2; ++near)
                for (const int sign : {-1, 1}) REQUIRE(stays(format, sign * ((1 << bit) + near), 24));
}

TEST_CASE("the upper byte of 24 bits in 32 means nothing, and three bytes begin with the lowest") {
    if constexpr (std::endian::native == std::endian::little) {
        CHECK(decoded(SampleFormat::s24, {0, 0, 0x40, 0}) == 0.5f);
        CHECK(decoded(SampleFormat::s24, {0, 0, 0x40, 0xa7}) == 0.5f);
        CHECK(decoded(SampleFormat::s24, {0, 0, 0xc0, 0x13}) == -0.5f);
        CHECK(decoded(SampleFormat::s24, {1, 0, 0, 0xff}) == std::ldexp(1.f, -23));
    }
    CHECK(decoded(SampleFormat::s24_packed, {0, 0, 0x40}) == 0.5f);
    CHECK(decoded(SampleFormat::s24_packed, {1, 0, 0x80}) == std::ldexp(1.f, -23) - 1.f);
    CHECK(bytes_of(SampleFormat::s24_packed) == 3);
    CHECK(bytes_of(SampleFormat::s16) == 2);
}

}  // namespace gainstage::test::sample_format_test
