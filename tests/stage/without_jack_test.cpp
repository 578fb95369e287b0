/// Replaces the tests that need a JACK server if JACK's library is not installed.

#include <iostream>

#include "tests/support/catch.hpp"

namespace gainstage::test::without_jack_test {

TEST_CASE("the program plays to a real audio server") {
    std::cout << "skipped: no JACK client: built without libjack (Debian: libjack-jackd2-dev)" << std::endl;
}

}  // namespace gainstage::test::without_jack_test
