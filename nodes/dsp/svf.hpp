#pragma once
/// The trapezoidal state-variable filter of A. Simper, "Solving the continuous SVF equations using
/// trapezoidal integration and equivalent currents", Cytomic 2013. Chosen over a biquad because its two
/// states are the charges of two capacitors, which stay valid while the coefficients move: the cutoff may
/// change at every sample. In double precision, so that 10 Hz at 192 kHz is as exact as 1 kHz.

#include "runtime/nonblocking.hpp"

namespace gainstage {

enum class SvfMode { lowpass, highpass, bandpass, notch, lowshelf, highshelf, bell };

/// Letters as in the paper.
struct SvfCoefficients {
    double a1 = 1., a2 = 0., a3 = 0.;  ///< how the states move
    double m0 = 1., m1 = 0., m2 = 0.;  ///< how the output is mixed from input, band and low
};

/// `cutoff_hz` is limited to 0.49 of the rate. The cutoff frequency is exact (pre-warped). gain_db lifts the
/// shelf or the bell; in the other modes it lifts the whole output. At the cutoff, lowpass and highpass have
/// a gain of q, shelves have half of gain_db, bandpass and bell have all of it.
SvfCoefficients svf_coefficients(SvfMode, double cutoff_hz, double q, double gain_db,
                                 double sample_rate_hz) noexcept GAINSTAGE_REALTIME;

/// One channel's state.
class Svf {
public:
    double tick(const SvfCoefficients& c, double v0) noexcept {
        const double v3 = v0 - ic2eq_;
        const double v1 = c.a1 * ic1eq_ + c.a2 * v3;
        const double v2 = ic2eq_ + c.a2 * ic1eq_ + c.a3 * v3;
        ic1eq_ = 2. * v1 - ic1eq_;
        ic2eq_ = 2. * v2 - ic2eq_;
        return c.m0 * v0 + c.m1 * v1 + c.m2 * v2;
    }

private:
    double ic1eq_ = 0., ic2eq_ = 0.;
};

}  // namespace gainstage
