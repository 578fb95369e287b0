#pragma once
/// Measurements of sounds. Levels are dB re full-scale amplitude 1 (a full-scale sine has an rms level of
/// -3.01 dB).

#include <complex>
#include <span>
#include <string>

#include "tests/support/signals.hpp"

namespace gainstage::test {

using Samples = std::span<const float>;

double rms(Samples);
double rms_db(Samples);
double peak(Samples);
double peak_db(Samples);
double mean(Samples);
/// 20 log10, floored at -300.
double to_db(double amplitude);

/// Frames from..to - 1 of one channel; -1: to the end.
Samples part(const Channel&, int from, int to = -1);

/// Amplitude and phase of the component at `hz`, by least squares of sine, cosine and a constant: exact for a
/// steady sine over any length longer than a period. The phase is that of a cosine at the first sample.
std::complex<double> component(Samples, double hz, double rate_hz);
/// Level of `out` relative to `in` at `hz`, in dB.
double gain_db_at(Samples in, Samples out, double hz, double rate_hz);

/// The parts of a steady tone. REQUIRES: `hz` has a whole number of periods in the samples
/// (whole_periods_hz).
struct Distortion {
    double fundamental_db = 0.;
    double harmonics_db = 0.;   ///< all harmonics below half the rate, re the fundamental (THD)
    double inharmonic_db = 0.;  ///< all but DC and these (aliases, noise), re the fundamental
};
Distortion distortion(Samples, double hz, double rate_hz);

/// Largest |x[k-1] - 2 x[k] + x[k+1]|: shows clicks on a smooth tone.
double max_second_difference(Samples);
/// Largest |a[k] - b[k]|.
double max_difference(Samples a, Samples b);

bool all_finite(const Sound&);
/// "" if both are equal bit for bit, else the first place where they differ.
std::string bit_difference(const Sound& a, const Sound& b);

}  // namespace gainstage::test
