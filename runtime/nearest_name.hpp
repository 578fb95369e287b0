#pragma once
/// Guesses which name the player meant.

#include <string_view>
#include <vector>

namespace gainstage {

using Names = std::vector<std::string_view>;

/// The name that `wrong` is most likely a slip of: letters swapped, missing, added or wrong, other capitals,
/// only its beginning ("gain" for "gain_db"), or the name with something before or behind it ("noisegate" for
/// "gate"). Empty if none is near. Any thread.
std::string_view nearest_name(std::string_view wrong, const Names& names);

}  // namespace gainstage
