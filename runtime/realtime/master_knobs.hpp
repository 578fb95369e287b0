#pragma once
/// The knobs of the whole stream: `master.gain_db`, `master.mute`, `master.bypass`.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "runtime/param.hpp"

namespace gainstage {

/// A number of an Event (its `param`), and an index into master_specs().
enum class MasterKnob : std::int32_t { gain_db, mute, bypass };
inline constexpr int master_knob_count = 3;

/// The master comes after the guards of the outputs and only turns down, so nothing that a guard lets pass
/// gets louder. mute and bypass are 0 or 1. Any thread but the audio thread.
std::span<const ParamSpec> master_specs();

/// Where they are going.
struct MasterKnobs {
    float gain_db = 0.f, mute = 0.f, bypass = 0.f;

    float operator[](MasterKnob knob) const noexcept {
        return knob == MasterKnob::gain_db ? gain_db : knob == MasterKnob::mute ? mute : bypass;
    }
};

/// The knob that "master.NAME" names; nothing for any other text. Any thread but the audio thread.
std::optional<MasterKnob> master_knob_of(std::string_view address);
/// The text begins with "master.".
inline bool is_of_master(std::string_view address) {
    return address.starts_with("master.");
}

}  // namespace gainstage
