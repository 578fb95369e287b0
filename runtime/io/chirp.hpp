#pragma once
/// A sound that is found again to a fraction of a sample, however soft it comes back.

#include <optional>
#include <vector>

namespace gainstage {

/// A sine that rises evenly from 200 Hz to 0.4 of the rate (18 kHz at most), 50 ms long, of amplitude 1, with
/// soft ends.
std::vector<float> make_chirp(double rate_hz);

struct FoundChirp {
    double at_samples = 0.;  ///< where it begins
    float amplitude = 0.f;   ///< of what came back, where 1 was sent
    bool inverted = false;   ///< with the other polarity
};

/// Nothing where no chirp sticks out of what was heard. The error is below 0.05 samples at 20 dB above noise
/// of full bandwidth. Takes the product of both lengths in multiplications: not for an audio thread.
///
/// A matched filter (G. L. Turin, "An introduction to matched filters", IRE Trans. IT-6, 1960), whose output
/// is interpolated around its peak.
std::optional<FoundChirp> find_chirp(const std::vector<float>& chirp, const std::vector<float>& heard);

}  // namespace gainstage
