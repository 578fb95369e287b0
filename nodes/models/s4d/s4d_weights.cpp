#include "nodes/models/s4d/s4d_weights.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nodes/layers/layer_reader.hpp"
#include "nodes/layers/model_config.hpp"
#include "nodes/layers/operations.hpp"
#include "nodes/models/s4d/s4d_modes.hpp"

namespace gainstage {

namespace {

constexpr double time_constants_to_forget = 9.21;  // e^-9.21 is -80 dB
constexpr double norm_epsilon = 1e-5;              // PyTorch's BatchNorm

using Weights = S4dWeights;

Weights::Squash squash_named(const Model& model, std::string_view key) {
    const std::string said = model.text(key, "none");
    if (said == "none") return Weights::Squash::none;
    if (said == "tanh") return Weights::Squash::tanh;
    if (said == "ptanh") return Weights::Squash::ptanh;
    refuse(model, "config.{} is \"{}\"; expected \"none\", \"tanh\" or \"ptanh\"", key, said);
}

RowActivation read_activation(LayerReader& read, const std::string& prefix, int number, int channels) {
    const std::string key = fmt::format("activation{}", number);
    const std::string said = read.model().text(key, "PReLU");
    const auto kind = activation_named(said);
    if (!kind)
        refuse(read.model(),
               "config.{} is \"{}\"; expected \"PReLU\", \"ReLU\", \"GELU\", \"tanh\", \"sigmoid\", "
               "\"PTanh\" or \"Identity\"",
               key, said);
    if (!learns(*kind)) return RowActivation(*kind, channels);
    const Tensor& factor = read.tensor(prefix + key + ".factor", {any_size}, channels);
    if (factor.data.size() != 1 && static_cast<int>(factor.data.size()) != channels)
        refuse(read.model(), "tensor \"{}\" has {} elements; expected 1 or {}", factor.name,
               factor.data.size(), channels);
    return RowActivation(*kind, channels, factor.data);
}

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
        refuse(read.model(), "{} blocks; at most {} are supported", blocks, Weights::most_blocks);
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
    const Tensor& expand = read.tensor("expand.weight", {any_size, 1}, Weights::most_channels);
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

double operations_of(ActivationKind kind) {
    const bool is_plain = kind == ActivationKind::prelu || kind == ActivationKind::relu;
    return is_plain ? 2. : kind == ActivationKind::identity ? 0. : operations::transcendental + 1.;
}

double operations_of(const Weights& w, const Model& model) {
    const double c = w.channels;
    double count = operations::dense(c, 1.) + operations::dense(1., c);
    for (std::size_t i = 0; i < w.blocks.size(); ++i) {
        const Weights::OneBlock& block = w.blocks[i];
        const Tensor& modes = *model.find(fmt::format("blocks.{}.ssm.log_a_real", i));
        if (block.linear) count += operations::dense(c, c);
        // a complex product and sum for the state, the real part of another for the output
        count += c * (12. * columns_of(modes) + 2.) + operations::affine(c);
        count += c * (operations_of(block.before.kind()) + operations_of(block.after.kind()));
        if (!block.residual.empty()) count += 2. * c;
    }
    for (const Weights::Squash squash : {w.before_product, w.final})
        if (squash != Weights::Squash::none) count += operations::transcendental;
    if (w.front_decibels) count += operations::transcendental;
    if (w.to_amplitude) count += operations::transcendental;
    return count + (w.product ? 1. : 0.);
}

}  // namespace

S4dWeights::S4dWeights(const Model& model, double rate_hz) : facts(facts_of(model)) {
    facts.plays_at_any_rate = true;
    facts.sample_rate_hz = rate_hz;
    LayerReader read(model);
    double forgets_samples = 0.;
    read_blocks(*this, read, model.sample_rate_hz / rate_hz, forgets_samples);
    conditioning = Conditioning(read);
    for (std::size_t i = 0; i < blocks.size(); ++i)
        conditioning.add_block(read, fmt::format("blocks.{}", i), channels, nullptr, norm_epsilon);
    conditioning.finish();
    read_output(*this, read);
    // else a bound from the slowest poles, one block after the other
    facts.memory_samples = memory_at(rate_hz, model, forgets_samples);
    facts.operations = operations_of(*this, model);
    facts.notes = model.notes_on_extra(read.used());
}

}  // namespace gainstage
