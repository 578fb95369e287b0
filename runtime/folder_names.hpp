#pragma once
/// What is in a folder. The standard library's walk ends the process where an allocation fails on its way.

#include <string>
#include <vector>

namespace gainstage {

/// Every name in the folder ("": the present one) but "." and "..", in the order of their bytes. Empty where
/// it can't be read. Throws std::bad_alloc. Any thread but the audio thread.
std::vector<std::string> names_in(const std::string& folder);

}  // namespace gainstage
