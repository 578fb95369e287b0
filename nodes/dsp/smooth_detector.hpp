#pragma once
/// Attack and release of a compressor, working on decibels of reduction: the smooth peak detectors of
/// Giannoulis, Massberg & Reiss, JAES 60(6), 2012. In double precision: 5 s of release at 192 kHz is 1 - 1e-6
/// per sample.

#include <algorithm>

namespace gainstage {

enum class DetectorKind {
    decoupled,  ///< eq. 17: a peak hold that leaks with the release time, then the attack; a release takes
                ///< both times
    branching,  ///< eq. 16: one pole, attack while rising, release while falling
};

class SmoothDetector {
public:
    /// `attack` and `release`: share of the distance that is left after one sample.
    double tick(DetectorKind kind, double reduction_db, double attack, double release) noexcept {
        if (kind == DetectorKind::branching) {
            const double remaining = reduction_db > smooth_ ? attack : release;
            smooth_ = remaining * smooth_ + (1. - remaining) * reduction_db;
        } else {
            held_ = std::max(reduction_db, release * held_ + (1. - release) * reduction_db);
            smooth_ = attack * smooth_ + (1. - attack) * held_;
        }
        return smooth_;
    }

private:
    double held_ = 0., smooth_ = 0.;
};

}  // namespace gainstage
