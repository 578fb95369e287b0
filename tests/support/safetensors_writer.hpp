#pragma once
/// Model files made in a test, good and malformed.

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "runtime/model/model.hpp"

namespace gainstage::test {

using Bytes = std::vector<std::byte>;

/// A file of 8 bytes of `claimed_length`, the header's text, and the data.
inline Bytes safetensors(const std::string& header, const std::vector<float>& data,
                         std::uint64_t claimed_length) {
    Bytes bytes(8 + header.size() + data.size() * sizeof(float));
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>(claimed_length >> (8 * i));
    std::memcpy(bytes.data() + 8, header.data(), header.size());
    if (!data.empty())
        std::memcpy(bytes.data() + 8 + header.size(), data.data(), data.size() * sizeof(float));
    return bytes;
}
inline Bytes safetensors(const std::string& header, const std::vector<float>& data) {
    return safetensors(header, data, header.size());
}

/// A model file in its parts. The default is a good one with one knob and one tensor.
struct ModelFile {
    std::map<std::string, std::string> metadata{
        {"gainstage.format", "1"},
        {"architecture", "grey_box"},
        {"config", R"({"mlp_activation": "relu", "size": 3, "deep": true})"},
        {"sample_rate", "44100"},
        {"controls", R"([{"name": "peak_reduction", "unit": "", "min": 0, "max": 100, "default": 50,
                          "to_model": {"scale": 0.02, "offset": -1}}])"},
        {"latency_samples", "0"},
        {"receptive_field", "12"},
        {"memory_samples", "4410"},
        {"license", "MIT"}};
    std::vector<Tensor> tensors{{"w", {2, 3}, {1.f, 2.f, 3.f, 4.f, 5.f, 6.f}}};

    nlohmann::json header() const;
    std::vector<float> data() const {
        std::vector<float> all;
        for (const Tensor& tensor : tensors) all.insert(all.end(), tensor.data.begin(), tensor.data.end());
        return all;
    }
    Bytes bytes() const;
    std::shared_ptr<const Model> read() const { return read_model_bytes(bytes(), "test.safetensors"); }
};

}  // namespace gainstage::test
