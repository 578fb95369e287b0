#pragma once
/// Where the tests find this checkout and what was built from it. Paths stand in one file's compile command,
/// so that a compiler cache serves every checkout.

#include <string>

namespace gainstage::test {

/// The checkout.
const std::string& source_dir();
/// The program `gainstage`.
const std::string& program_path();
/// A library that copies its input, for `--beside`.
const std::string& copying_peer_path();

}  // namespace gainstage::test
