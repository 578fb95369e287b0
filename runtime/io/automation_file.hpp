#pragma once
/// Knob moves written down as text, for an offline render.

#include <string>
#include <string_view>
#include <vector>

#include "runtime/problem.hpp"

namespace gainstage {

/// One line: at `seconds` the target goes to `value`, in its units.
struct AutomationMove {
    double seconds = 0.;
    /// "node.parameter", "node.bypass", "node.mute", looked up by find_target(); or "scene", whose `scene` is
    /// looked up by find_scene().
    std::string target;
    float value = 0.f;
    std::string scene = {};  ///< a name, a number from 1 on, "next", "previous"
    Place place;             ///< of the target's name, for messages
};

struct Automation {
    std::vector<AutomationMove> moves;  ///< in the order of time; those of one time in the file's order
    Problems problems;                  ///< all of them, not only the first; moves are only good without
};

/// Reads lines of `seconds,node.parameter,value` and `seconds,scene,NAME`. Empty lines, lines that begin with
/// # and a first line that names the columns are passed over; blanks around a field don't count. Lines end in
/// LF, CR LF or CR; fields may stand in quotation marks (RFC 4180). Where the first line has semicolons or
/// tabs between its fields, so have the others, and numbers may have a decimal comma. Numbers are finite;
/// seconds are 0 to 1,000,000. Never throws on bad input. Any thread but the audio thread.
Automation read_automation_file(const std::string& path);

/// The same from memory; `file` is for messages.
Automation parse_automation(std::string_view text, const std::string& file);

}  // namespace gainstage
