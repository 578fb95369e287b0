#pragma once
/// Weight files on disk and variants of them: louder, with another memory, with other metadata.

#include <cmath>
#include <string>

#include "runtime/model/model.hpp"
#include "tests/support/safetensors_writer.hpp"
#include "tests/support/temporary_folder.hpp"

namespace gainstage::test {

/// The parts of a shipped model or a fixture, to change and save again. REQUIRES: all tensors are float32.
ModelFile model_parts(const std::string& file);

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

/// The same model with its first two controls in each other's place. The weights stay as they are.
ModelFile with_controls_swapped(ModelFile);

/// Sets a text of the model's config.
void configure(ModelFile&, const std::string& key, const std::string& value);

/// A string as JSON writes it, in quotes.
std::string json_text(const std::string&);

/// Saves and returns the path.
inline std::string save(const TemporaryFolder& folder, const std::string& name, const ModelFile& parts) {
    const Bytes bytes = parts.bytes();
    return folder.write(name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace gainstage::test
