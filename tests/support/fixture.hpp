#pragma once
/// Small models of random weights and their expected output, in tests/data (see fixture_parts.py there).

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/model/model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/places.hpp"

namespace gainstage::test {

/// 32-bit floats, little-endian.
inline Channel read_floats(const std::filesystem::path& file) {
    Channel numbers(std::filesystem::file_size(file) / sizeof(float));
    std::ifstream(file, std::ios::binary)
        .read(reinterpret_cast<char*>(numbers.data()),
              static_cast<std::streamsize>(numbers.size() * sizeof(float)));
    return numbers;
}

/// tests/data/FAMILY-NAME: weights, knob moves, and the output that the float64 formulas give for
/// tests/data/FAMILY-input.
struct Fixture {
    std::shared_ptr<const Model> model;
    Channel input, expected;
    std::uint64_t start = 0;
    std::vector<Move> moves;

    Fixture(const std::string& family, const std::string& name);
    NodeConfig config() const {
        return {.sample_rate_hz = model->sample_rate_hz, .model = model, .start_time = start};
    }
};

/// A copy of a model that a test may spoil.
inline std::shared_ptr<Model> spoilable(const std::shared_ptr<const Model>& model) {
    return std::make_shared<Model>(*model);
}
inline Tensor& tensor_of(Model& model, const std::string& name) {
    for (Tensor& tensor : model.tensors)
        if (tensor.name == name) return tensor;
    throw std::logic_error("no tensor " + name);
}

/// The message of the error that building a node from the model at its own rate throws; "" if it throws none.
inline std::string complaint(const NodeType& type, const std::shared_ptr<const Model>& model) {
    try {
        const NodeRunner runner(type, {.sample_rate_hz = model->sample_rate_hz, .model = model});
        return "";
    } catch (const ModelError& error) {
        return error.what();
    }
}

/// What the type says of the file.
inline std::vector<std::string> notes_on(const NodeType& type, const Model& model) {
    return type.prepare(model, model.sample_rate_hz)->facts().notes;
}

/// A device at another rate gets the model's own from it, and no node without a resampler.
inline void check_knows_one_rate(const NodeType& type, const std::shared_ptr<const Model>& model) {
    const NodeConfig config{.sample_rate_hz = model->sample_rate_hz + 3'900., .model = model};
    const auto prepared = prepared_of(type, config);
    CHECK_FALSE(prepared->facts().plays_at_any_rate);
    CHECK(prepared->facts().sample_rate_hz == model->sample_rate_hz);
    CHECK_THROWS_AS(prepared->make(setup_of(type, config, params_of(type, model.get()))), SetupError);
}

inline void check_says(const std::string& text, const std::string& part) {
    INFO(text << " should say: " << part);
    CHECK(text.find(part) != std::string::npos);
}

}  // namespace gainstage::test
