#include "tests/support/measure.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace gainstage::test {

namespace {

double energy(Samples samples) {
    double sum = 0.;
    for (const float x : samples) sum += double{x} * x;
    return sum;
}

/// Solves the 3 x 3 system `m x = b` by Gauss elimination with pivoting.
std::array<double, 3> solve(std::array<std::array<double, 4>, 3> m) {
    for (std::size_t i = 0; i < 3; ++i) {
        std::size_t pivot = i;
        for (std::size_t r = i + 1; r < 3; ++r)
            if (std::abs(m[r][i]) > std::abs(m[pivot][i])) pivot = r;
        std::swap(m[i], m[pivot]);
        for (std::size_t r = 0; r < 3; ++r) {
            if (r == i || m[i][i] == 0.) continue;
            const double factor = m[r][i] / m[i][i];
            for (std::size_t c = i; c < 4; ++c) m[r][c] -= factor * m[i][c];
        }
    }
    return {m[0][3] / m[0][0], m[1][3] / m[1][1], m[2][3] / m[2][2]};
}

/// Amplitude of one DFT bin.
double bin(Samples samples, double hz, double rate_hz) {
    std::complex<double> sum = 0.;
    const double step = 2. * std::numbers::pi * hz / rate_hz;
    for (std::size_t k = 0; k < samples.size(); ++k)
        sum += double{samples[k]} * std::polar(1., -step * static_cast<double>(k));
    return 2. * std::abs(sum) / static_cast<double>(samples.size());
}

}  // namespace

double to_db(double amplitude) {
    return amplitude > 1e-15 ? 20. * std::log10(amplitude) : -300.;
}

double rms(Samples samples) {
    return std::sqrt(energy(samples) / static_cast<double>(samples.size()));
}
double rms_db(Samples samples) {
    return to_db(rms(samples));
}

double peak(Samples samples) {
    double largest = 0.;
    for (const float x : samples) largest = std::max(largest, std::abs(double{x}));
    return largest;
}
double peak_db(Samples samples) {
    return to_db(peak(samples));
}

double mean(Samples samples) {
    double sum = 0.;
    for (const float x : samples) sum += x;
    return sum / static_cast<double>(samples.size());
}

Samples part(const Channel& channel, int from, int to) {
    const auto all = Samples(channel);
    return to < 0 ? all.subspan(static_cast<std::size_t>(from))
                  : all.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
}

std::complex<double> component(Samples samples, double hz, double rate_hz) {
    std::array<std::array<double, 4>, 3> normal{};
    const double step = 2. * std::numbers::pi * hz / rate_hz;
    for (std::size_t k = 0; k < samples.size(); ++k) {
        const double angle = step * static_cast<double>(k);
        const std::array<double, 4> row{std::cos(angle), std::sin(angle), 1., samples[k]};
        for (std::size_t i = 0; i < 3; ++i)
            for (std::size_t j = 0; j < 4; ++j) normal[i][j] += row[i] * row[j];
    }
    const auto [cosine, sine, constant] = solve(normal);
    return {cosine, -sine};
}

double gain_db_at(Samples in, Samples out, double hz, double rate_hz) {
    return to_db(std::abs(component(out, hz, rate_hz)) / std::abs(component(in, hz, rate_hz)));
}

Distortion distortion(Samples samples, double hz, double rate_hz) {
    const double constant = mean(samples), fundamental = bin(samples, hz, rate_hz);
    double harmonics = 0.;  // sum of squared amplitudes
    for (int n = 2; n * hz < rate_hz / 2.; ++n) {
        const double amplitude = bin(samples, n * hz, rate_hz);
        harmonics += amplitude * amplitude;
    }
    const double total = 2. * (energy(samples) / static_cast<double>(samples.size()) - constant * constant);
    const double rest = std::max(0., total - fundamental * fundamental - harmonics);
    return {.fundamental_db = to_db(fundamental),
            .harmonics_db = to_db(std::sqrt(harmonics) / fundamental),
            .inharmonic_db = to_db(std::sqrt(rest) / fundamental)};
}

double max_second_difference(Samples x) {
    double largest = 0.;
    for (std::size_t k = 1; k + 1 < x.size(); ++k)
        largest = std::max(largest, std::abs(double{x[k - 1]} - 2. * double{x[k]} + double{x[k + 1]}));
    return largest;
}

double max_difference(Samples a, Samples b) {
    double largest = 0.;
    for (std::size_t k = 0; k < std::min(a.size(), b.size()); ++k)
        largest = std::max(largest, std::abs(double{a[k]} - double{b[k]}));
    return largest;
}

bool all_finite(const Sound& sound) {
    return std::all_of(sound.begin(), sound.end(), [](const Channel& channel) {
        return std::all_of(channel.begin(), channel.end(), [](float x) { return std::isfinite(x); });
    });
}

std::string bit_difference(const Sound& a, const Sound& b) {
    if (a.size() != b.size())
        return std::to_string(a.size()) + " channels against " + std::to_string(b.size());
    for (std::size_t c = 0; c < a.size(); ++c) {
        if (a[c].size() != b[c].size())
            return std::to_string(a[c].size()) + " frames against " + std::to_string(b[c].size());
        for (std::size_t k = 0; k < a[c].size(); ++k)
            if (std::bit_cast<std::uint32_t>(a[c][k]) != std::bit_cast<std::uint32_t>(b[c][k]))
                return "channel " + std::to_string(c) + ", frame " + std::to_string(k) + ": " +
                       std::to_string(a[c][k]) + " against " + std::to_string(b[c][k]);
    }
    return {};
}

}  // namespace gainstage::test
