#pragma once
/// The static curve of a compressor: Giannoulis, Massberg & Reiss, "Digital dynamic range compressor design",
/// JAES 60(6), 2012, eq. 4.

namespace gainstage {

struct GainComputer {
    float threshold_db = 0.f;
    float slope = 0.f;    ///< 1 - 1 / ratio: dB of reduction per dB above the threshold
    float knee_db = 0.f;  ///< full width of the parabola around the threshold; 0: a corner

    /// Reduction (>= 0) of a steady level: x_G - y_G of the paper.
    float reduction_db(float level_db) const noexcept {
        const float over = level_db - threshold_db;
        if (2.f * over <= -knee_db) return 0.f;
        if (2.f * over >= knee_db) return slope * over;
        const float into_knee = over + 0.5f * knee_db;
        return slope * into_knee * into_knee / (2.f * knee_db);
    }
};

}  // namespace gainstage
