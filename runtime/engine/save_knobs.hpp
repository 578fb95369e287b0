#pragma once
/// Where the hands have left the knobs, as values for the patch's text.

#include <string>
#include <vector>

#include "runtime/engine/engine.hpp"
#include "runtime/patch/write_values.hpp"

namespace gainstage {

/// Every knob, bypass and mute of the playing patch that no scene names and that stands elsewhere than its
/// text says, in the patch's order. As of the engine's latest tick(). Control thread.
std::vector<WrittenValue> moved_knobs(const Engine&);

/// A value as TOML has it: "-6.0", "0.1". Any thread.
std::string toml_number(float value);

}  // namespace gainstage
