#pragma once
/// Where a user's programs keep things, by the rules of XDG.

#include <string>

namespace gainstage {

/// `$XDG_CONFIG_HOME/gainstage`, or `~/.config/gainstage`; "": neither is known. A path that does not begin
/// with / counts for nothing. Any thread, as long as nobody changes the environment.
std::string config_folder();
/// The same of `$XDG_STATE_HOME` and `~/.local/state`.
std::string state_folder();

}  // namespace gainstage
