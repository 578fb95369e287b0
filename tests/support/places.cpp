#include "tests/support/places.hpp"

namespace gainstage::test {

const std::string& source_dir() {
    static const std::string path = GAINSTAGE_SOURCE_DIR;
    return path;
}

const std::string& program_path() {
    static const std::string path = GAINSTAGE_BINARY;
    return path;
}

const std::string& lab_path() {
    static const std::string path = GAINSTAGE_LAB;
    return path;
}

const std::string& copying_peer_path() {
    static const std::string path = GAINSTAGE_COPYING_PEER;
    return path;
}

const std::string& failing_calls_path() {
    static const std::string path = GAINSTAGE_FAILING_CALLS;
    return path;
}

const std::string& test_card_path() {
    static const std::string path = GAINSTAGE_TEST_CARD;
    return path;
}

}  // namespace gainstage::test
