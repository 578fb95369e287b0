#pragma once
/// Weight files on disk and variants of them: louder, with another memory, with other metadata.

#include <cmath>
#include <string>

#include "runtime/model/model.hpp"
#include "tests/support/safetensors_writer.hpp"
#include "tests/support/temporary_folder.hpp"

namespace gainstage::test {

/// The parts of a shipped model or a fixture, to change and save again. REQUIRES: all tensors are float32.
inline ModelFile model_parts(const std::string& file) {
    const std::vector<std::byte> bytes = model_file_bytes(file);
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    const char* text = reinterpret_cast<const char*>(bytes.data()) + 8;
    const nlohmann::json header = nlohmann::json::parse(text, text + length);
    ModelFile parts{.metadata = header.at("__metadata__").get<std::map<std::string, std::string>>(),
                    .tensors = {}};
    for (const auto& [name, entry] : header.items()) {
        if (name == "__metadata__") continue;
        const auto offsets = entry.at("data_offsets").get<std::vector<std::size_t>>();
        Tensor tensor{.name = name, .shape = entry.at("shape").get<std::vector<std::int64_t>>(), .data = {}};
        tensor.data.resize((offsets[1] - offsets[0]) / sizeof(float));
        std::memcpy(tensor.data.data(), text + length + offsets[0], offsets[1] - offsets[0]);
        parts.tensors.push_back(std::move(tensor));
    }
    return parts;
}

inline Tensor& tensor_of(ModelFile& parts, const std::string& name) {
    for (Tensor& tensor : parts.tensors)
        if (tensor.name == name) return tensor;
    throw std::runtime_error("no tensor " + name);
}

/// A grey box with static make-up, `db` louder.
inline ModelFile louder(ModelFile parts, double db) {
    float& gain = tensor_of(parts, "makeup.gain").data.at(0);
    const double factor = (1. + std::tanh(double{gain})) * std::pow(10., db / 20.);
    gain = static_cast<float>(std::atanh(factor - 1.));
    return parts;
}

/// The same sound to the bit, but another model to the engine: it builds a newcomer and warms it on the past.
inline ModelFile remembering(ModelFile parts, long samples) {
    parts.metadata["memory_samples"] = std::to_string(samples);
    return parts;
}

/// The same model to the engine, in another file.
inline ModelFile retold(ModelFile parts, const std::string& training) {
    parts.metadata["training"] = training;
    return parts;
}

/// Saves and returns the path.
inline std::string save(const TemporaryFolder& folder, const std::string& name, const ModelFile& parts) {
    const Bytes bytes = parts.bytes();
    return folder.write(name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace gainstage::test
