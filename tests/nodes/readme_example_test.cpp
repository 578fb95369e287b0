#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/nodes/contract.hpp"
#include "tests/nodes/readme_example.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/places.hpp"
#include "tests/support/safetensors_writer.hpp"

namespace gainstage::test::readme_example_test {

namespace {

std::string text_of(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(source_dir() + "/" + file).rdbuf();
    return text.str();
}

/// The blocks of C++ of a page, without the blanks that a list puts in front of them.
std::vector<std::string> examples_of(const std::string& page) {
    std::vector<std::string> blocks;
    std::istringstream lines(text_of(page));
    std::size_t indent = 0;
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
        const auto mark = line.find("```");
        if (mark == std::string::npos) {
            if (inside) blocks.back() += line.substr(std::min(indent, line.size())) + "\n";
            continue;
        }
        inside = line.find("```cpp") != std::string::npos;
        indent = mark;
        if (inside) blocks.emplace_back();
    }
    return blocks;
}

}  // namespace

TEST_CASE("every example of nodes/README.md is compiled here, word for word") {
    const std::string compiled =
        text_of("tests/nodes/readme_example.hpp") + text_of("tests/nodes/readme_example_test.cpp");
    const std::vector<std::string> examples = examples_of("nodes/README.md");
    CHECK(examples.size() >= 3);
    for (const std::string& example : examples) {
        INFO(example);
        CHECK(example.size() > 100);
        CHECK(compiled.find("\n" + example) != std::string::npos);
    }
}

TEST_CASE("the node of nodes/README.md keeps every promise of a node") {
    CHECK(broken_promise(Soften::type(), {.channels = 2},
                         {stereo(white_noise(4000, 1), white_noise(4000, 2))},
                         {{1000, "edge", 1.f}, {1500, "edge", 0.01f}, {3990, "edge", 0.5f}}) == "");
    CHECK(not_finite(Soften::type(), {}, {mono(white_noise(4000, 1))}) == "");
}

TEST_CASE("soften: a step is four fifths there after seven samples") {
    NodeRunner soften(Soften::type(), {.params = {{"edge", 0.2f}}});
    CHECK(soften.run(mono(constant(20, 1.f)))[0][6] == Approx(1. - std::pow(0.8, 7)));
}

TEST_CASE("the model type of nodes/README.md reads a file, and refuses one whose sizes don't fit") {
    ModelFile file;
    file.metadata["architecture"] = "tape";
    file.tensors = {{"dense.weight", {3, 2}, {1.f, 2.f, 3.f, 4.f, 5.f, 6.f}},
                    {"dense.bias", {3}, {0.f, 0.f, 0.f}},
                    {"other", {1}, {0.f}}};
    const TapeWeights weights(*file.read());
    CHECK(weights.dense.outputs() == 3);
    CHECK(weights.facts.operations == Approx(12.));
    CHECK(weights.facts.notes.size() == 1);

    file.tensors[0] = {"dense.weight", {2, 3}, {1.f, 2.f, 3.f, 4.f, 5.f, 6.f}};
    const auto wrong = file.read();
    CHECK_THROWS_AS(TapeWeights(*wrong), ModelError);
}

}  // namespace gainstage::test::readme_example_test
