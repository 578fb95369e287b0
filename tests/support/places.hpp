#pragma once
/// Where the tests find this checkout and its build. The paths appear in the compile command of one file
/// only, so that a compiler cache serves every checkout.

#include <string>

namespace gainstage::test {

/// The checkout.
const std::string& source_dir();
/// The program `gainstage`.
const std::string& program_path();
/// The program `gainstage-lab`.
const std::string& lab_path();
/// A library that copies its input, for `--beside`.
const std::string& copying_peer_path();

/// A library that, preloaded, lets one call of the system fail: see failing_calls.hpp.
const std::string& failing_calls_path();

/// ALSA's plugin that is a sound card: see test_cards.hpp.
const std::string& test_card_path();

}  // namespace gainstage::test
