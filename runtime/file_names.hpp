#pragma once
/// Names that are made from a file's own name. Folders stay as they are.

#include <string>

namespace gainstage {

/// "takes/a.wav", 2 -> "takes/a-2.wav"; 1 -> as it is.
std::string numbered_name(const std::string& file, int number);

/// The name of a file that grows: "takes/a.wav" -> "takes/a.unfinished.wav"; from 2 on with its number,
/// "takes/a.unfinished-2.wav". Short enough for every file system.
std::string unfinished_name(const std::string& file, int number = 1);
/// The way back: "takes/a.unfinished-2.wav" -> "takes/a.wav". Every other name stays as it is.
std::string finished_name(const std::string& file);

}  // namespace gainstage
