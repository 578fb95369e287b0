/// Replaces the tests of ALSA's door if its library is not installed.

#include <iostream>

#include "tests/support/catch.hpp"

namespace gainstage::test::without_alsa_test {

TEST_CASE("a sound card through ALSA") {
    std::cout << "skipped: no ALSA card: built without libasound (Debian: libasound2-dev)" << std::endl;
}

}  // namespace gainstage::test::without_alsa_test
