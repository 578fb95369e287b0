#include "tests/support/signals.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

namespace gainstage::test {

namespace {

constexpr double two_pi = 2. * std::numbers::pi;

/// The standard fixes the numbers of mt19937 but not those of its distributions, so the scaling is done here.
class Noise {
public:
    explicit Noise(std::uint32_t seed) : engine_(seed) {}
    double next() { return static_cast<double>(engine_()) / 2147483647.5 - 1.; }

private:
    std::mt19937 engine_;
};

template <class F>
Channel made(int frames, F sample_at) {
    Channel out(static_cast<std::size_t>(frames));
    for (int k = 0; k < frames; ++k) out[k] = static_cast<float>(sample_at(k));
    return out;
}

}  // namespace

Channel silence(int frames) {
    return constant(frames, 0.f);
}

Channel constant(int frames, float value) {
    return Channel(static_cast<std::size_t>(frames), value);
}

Channel impulse(int frames, int at, float amplitude) {
    return made(frames, [&](int k) { return k == at ? amplitude : 0.f; });
}

Channel step(int frames, int at, float value) {
    return made(frames, [&](int k) { return k >= at ? value : 0.f; });
}

Channel sine(int frames, double hz, double rate_hz, double amplitude, double phase_rad) {
    return made(frames, [&](int k) { return amplitude * std::sin(two_pi * hz * k / rate_hz + phase_rad); });
}

Channel square(int frames, double hz, double rate_hz, float amplitude) {
    return made(frames,
                [&](int k) { return std::fmod(hz * k / rate_hz, 1.) < 0.5 ? amplitude : -amplitude; });
}

Channel white_noise(int frames, std::uint32_t seed, float amplitude) {
    Noise noise(seed);
    return made(frames, [&](int) { return amplitude * noise.next(); });
}

Channel pink_noise(int frames, std::uint32_t seed, float amplitude) {
    Noise noise(seed);
    double b0 = 0., b1 = 0., b2 = 0.;
    return made(frames, [&](int) {
        const double white = noise.next();
        b0 = 0.99765 * b0 + white * 0.0990460;
        b1 = 0.96300 * b1 + white * 0.2965164;
        b2 = 0.57000 * b2 + white * 1.0526913;
        return std::clamp(0.25 * (b0 + b1 + b2 + white * 0.1848), -1., 1.) * amplitude;
    });
}

Channel bursts(int frames, double hz, double rate_hz, double on_s, double off_s, double loud, double soft) {
    return made(frames, [&](int k) {
        const bool on = std::fmod(k / rate_hz, on_s + off_s) < on_s;
        return (on ? loud : soft) * std::sin(two_pi * hz * k / rate_hz);
    });
}

Channel sweep(int frames, double from_hz, double to_hz, double rate_hz, double amplitude) {
    const double octaves = std::log(to_hz / from_hz), seconds = frames / rate_hz;
    return made(frames, [&](int k) {
        const double phase =
            two_pi * from_hz * seconds / octaves * std::expm1(octaves * k / rate_hz / seconds);
        return amplitude * std::sin(phase);
    });
}

double whole_periods_hz(double hz, int frames, double rate_hz) {
    return std::max(1., std::round(hz * frames / rate_hz)) * rate_hz / frames;
}

Sound cut(const Sound& sound, int from, int to) {
    Sound out;
    for (const Channel& channel : sound)
        out.emplace_back(channel.begin() + from, to < 0 ? channel.end() : channel.begin() + to);
    return out;
}

Sound joined(const Sound& first, const Sound& then) {
    Sound out = first;
    for (std::size_t c = 0; c < out.size(); ++c) out[c].insert(out[c].end(), then[c].begin(), then[c].end());
    return out;
}

}  // namespace gainstage::test
