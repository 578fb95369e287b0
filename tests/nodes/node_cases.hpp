#pragma once
/// Every way of building every node type, for the tests that walk the one list.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/node_runner.hpp"

namespace gainstage::test {

/// One way of building a type.
struct Case {
    const NodeType* type = nullptr;
    NodeConfig config;
    std::string name;

    NodeRunner runner() const { return NodeRunner(*type, config); }
    Ports ports(const Sound& sound) const {
        return Ports(std::max<std::size_t>(1, type->inputs.size()), sound);
    }
};

/// The test files of a type that takes a model (tests/data/ARCHITECTURE-*.safetensors), by name; for others
/// one null. Fails the test where a type has none.
std::vector<std::shared_ptr<const Model>> models_for(const NodeType&);

/// `count` device channels from the first, for types that ask for them.
std::vector<std::pair<std::string, OptionValue>> required_options(const NodeType&, int count);

/// Mono and stereo, with and without the optional cables, every value of every option, three sample rates
/// (behind a resampler where the model knows one only), every test model: of every type.
std::vector<Case> all_cases();

}  // namespace gainstage::test
