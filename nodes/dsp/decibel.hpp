#pragma once
/// Levels in decibels and back: 20 log10(amplitude).

#include <cmath>

#include "runtime/nonblocking.hpp"

namespace gainstage {

inline float db_to_gain(float db) noexcept GAINSTAGE_REALTIME {
    return std::exp2(db * 0.16609640474436813f);  // log2(10) / 20
}
/// Level of an amplitude, never below `floor_db`.
inline float gain_to_db(float gain, float floor_db = -144.f) noexcept {
    const float db = 6.020599913279624f * std::log2(gain > 0.f ? gain : 1e-30f);  // 20 log10(2)
    return db > floor_db ? db : floor_db;
}

}  // namespace gainstage
