#pragma once
/// Changes a file that is the user's own: whole or not at all, with its mode and behind its links. The former
/// text is kept, so that it can be brought back.

#include <string>
#include <string_view>

namespace gainstage {

/// Former texts of one file that are kept.
inline constexpr int most_backups = 20;

/// Where the former texts of this file lie: a folder in `$XDG_STATE_HOME/gainstage/backups`, made by the
/// file's name and its whole path. Throws WriteError if nobody knows where.
std::string backups_folder(const std::string& file);

/// Writes `text` in place of what the file holds. Returns where the former text lies; "" if there was no
/// file. Without a place for the former text nothing is written. Throws WriteError. Waits for the disk: not
/// on the session's loop.
std::string replace_user_file(const std::string& file, std::string_view text);

/// A text that was brought back.
struct BroughtBack {
    std::string former;  ///< where the text lies that it replaced; "": there is none to bring back
};
/// Brings the latest former text back, and the one before it when called again. The text in its place is kept
/// too, apart, and is not brought back. Throws WriteError.
BroughtBack bring_back_user_file(const std::string& file);

}  // namespace gainstage
