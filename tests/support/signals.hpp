#pragma once
/// Test sounds. They have the same samples on every machine and with every compiler.

#include <cstdint>
#include <vector>

namespace gainstage::test {

using Channel = std::vector<float>;  ///< samples, full scale 1
using Sound = std::vector<Channel>;  ///< [channel][frame], all of one length

Channel silence(int frames);
Channel constant(int frames, float value);
/// One sample of `amplitude` at frame `at`.
Channel impulse(int frames, int at = 0, float amplitude = 1.f);
/// 0 before frame `at`, `value` from there on.
Channel step(int frames, int at = 0, float value = 1.f);
Channel sine(int frames, double hz, double rate_hz, double amplitude = 1., double phase_rad = 0.);
/// Naive (aliasing) square wave, exactly +-amplitude.
Channel square(int frames, double hz, double rate_hz, float amplitude = 1.f);
/// Uniform in +-amplitude.
Channel white_noise(int frames, std::uint32_t seed, float amplitude = 1.f);
/// -3 dB per octave (Paul Kellet's filter over white noise), within +-amplitude.
Channel pink_noise(int frames, std::uint32_t seed, float amplitude = 1.f);
/// A sine that is `loud` for `on_s`, then `soft` for `off_s`, over and over.
Channel bursts(int frames, double hz, double rate_hz, double on_s, double off_s, double loud = 1.,
               double soft = 0.);
/// A sine that climbs from `from_hz` to `to_hz`, the same time for every octave.
Channel sweep(int frames, double from_hz, double to_hz, double rate_hz, double amplitude = 1.);

/// The frequency nearest to `hz` with a whole number of periods in `frames`, which distortion() in
/// measure.hpp needs.
double whole_periods_hz(double hz, int frames, double rate_hz);

inline Sound mono(Channel only) {
    return {std::move(only)};
}
inline Sound stereo(Channel left, Channel right) {
    return {std::move(left), std::move(right)};
}
/// Frames from..to - 1 of every channel; `to` = -1: to the end.
Sound cut(const Sound&, int from, int to = -1);
Sound joined(const Sound& first, const Sound& then);

}  // namespace gainstage::test
