#pragma once
/// A level knob in decibels over a stretch of one channel: straight in decibels while it moves, as a fader.

#include "nodes/kernels/decibel.hpp"
#include "runtime/param.hpp"

namespace gainstage {

/// Keeps the factor that the knob last rested at: a cache, not state (any two faders give the same sound).
class Fader {
public:
    static constexpr float silent_db = -120.f;  ///< this and below is silence

    static float factor(float db) noexcept { return db <= silent_db ? 0.f : db_to_gain(db); }

    /// out[k] = in[k] * factor at stream sample time + k
    void scale(const Ramp& db, std::uint64_t time, const float* in, float* out, int frames) noexcept {
        each(db, time, frames, [=](int k, float f) { out[k] = in[k] * f; });
    }
    /// out[k] += in[k] * factor
    void add(const Ramp& db, std::uint64_t time, const float* in, float* out, int frames) noexcept {
        each(db, time, frames, [=](int k, float f) { out[k] += in[k] * f; });
    }

private:
    template <class Use>
    void each(const Ramp& db, std::uint64_t time, int frames, Use use) noexcept {
        if (db.moving(time)) {
            for (int k = 0; k < frames; ++k) use(k, factor(db.at(time + k)));
        } else {
            const float f = resting(db.to);
            for (int k = 0; k < frames; ++k) use(k, f);
        }
    }

    float resting(float db) noexcept {
        if (db != resting_db_) {
            resting_db_ = db;
            factor_ = factor(db);
        }
        return factor_;
    }

    float resting_db_ = 0.f, factor_ = 1.f;
};

}  // namespace gainstage
