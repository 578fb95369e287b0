#pragma once
/// Every way to build every node type, for tests that walk the list of types.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/node_runner.hpp"

namespace gainstage::test {

/// One way to build a type.
struct Case {
    const NodeType* type = nullptr;
    NodeConfig config;
    std::string name;

    NodeRunner runner() const { return NodeRunner(*type, config); }
    Ports ports(const Sound& sound) const {
        return Ports(std::max<std::size_t>(1, type->inputs.size()), sound);
    }
};

/// The test models of a type that takes a model (tests/data/ARCHITECTURE-*.safetensors), by name. For other
/// types one null. Fails the test if a type has none.
std::vector<std::shared_ptr<const Model>> models_for(const NodeType&);

/// `count` device channels from the first on, for types that need them.
std::vector<std::pair<std::string, OptionValue>> required_options(const NodeType&, int count);

/// All cases of all types: mono and stereo, with and without the optional cables, every value of every
/// option, three sample rates (behind a resampler if the model knows only one), every test model.
std::vector<Case> all_cases();

}  // namespace gainstage::test
