#include "runtime/io/chirp.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace gainstage {

namespace {

constexpr double pi = std::numbers::pi;

/// Eight sums, so that the compiler may take eight products at a time.
double product(const float* a, const float* b, std::size_t count) {
    float sums[8] = {};
    std::size_t k = 0;
    for (; k + 8 <= count; k += 8)
        for (std::size_t lane = 0; lane < 8; ++lane) sums[lane] += a[k + lane] * b[k + lane];
    double sum = 0.;
    for (const float part : sums) sum += part;
    for (; k < count; ++k) sum += double{a[k]} * b[k];
    return sum;
}

constexpr int reach = 24;

/// Between samples: a windowed sinc. REQUIRES: 0 <= at < size.
double between(const std::vector<double>& samples, double at) {
    const int middle = static_cast<int>(std::floor(at));
    double sum = 0.;
    for (int k = middle - reach + 1; k <= middle + reach; ++k) {
        if (k < 0 || k >= static_cast<int>(samples.size())) continue;
        const double x = at - k;
        const double sinc = x == 0. ? 1. : std::sin(pi * x) / (pi * x);
        const double window = std::cos(0.5 * pi * x / (reach + 1));
        sum += samples[static_cast<std::size_t>(k)] * sinc * window * window;
    }
    return sum;
}

/// The place of the largest magnitude within a sample of `peak`.
double refined(const std::vector<double>& samples, std::size_t peak) {
    constexpr int steps = 200;
    double best = static_cast<double>(peak), most = 0.;
    for (int k = 0; k <= steps; ++k) {
        const double at = static_cast<double>(peak) - 1. + 2. * k / steps;
        if (at < 0.) continue;
        if (const double magnitude = std::abs(between(samples, at)); magnitude > most)
            most = magnitude, best = at;
    }
    return best;
}

/// Far from the peak there is only noise, and what the chirp has in common with its own shoulders.
double level_beside(const std::vector<double>& samples, std::size_t peak, std::size_t near) {
    double sum = 0.;
    std::size_t count = 0;
    for (std::size_t k = 0; k < samples.size(); ++k) {
        if (k + near > peak && k < peak + near) continue;
        sum += samples[k] * samples[k];
        ++count;
    }
    return count > 0 ? std::sqrt(sum / static_cast<double>(count)) : 0.;
}

}  // namespace

std::vector<float> make_chirp(double rate_hz) {
    constexpr double seconds = 0.05, fade_s = 0.005, begin_hz = 200.;
    const double end_hz = std::min(18'000., 0.4 * rate_hz);
    std::vector<float> chirp(static_cast<std::size_t>(seconds * rate_hz));
    for (std::size_t k = 0; k < chirp.size(); ++k) {
        const double t = static_cast<double>(k) / rate_hz, left = seconds - t;
        const double fade = std::min({1., t / fade_s, left / fade_s});
        const double phase = 2. * pi * (begin_hz * t + 0.5 * (end_hz - begin_hz) / seconds * t * t);
        chirp[k] = static_cast<float>(std::sin(0.5 * pi * fade) * std::sin(phase));
    }
    return chirp;
}

std::optional<FoundChirp> find_chirp(const std::vector<float>& chirp, const std::vector<float>& heard) {
    constexpr double sticks_out = 12.;  // noise of a second reaches 5
    if (chirp.empty() || heard.size() < chirp.size()) return {};
    // Silence before: a chirp at the very beginning has neighbours on both sides, too.
    std::vector<float> padded(reach, 0.f);
    padded.insert(padded.end(), heard.begin(), heard.end());
    std::vector<double> match(padded.size() - chirp.size() + 1);
    for (std::size_t lag = 0; lag < match.size(); ++lag)
        match[lag] = product(chirp.data(), padded.data() + lag, chirp.size());
    const auto larger = [](double a, double b) { return std::abs(a) < std::abs(b); };
    const auto peak =
        static_cast<std::size_t>(std::max_element(match.begin(), match.end(), larger) - match.begin());
    const double beside = level_beside(match, peak, chirp.size() / 10);
    if (!(std::abs(match[peak]) > sticks_out * beside)) return {};
    const double at = refined(match, peak), found = between(match, at);
    const double whole = product(chirp.data(), chirp.data(), chirp.size());
    return FoundChirp{.at_samples = at - reach,
                      .amplitude = static_cast<float>(std::abs(found) / whole),
                      .inverted = found < 0.};
}

}  // namespace gainstage
