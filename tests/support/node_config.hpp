#pragma once
/// What a patch says about one node, and what the resolver makes of it.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/node.hpp"

namespace gainstage::test {

/// What the patch would say about the node.
struct NodeConfig {
    double sample_rate_hz = 48'000.;
    int channels = 1;                      ///< of `follow` ports
    std::vector<int> input_channels = {};  ///< per port; empty: `channels`, and no cable at optional ports
    std::vector<std::pair<std::string, OptionValue>> options = {};  ///< beside the defaults
    std::vector<std::pair<std::string, float>> params = {};         ///< beside the starts
    std::shared_ptr<const Model> model = {};
    std::uint64_t start_time = 0;  ///< stream sample of the first frame
    int loop_latency_samples = 0;
};

/// The node's defaults with `changes` over them, as the resolver would hand them to it.
Options options_of(const NodeType&, const std::vector<std::pair<std::string, OptionValue>>& changes);
/// The type's knobs, then its model's controls.
std::vector<ParamSpec> params_of(const NodeType&, const Model*);
/// What the node's constructor is given.
Setup setup_of(const NodeType&, const NodeConfig&, const std::vector<ParamSpec>& params);

}  // namespace gainstage::test
