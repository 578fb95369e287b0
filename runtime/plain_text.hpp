#pragma once
/// Text that a terminal shows and does not obey.

#include <string>
#include <string_view>

namespace gainstage {

/// A copy in which every control character is a '?': C0 (except newline and tab), DEL, C1, and those that
/// turn the direction of writing. A byte that is not UTF-8 becomes U+FFFD. Names and texts from files may
/// hold all of these, and a terminal would obey them. Any thread.
std::string plain_text(std::string_view text);

}  // namespace gainstage
