#pragma once
/// The settings of one node as a patch would give them, and the Setup that the resolver would make of them.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/node.hpp"
#include "runtime/prepared.hpp"

namespace gainstage::test {

/// The settings of one node.
struct NodeConfig {
    double sample_rate_hz = 48'000.;
    int channels = 1;                      ///< of `follow` ports
    std::vector<int> input_channels = {};  ///< per port; empty: `channels`, with no cable at optional ports
    std::vector<std::pair<std::string, OptionValue>> options = {};  ///< where they differ from the defaults
    std::vector<std::pair<std::string, float>> params = {};  ///< where they differ from the start values
    std::shared_ptr<const Model> model = {};
    std::uint64_t start_time = 0;  ///< stream sample of the first frame
    int loop_latency_samples = 0;
};

/// The node's default options with `changes` applied, as the resolver would give them to it.
Options options_of(const NodeType&, const std::vector<std::pair<std::string, OptionValue>>& changes);
/// The type's knobs, then its model's controls.
std::vector<ParamSpec> params_of(const NodeType&, const Model*);
/// The model, prepared for the node; null without one.
std::shared_ptr<const Prepared> prepared_of(const NodeType&, const NodeConfig&);
/// The Setup that the node's constructor gets.
Setup setup_of(const NodeType&, const NodeConfig&, const std::vector<ParamSpec>& params);

}  // namespace gainstage::test
