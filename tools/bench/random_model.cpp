#include "tools/bench/random_model.hpp"

#include <cstring>
#include <nlohmann/json.hpp>

namespace gainstage {

RandomModel::RandomModel(const std::string& architecture, const std::string& config, int controls,
                         double sample_rate_hz)
    : metadata_{{"gainstage.format", "1"}, {"architecture", architecture},
                {"config", config},        {"sample_rate", std::to_string(static_cast<int>(sample_rate_hz))},
                {"latency_samples", "0"},  {"receptive_field", "0"},
                {"memory_samples", "4800"}} {
    nlohmann::json knobs = nlohmann::json::array();
    for (int i = 0; i < controls; ++i)
        knobs.push_back({{"name", "knob_" + std::to_string(i)},
                         {"unit", ""},
                         {"min", 0},
                         {"max", 1},
                         {"default", 0.5},
                         {"to_model", {{"scale", 1}, {"offset", 0}}}});
    metadata_["controls"] = knobs.dump();
}

void RandomModel::add(const std::string& name, std::vector<std::int64_t> shape, float size, float middle) {
    std::size_t count = 1;
    for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
    std::uniform_real_distribution<float> value(middle - size, middle + size);
    Tensor tensor{.name = name, .shape = std::move(shape), .data = std::vector<float>(count)};
    for (float& x : tensor.data) x = value(random_);
    tensors_.push_back(std::move(tensor));
}

std::vector<std::byte> RandomModel::bytes() const {
    nlohmann::json header{{"__metadata__", metadata_}};
    std::size_t at = 0;
    for (const Tensor& tensor : tensors_) {
        const std::size_t end = at + tensor.data.size() * sizeof(float);
        header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {at, end}}};
        at = end;
    }
    const std::string text = header.dump();
    std::vector<std::byte> bytes(8 + text.size() + at);
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>(text.size() >> (8 * i));
    std::memcpy(bytes.data() + 8, text.data(), text.size());
    std::size_t to = 8 + text.size();
    for (const Tensor& tensor : tensors_) {
        std::memcpy(bytes.data() + to, tensor.data.data(), tensor.data.size() * sizeof(float));
        to += tensor.data.size() * sizeof(float);
    }
    return bytes;
}

std::shared_ptr<const Model> RandomModel::read() const {
    return read_model_bytes(bytes(), metadata_.at("architecture") + ", random weights");
}

}  // namespace gainstage
