#pragma once
/// Text that a terminal shows and does not obey.

#include <string>
#include <string_view>

namespace gainstage {

/// A copy in which every control character is a '?': C0, DEL, C1, and those that turn the direction of
/// writing. A byte that is not UTF-8 becomes U+FFFD. Names and texts from strangers may hold all of these,
/// and a terminal would obey them: for each piece of a message that isn't our own, and for each message,
/// which is one line. Any thread.
std::string plain_line(std::string_view text);

/// The same, but newlines and tabs stay: for a text whose layout is our own.
std::string plain_text(std::string_view text);

/// A JSON text in which these characters are escapes (\u009b). It means the same, and a terminal that shows
/// it does not obey it.
std::string plain_json(std::string_view json);

}  // namespace gainstage
