#pragma once
/// Why the system refused something, in words that a player can act on.

#include <string>

namespace gainstage {

/// `error`: the system's number (errno). Too many open files names the limit and how to raise it; a lack of
/// memory has its remedy; links that lead nowhere are named; all others are the system's own words.
std::string system_reason(int error);

}  // namespace gainstage
