#pragma once
/// One written setting against the spec that it must fit.

#include <optional>
#include <string>

#include "runtime/node.hpp"
#include "runtime/patch/patch.hpp"

namespace gainstage {

/// What a knob accepts: "-120 to 60 dB", "0 or 1".
std::string expectation(const ParamSpec&);
/// What an option accepts: "a whole number from 0 to 2", "one of lowpass, highpass".
std::string expectation(const OptionSpec&);
/// What was written: "80", "a text".
std::string found(const Setting&);

/// The knob's value; nothing where it does not fit. A switch also takes true and false.
std::optional<float> knob_value(const ParamSpec&, const Setting&);
/// Of bypass and mute: true, false, 0 or 1; nothing where it is something else.
std::optional<bool> switch_value(const Setting&);
/// Whether `value`, as written in decimal, lies within the knob's range.
bool fits(double value, float min, float max);
/// The option's value; nothing where it does not fit.
std::optional<OptionValue> option_value(const OptionSpec&, const Setting&);
/// OptionSpec::start; nothing where there is none. Throws std::logic_error for a spec that contradicts
/// itself.
std::optional<OptionValue> default_value(const OptionSpec&);

}  // namespace gainstage
