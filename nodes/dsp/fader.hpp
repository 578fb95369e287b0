#pragma once
/// A level knob in decibels, applied to one channel. While the knob moves, the level is a straight line in
/// decibels, as on a fader.

#include "nodes/dsp/decibel.hpp"
#include "nodes/dsp/knobs.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// Has no state that affects the sound: any two faders give the same output.
class Fader {
public:
    static constexpr float silent_db = -120.f;  ///< at this level and below: silence

    static float factor(float db) noexcept GAINSTAGE_REALTIME {
        return db <= silent_db ? 0.f : db_to_gain(db);
    }

    /// out[k] = in[k] * factor at stream sample time + k
    void scale(const Ramp& db, std::uint64_t time, const float* GAINSTAGE_RESTRICT in,
               float* GAINSTAGE_RESTRICT out, int frames) noexcept {
        if (db.moving(time)) [[unlikely]]
            return ride(db, time, frames, [=](int k, float f) { out[k] = in[k] * f; });
        const float f = resting_.of(db.to, factor);
        for (int k = 0; k < frames; ++k) out[k] = in[k] * f;
    }
    /// out[k] += in[k] * factor
    void add(const Ramp& db, std::uint64_t time, const float* GAINSTAGE_RESTRICT in,
             float* GAINSTAGE_RESTRICT out, int frames) noexcept {
        if (db.moving(time)) [[unlikely]]
            return ride(db, time, frames, [=](int k, float f) { out[k] += in[k] * f; });
        const float f = resting_.of(db.to, factor);
        for (int k = 0; k < frames; ++k) out[k] += in[k] * f;
    }

private:
    template <class Use>
    GAINSTAGE_NOINLINE static void ride(const Ramp& db, std::uint64_t time, int frames, Use use) noexcept {
        for (int k = 0; k < frames; ++k) use(k, factor(db.at(time + static_cast<std::uint64_t>(k))));
    }

    Mapped<float> resting_;
};

}  // namespace gainstage
