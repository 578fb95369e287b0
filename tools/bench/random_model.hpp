#pragma once
/// Models of any size with random weights, made in memory.

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "runtime/model/model.hpp"

namespace gainstage {

class RandomModel {
public:
    /// `config`: a JSON object. `controls`: number of knobs, each from 0 to 1.
    RandomModel(const std::string& architecture, const std::string& config, int controls,
                double sample_rate_hz = 48'000.);

    /// Weights in middle - size .. middle + size.
    void add(const std::string& name, std::vector<std::int64_t> shape, float size, float middle = 0.f);
    /// Sets a key of the metadata.
    void say(const std::string& key, const std::string& word) { metadata_[key] = word; }
    /// The model as a file.
    std::vector<std::byte> bytes() const;
    std::shared_ptr<const Model> read() const;

private:
    std::map<std::string, std::string> metadata_;
    std::vector<Tensor> tensors_;
    std::mt19937 random_{1};
};

}  // namespace gainstage
