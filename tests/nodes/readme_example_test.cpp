#include "tests/nodes/readme_example.hpp"

#include <fstream>
#include <sstream>

#include "tests/nodes/contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/places.hpp"

namespace gainstage::test::readme_example_test {

namespace {

std::string text_of(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(source_dir() + "/" + file).rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("the example of nodes/README.md is the one that is tested here") {
    const std::string source = text_of("tests/nodes/readme_example.hpp");
    const std::string example = source.substr(source.find("/// Takes the edge off"));
    const std::string code = example.substr(0, example.find("\n\n}  // namespace gainstage"));
    REQUIRE(code.size() > 500);
    CHECK(text_of("nodes/README.md").find(code) != std::string::npos);
}

TEST_CASE("the example of nodes/README.md keeps every promise of a node") {
    CHECK(broken_promise(Soften::type(), {.channels = 2},
                         {stereo(white_noise(4000, 1), white_noise(4000, 2))},
                         {{1000, "edge", 1.f}, {1500, "edge", 0.01f}, {3990, "edge", 0.5f}}) == "");
    CHECK(not_finite(Soften::type(), {}, {mono(white_noise(4000, 1))}) == "");
}

}  // namespace gainstage::test::readme_example_test
