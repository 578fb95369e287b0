#pragma once
/// Sound files that something is wrong with, and what the reader makes of them. Sounds of 16 bits, so that
/// every format holds them exactly.

#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "runtime/io/byte_order.hpp"
#include "runtime/io/sound_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test {

inline Channel noise_of_16_bits(int frames, unsigned seed) {
    Channel sound = white_noise(frames, seed);
    for (float& x : sound) x = std::round(x * 8'192.f) / 32'768.f;
    return sound;
}

inline std::string write_as(const std::string& file, int format, const Sound& sound, int rate_hz = 48'000) {
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

inline std::string little_bytes(std::int64_t value, int count) {
    return bytes_of(value, count, ByteOrder::little);
}

/// A WAV of 16 bits and one channel whose header says what a test wants.
inline std::string wav_of(const Channel& sound, std::int64_t riff_bytes, std::int64_t sound_bytes) {
    std::string samples;
    for (const float x : sound)
        samples += little_bytes(static_cast<std::uint16_t>(std::lround(x * 32'768.f)), 2);
    return "RIFF" + little_bytes(riff_bytes, 4) + "WAVEfmt " + little_bytes(16, 4) + little_bytes(1, 2) +
           little_bytes(1, 2) + little_bytes(48'000, 4) + little_bytes(96'000, 4) + little_bytes(2, 2) +
           little_bytes(16, 2) + "data" + little_bytes(sound_bytes, 4) + samples;
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

inline Heard heard(const std::string& file, int block = 1'000) {
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
inline std::pair<int, int> differing(const Channel& a, const Channel& b) {
    std::pair<int, int> edges{-1, -1};
    for (std::size_t k = 0; k < std::min(a.size(), b.size()); ++k)
        if (a[k] != b[k]) edges = {edges.first < 0 ? static_cast<int>(k) : edges.first, static_cast<int>(k)};
    return edges;
}

}  // namespace gainstage::test
