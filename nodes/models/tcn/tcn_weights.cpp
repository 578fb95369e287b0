#include "nodes/models/tcn/tcn_weights.hpp"

#include <algorithm>

#include "nodes/layers/layer_reader.hpp"
#include "nodes/layers/model_config.hpp"
#include "nodes/layers/operations.hpp"

namespace gainstage {

namespace {

/// growth to the power of `exponent`. Throws ModelError if no file may have such a dilation.
int dilation_of(const Model& model, int growth, int exponent) {
    std::int64_t dilation = 1;
    for (int n = 0; n < exponent; ++n) {
        dilation *= growth;
        if (dilation > TcnWeights::max_state_floats)
            refuse(model, "config.dilation_growth {} makes the dilation of block {} too long", growth,
                   exponent);
    }
    return static_cast<int>(dilation);
}

}  // namespace

TcnWeights::TcnWeights(const Model& model) : facts(facts_of(model)) {
    LayerReader read(model);
    conditioning = Conditioning(read);
    read_blocks(read);
    read_output(read);
    measure(model);
    final_tanh = is_second(model, "final_tanh", "none", "tanh");
    starts_silent = !is_second(model, "start", "silence", "zeros");
    facts.operations = count_operations(model);
    facts.notes = model.notes_on_extra(read.used());
}

void TcnWeights::read_blocks(LayerReader& read) {
    const Model& model = read.model();
    const int growth = whole(model, "dilation_growth", 1, 1, max_growth);
    const int stack = whole(model, "stack_size", max_blocks, 1, max_blocks);
    const int count = count_of(model, "blocks.", max_blocks);
    for (int n = 0; n < count; ++n)
        read_block(read, fmt::format("blocks.{}", n), dilation_of(model, growth, n % stack));
    conditioning.finish();
}

void TcnWeights::read_block(LayerReader& read, const std::string& prefix, int dilation) {
    const Model& model = read.model();
    const Tensor& conv = read.tensor(prefix + ".conv.weight", {any_size, any_size, any_size}, max_channels);
    const int channels = rows_of(conv), group = columns_of(conv), taps = static_cast<int>(conv.shape[2]);
    const int inputs = blocks.empty() ? 1 : blocks.back().shape().outputs;
    if (inputs % group != 0 || channels % (inputs / group) != 0)
        refuse(model, "tensor \"{}\" has shape ({}, {}, {}); expected ({}, {}, {}), or groups of them",
               conv.name, channels, group, taps, channels, inputs, taps);
    const Tensor& residual = read.tensor(prefix + ".residual.weight", {channels, any_size}, max_channels);
    const int residual_group = columns_of(residual);
    if (residual_group != inputs && (residual_group != 1 || channels % inputs != 0))
        refuse(model, "tensor \"{}\" has shape ({}, {}); expected ({}, {}), or ({}, 1) for groups of one",
               residual.name, channels, residual_group, channels, inputs, channels);
    const Tensor& slope = read.tensor(prefix + ".slope", {any_size}, max_channels);
    if (rows_of(slope) != channels && rows_of(slope) != 1)
        refuse(model, "tensor \"{}\" has shape ({}); expected ({}) or (1)", slope.name, rows_of(slope),
               channels);
    const Tensor* const bias =
        read.has(prefix + ".conv.bias") ? &read.tensor(prefix + ".conv.bias", {channels}) : nullptr;
    const double epsilon = model.number("norm_epsilon", 1e-5);
    if (!(epsilon > 0.)) refuse(model, "config.norm_epsilon is {}; expected a number above 0", epsilon);
    conditioning.add_block(read, prefix, channels, bias, epsilon);

    const std::int64_t span = std::int64_t{taps - 1} * dilation;
    if (span > max_state_floats) refuse(model, "{} with a dilation of {} is too long", prefix, dilation);
    const bool causal = model.flag("causal", true);
    const int delay = whole(model, "residual_delay", 0, 0, 1);
    blocks.emplace_back(
        DilatedBlock::Shape{.inputs = inputs,
                            .outputs = channels,
                            .taps = taps,
                            .dilation = dilation,
                            .residual_delay = causal ? delay : static_cast<int>(span - span / 2)},
        DilatedBlock::Weights{.conv = conv.data,
                              .slope = slope.data,
                              .residual = residual.data,
                              .conv_inputs = group,
                              .residual_inputs = residual_group});
}

void TcnWeights::read_output(LayerReader& read) {
    const int channels = blocks.back().shape().outputs;
    if (read.has("output.weight")) {
        output.resize(padded(channels));
        const Tensor& weight = read.tensor("output.weight", {1, channels});
        std::copy(weight.data.begin(), weight.data.end(), output.begin());
        output_bias = read.tensor("output.bias", {1}).data[0];
    } else if (channels != 1) {
        refuse(read.model(), "tensor \"output.weight\" is missing, and the last of {} blocks has {} channels",
               blocks.size(), channels);
    }
}

/// Computes receptive field and latency, and checks that the state is within bounds.
void TcnWeights::measure(const Model& model) {
    std::int64_t history = 0, floats = 0;
    for (const DilatedBlock& block : blocks) {
        history += block.shape().history();
        floats += block.shape().history() * block.shape().input_width();
    }
    if (floats > max_state_floats)
        refuse(model, "its blocks would remember {} numbers a channel; at most {} are supported", floats,
               max_state_floats);
    if (static_cast<double>(history) > longest_memory_s * model.sample_rate_hz)
        refuse(model, "its receptive field of {} samples is longer than {} s", history + 1, longest_memory_s);
    facts.memory_samples = history + 1;  // the receptive field: beyond it nothing matters
    if (model.receptive_field > 0 && model.receptive_field != facts.memory_samples)
        refuse(model, "receptive_field is {}, but the tensors make it {}", model.receptive_field,
               facts.memory_samples);
    if (!model.flag("causal", true)) facts.latency_samples = static_cast<int>(history - history / 2);
}

double TcnWeights::count_operations(const Model& model) const {
    double count = output.empty() ? 0. : operations::dense(1., blocks.back().shape().outputs);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const DilatedBlock::Shape& shape = blocks[i].shape();
        const auto numbers = [&](const char* name) {
            return static_cast<double>(model.find(fmt::format("blocks.{}.{}.weight", i, name))->data.size());
        };
        count += 2. * numbers("conv") + 2. * numbers("residual") + operations::affine(shape.outputs) +
                 2. * shape.outputs;
    }
    return count + (final_tanh ? operations::transcendental : 0.);
}

}  // namespace gainstage
