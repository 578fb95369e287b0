#include "runtime/io/sample_format.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace gainstage {

namespace {

template <class Word>
Word word_at(const std::byte* from) noexcept {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
}
template <class Word>
void put_word(Word word, std::byte* to) noexcept {
    std::memcpy(to, &word, sizeof word);
}

/// Adding and subtracting it rounds a double to a whole number: it leaves no bits behind the point.
constexpr double rounding = 0x1.8p52;

template <int bits>
constexpr double scale = static_cast<double>(std::int64_t{1} << (bits - 1));

template <int bits>
std::int32_t nearest(float sample) noexcept {
    const double wanted = sample == sample ? double{sample} * scale<bits> : 0.;
    const double bounded = std::clamp(wanted, -scale<bits>, scale<bits> - 1.);
    return static_cast<std::int32_t>((bounded + rounding) - rounding);
}
template <int bits>
float to_float(std::int32_t sample) noexcept {
    return static_cast<float>(sample / scale<bits>);
}
/// From the lower 24 bits.
float from_24(std::uint32_t word) noexcept {
    return to_float<24>(std::bit_cast<std::int32_t>(word << 8) >> 8);
}

// One sample of each format.
struct F32 {
    static float read(const std::byte* from) noexcept { return word_at<float>(from); }
    static void write(float sample, std::byte* to) noexcept { put_word(sample, to); }
};
struct S32 {
    static float read(const std::byte* from) noexcept { return to_float<32>(word_at<std::int32_t>(from)); }
    static void write(float sample, std::byte* to) noexcept { put_word(nearest<32>(sample), to); }
};
struct S24 {
    static float read(const std::byte* from) noexcept { return from_24(word_at<std::uint32_t>(from)); }
    static void write(float sample, std::byte* to) noexcept { put_word(nearest<24>(sample), to); }
};
struct S24Packed {
    static float read(const std::byte* from) noexcept {
        return from_24(std::to_integer<std::uint32_t>(from[0]) |
                       std::to_integer<std::uint32_t>(from[1]) << 8 |
                       std::to_integer<std::uint32_t>(from[2]) << 16);
    }
    static void write(float sample, std::byte* to) noexcept {
        const auto word = std::bit_cast<std::uint32_t>(nearest<24>(sample));
        for (int k = 0; k < 3; ++k) to[k] = static_cast<std::byte>(word >> 8 * k & 0xff);
    }
};
struct S16 {
    static float read(const std::byte* from) noexcept { return to_float<16>(word_at<std::int16_t>(from)); }
    static void write(float sample, std::byte* to) noexcept {
        put_word(static_cast<std::int16_t>(nearest<16>(sample)), to);
    }
};

/// Calls `work` with the format's type.
template <class Work>
void in_format(SampleFormat format, Work work) noexcept {
    switch (format) {
        case SampleFormat::f32:
            return work(F32());
        case SampleFormat::s32:
            return work(S32());
        case SampleFormat::s24:
            return work(S24());
        case SampleFormat::s24_packed:
            return work(S24Packed());
        case SampleFormat::s16:
            return work(S16());
    }
}

}  // namespace

int bytes_of(SampleFormat format) noexcept {
    switch (format) {
        case SampleFormat::s24_packed:
            return 3;
        case SampleFormat::s16:
            return 2;
        default:
            return 4;
    }
}

void decode(SampleFormat format, const std::byte* from, int step, float* to,
            int frames) noexcept GAINSTAGE_REALTIME {
    in_format(format, [=]<class Format>(Format) noexcept {
        for (std::ptrdiff_t k = 0; k < frames; ++k) to[k] = Format::read(from + k * step);
    });
}

void encode(SampleFormat format, const float* from, std::byte* to, int step,
            int frames) noexcept GAINSTAGE_REALTIME {
    in_format(format, [=]<class Format>(Format) noexcept {
        for (std::ptrdiff_t k = 0; k < frames; ++k) Format::write(from[k], to + k * step);
    });
}

}  // namespace gainstage
