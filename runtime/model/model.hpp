#pragma once
/// A weight file in memory: read, checked, described. Immutable once read, and shared.

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/model/config.hpp"
#include "runtime/problem.hpp"

namespace gainstage {

/// The message names the file, the tensor or key, what was found and what was expected.
struct ModelError : std::runtime_error {
    ModelError(const std::string& message, int code = sysexits::bad_data)
        : std::runtime_error(message), exit_code(code) {}
    int exit_code;  ///< of sysexits
};

/// A knob that the model was trained with. The network receives `value * scale + offset`.
struct ModelControl {
    std::string name, unit;
    float min = 0.f, max = 1.f, start = 0.f;
    float scale = 1.f, offset = 0.f;
    int steps = 0;  ///< >0: a switch with this many positions
};

/// One array of weights.
struct Tensor {
    std::string name;
    std::vector<std::int64_t> shape;
    std::vector<float> data;  ///< row-major (last index fastest)
};

class Model {
public:
    virtual ~Model() = default;

    std::string file;          ///< as given, for messages
    std::string architecture;  ///< "grey_box", "s4d", ...
    double sample_rate_hz = 0.;
    std::vector<ModelControl> controls;  ///< in the order of the conditioning vector
    std::int64_t latency_samples = 0, receptive_field = 0, memory_samples = 0;
    ModelConfig config;
    std::vector<Tensor> tensors;
    std::vector<std::pair<std::string, std::string>>
        metadata;                    ///< the other keys, as written (training, license, ...)
    std::vector<std::byte> bytes;    ///< the whole file, for the log of a take
    std::uint64_t content_hash = 0;  ///< of `bytes`
    std::uint64_t meaning_hash = 0;  ///< of tensors, config, rate, controls, sizes; equal: sounds the same
    std::vector<std::string> notes;  ///< for the user ("controls[0]: unknown key ...")

    /// Makes find() fast. Call it when `tensors` is complete; names stay as they are from then on.
    void index_tensors();
    /// The tensor of this name and shape. Entries of `shape` that are -1 match any size. Throws a ModelError
    /// with the name and both shapes if there is none.
    const Tensor& tensor(std::string_view name, std::span<const std::int64_t> shape) const;
    const Tensor* find(std::string_view name) const;
    /// A key of `config`; `fallback` if it is absent. Throws ModelError if it has another type.
    std::string text(std::string_view key, std::string_view fallback) const;
    double number(std::string_view key, double fallback) const;
    bool flag(std::string_view key, bool fallback) const;
    /// A note for each of the first ten tensors whose name is not in `known`, and how many more there are.
    std::vector<std::string> notes_on_extra(std::span<const std::string> known) const;

private:
    /// Places in `tensors`, by name. Copies of a model may be changed, so they have none.
    struct Index {
        std::vector<int> places;
        Index() = default;
        Index(const Index&) {}
        Index& operator=(const Index&) {
            places.clear();
            return *this;
        }
    } index_;
};

/// Control thread. Throws ModelError. Trusts no length in the file. Refuses NaN and Inf, overlapping and
/// truncated tensors, and headers or files beyond the limits in safetensors.hpp.
std::shared_ptr<const Model> read_model_file(const std::string& file);

/// The whole file as it is on disk. Throws ModelError, also if the file changes while it is read.
std::vector<std::byte> model_file_bytes(const std::string& file);

/// The same for bytes in memory (those that a log kept, tests).
std::shared_ptr<const Model> read_model_bytes(std::vector<std::byte> bytes, const std::string& file);

}  // namespace gainstage
