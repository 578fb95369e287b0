#include "nodes/models/s4d/s4d_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "nodes/layers/layer_reader.hpp"
#include "nodes/layers/operations.hpp"
#include "nodes/models/s4d/s4d_modes.hpp"
#include "runtime/model/model.hpp"

namespace gainstage {

namespace {

constexpr double longest_memory_seconds = 10.;
constexpr double time_constants_to_forget = 9.21;  // e^-9.21 is -80 dB
constexpr double norm_epsilon = 1e-5;              // PyTorch's BatchNorm
constexpr int any = LayerReader::any;

using Weights = S4dWeights;

Weights::Squash squash_named(const Model& model, std::string_view key) {
    const std::string said = model.text(key, "none");
    if (said == "none") return Weights::Squash::none;
    if (said == "tanh") return Weights::Squash::tanh;
    if (said == "ptanh") return Weights::Squash::ptanh;
    throw ModelError(fmt::format("{}: config.{} is \"{}\"; expected \"none\", \"tanh\" or \"ptanh\"",
                                 model.file, key, said));
}

RowActivation read_activation(LayerReader& read, const std::string& prefix, int number, int channels) {
    const std::string key = fmt::format("activation{}", number);
    const std::string said = read.model().text(key, "PReLU");
    const auto kind = activation_named(said);
    if (!kind)
        throw ModelError(
            fmt::format("{}: config.{} is \"{}\"; expected \"PReLU\", \"ReLU\", \"GELU\", "
                        "\"tanh\", \"sigmoid\", \"PTanh\" or \"Identity\"",
                        read.model().file, key, said));
    if (!learns(*kind)) return RowActivation(*kind, channels);
    const Tensor& factor = read.tensor(prefix + key + ".factor", {any}, channels);
    if (factor.data.size() != 1 && static_cast<int>(factor.data.size()) != channels)
        throw ModelError(fmt::format("{}: tensor \"{}\" has {} elements; expected 1 or {}", read.model().file,
                                     factor.name, factor.data.size(), channels));
    return RowActivation(*kind, channels, factor.data);
}

// ------------------------------------------------------------------------------------------------ FiLM

/// The rows of one block within Weights::film, in double until they are whole.
struct FilmRows {
    std::vector<double> weight, bias;

    FilmRows(int rows, int inputs)
        : weight(static_cast<std::size_t>(rows * inputs)), bias(static_cast<std::size_t>(rows)) {}
};

/// Gains and offsets of one block: FiLM as the file has it, and BatchNorm, which is one more gain and offset
/// before it: g (s - mean) / deviation + o.
void fold(LayerReader& read, const std::string& prefix, int channels, int inputs, bool conditioned,
          FilmRows& film, int first_row) {
    const auto c = static_cast<std::size_t>(channels), m = static_cast<std::size_t>(inputs);
    const auto gains = static_cast<std::size_t>(first_row), offsets = gains + padded(channels);
    const Tensor* weight =
        conditioned ? &read.tensor(prefix + "film.weight", {2 * channels, inputs}) : nullptr;
    const Tensor* bias = conditioned || read.has(prefix + "film.bias")
                             ? &read.tensor(prefix + "film.bias", {2 * channels})
                             : nullptr;
    const bool normed = read.has(prefix + "norm.mean") || read.has(prefix + "norm.variance");
    const Tensor* mean = normed ? &read.tensor(prefix + "norm.mean", {channels}) : nullptr;
    const Tensor* variance = normed ? &read.tensor(prefix + "norm.variance", {channels}) : nullptr;
    for (std::size_t i = 0; i < c; ++i) {
        if (variance && !(variance->data[i] >= 0.f))
            throw ModelError(fmt::format("{}: tensor \"{}\" holds {}; expected variances of 0 and above",
                                         read.model().file, variance->name, variance->data[i]));
        const double scale = variance ? 1. / std::sqrt(double{variance->data[i]} + norm_epsilon) : 1.;
        const double shift = mean ? -double{mean->data[i]} * scale : 0.;
        const double gain = bias ? double{bias->data[i]} : 1., offset = bias ? double{bias->data[c + i]} : 0.;
        film.bias[gains + i] = gain * scale;
        film.bias[offsets + i] = gain * shift + offset;
        for (std::size_t j = 0; weight && j < m; ++j) {
            const double g = double{weight->data[i * m + j]}, o = double{weight->data[(c + i) * m + j]};
            film.weight[(gains + i) * m + j] = g * scale;
            film.weight[(offsets + i) * m + j] = g * shift + o;
        }
    }
}

std::vector<float> rounded(const std::vector<double>& numbers) {
    std::vector<float> floats;
    for (const double number : numbers) floats.push_back(static_cast<float>(number));
    return floats;
}

Dense read_film(LayerReader& read, const Weights& w, bool conditioned, int inputs) {
    const int rows_of_block = 2 * padded(w.channels);
    FilmRows film(static_cast<int>(w.blocks.size()) * rows_of_block, inputs);
    for (int i = 0; i < static_cast<int>(w.blocks.size()); ++i)
        fold(read, fmt::format("blocks.{}.", i), w.channels, inputs, conditioned, film, i * rows_of_block);
    return Dense(static_cast<int>(film.bias.size()), inputs, rounded(film.weight), rounded(film.bias));
}

// ------------------------------------------------------------------------------------------------ the rest

/// Padded with zeros.
std::vector<float> row(const Tensor& tensor, int channels) {
    std::vector<float> floats(static_cast<std::size_t>(padded(channels)));
    std::copy(tensor.data.begin(), tensor.data.end(), floats.begin());
    return floats;
}

int count_blocks(const LayerReader& read) {
    int blocks = 0;
    while (read.has(fmt::format("blocks.{}.ssm.log_a_real", blocks))) ++blocks;
    if (blocks > Weights::most_blocks)
        throw ModelError(fmt::format("{}: {} blocks; at most {} are supported", read.model().file, blocks,
                                     Weights::most_blocks));
    return std::max(blocks, 1);  // the first one's absence is complained of where it is read
}

Weights::OneBlock read_block(LayerReader& read, const std::string& prefix, int channels, double step,
                             double& forgets) {
    Weights::OneBlock block;
    block.before = read_activation(read, prefix, 1, channels);
    block.after = read_activation(read, prefix, 2, channels);
    block.ssm = read_modes(read, prefix + "ssm.", channels, step, forgets);
    block.residual.resize(static_cast<std::size_t>(padded(channels)));
    if (read.has(prefix + "residual"))
        block.residual = row(read.tensor(prefix + "residual", {channels}), channels);
    return block;
}

void read_blocks(Weights& w, LayerReader& read, double step, double& forgets) {
    const Tensor& expand = read.tensor("expand.weight", {any, 1}, Weights::most_channels);
    w.channels = rows_of(expand);
    const Tensor& expand_bias = read.tensor("expand.bias", {w.channels});
    w.expand = w.first = Dense(w.channels, 1, expand.data, expand_bias.data);
    for (int i = 0, count = count_blocks(read); i < count; ++i) {
        const std::string prefix = fmt::format("blocks.{}.", i);
        double time_constant = 0.;
        w.blocks.push_back(read_block(read, prefix, w.channels, step, time_constant));
        forgets += time_constants_to_forget * time_constant;
        if (!read.has(prefix + "linear.weight")) continue;
        w.blocks.back().linear = read.dense(prefix + "linear", w.channels, w.channels);
        if (i == 0) w.first = w.expand.then(*w.blocks.back().linear);
    }
}

void read_output(Weights& w, LayerReader& read) {
    const Model& model = read.model();
    w.contract = row(read.tensor("contract.weight", {1, w.channels}), w.channels);
    w.contract_bias = read.tensor("contract.bias", {1}).data[0];
    w.front_decibels = model.flag("front_decibels", false);
    w.to_amplitude = model.flag("to_amplitude", false);
    w.product = model.flag("product", false);
    w.before_product = squash_named(model, "tanh_before_product");
    w.final = squash_named(model, "final_tanh");
    if (w.before_product == Weights::Squash::ptanh || w.final == Weights::Squash::ptanh)
        w.tanh_factor = read.tensor("tanh.factor", {1}).data[0];
}

/// What the file says, at this rate; else a bound from the slowest poles, one block after the other.
std::int64_t memory_of(const Model& model, double forgets_samples, double rate_hz) {
    const double said = static_cast<double>(model.memory_samples) * rate_hz / model.sample_rate_hz;
    const double samples = model.memory_samples > 0 ? said : forgets_samples;
    return static_cast<std::int64_t>(std::ceil(std::min(samples, longest_memory_seconds * rate_hz)));
}

}  // namespace

S4dWeights::S4dWeights(const Model& model, double rate_hz) {
    LayerReader read(model);
    double forgets_samples = 0.;
    read_blocks(*this, read, model.sample_rate_hz / rate_hz, forgets_samples);
    const int controls = static_cast<int>(model.controls.size());
    if (controls > 0 && read.has("conditioning.0.weight"))
        conditioning.emplace(model, "conditioning", controls, Activation::relu);
    film = read_film(read, *this, controls > 0, conditioning ? conditioning->outputs() : controls);
    read_output(*this, read);
    memory_samples = memory_of(model, forgets_samples, rate_hz);
    tensors = read.used();
    if (conditioning)
        tensors.insert(tensors.end(), conditioning->tensors().begin(), conditioning->tensors().end());
}

std::vector<std::string> notes_on_s4d(const Model& model) {
    const S4dWeights weights(model, model.sample_rate_hz);
    return model.notes_on_extra(
        std::vector<std::string_view>(weights.tensors.begin(), weights.tensors.end()));
}

namespace {

double operations_of(ActivationKind kind) {
    const bool is_plain = kind == ActivationKind::prelu || kind == ActivationKind::relu;
    return is_plain ? 2. : kind == ActivationKind::identity ? 0. : operations::transcendental + 1.;
}

}  // namespace

double operations_of_s4d(const Model& model) {
    const S4dWeights w(model, model.sample_rate_hz);
    const double c = w.channels;
    double count = operations::dense(c, 1.) + operations::dense(1., c);
    for (std::size_t i = 0; i < w.blocks.size(); ++i) {
        const S4dWeights::OneBlock& block = w.blocks[i];
        const auto& modes = model.tensor(fmt::format("blocks.{}.ssm.log_a_real", i),
                                         std::array<std::int64_t, 2>{w.channels, -1});
        if (block.linear) count += operations::dense(c, c);
        // a complex product and sum for the state, the real part of another for the output
        count += c * (12. * static_cast<double>(modes.shape[1]) + 2.) + operations::affine(c);
        count += c * (operations_of(block.before.kind()) + operations_of(block.after.kind()));
        if (!block.residual.empty()) count += 2. * c;
    }
    for (const S4dWeights::Squash squash : {w.before_product, w.final})
        if (squash != S4dWeights::Squash::none) count += operations::transcendental;
    if (w.front_decibels) count += operations::transcendental;
    if (w.to_amplitude) count += operations::transcendental;
    return count + (w.product ? 1. : 0.);
}

}  // namespace gainstage
