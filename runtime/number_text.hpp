#pragma once
/// Numbers for people.

#include <string>

namespace gainstage {

/// "-3", "0.7071", "48000", "107": as many digits as matter, of whole numbers all, and never an exponent. Any
/// thread.
std::string number_text(double value, int digits = 7);

}  // namespace gainstage
