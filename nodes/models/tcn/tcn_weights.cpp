#include "nodes/models/tcn/tcn_weights.hpp"

#include <algorithm>
#include <cmath>

#include "nodes/layers/layer_reader.hpp"
#include "nodes/layers/model_config.hpp"
#include "nodes/layers/operations.hpp"
#include "runtime/node.hpp"

namespace gainstage {

namespace {

constexpr int any = LayerReader::any;

/// growth to the power of `exponent`, where that is a dilation that any file may have.
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

/// The layer from z to all gains and offsets, as it grows block by block.
struct TcnWeights::Folded {
    int inputs;
    std::vector<float> weight = {}, bias = {};

    /// Two rows of outputs: gain a + b and offset of (conv + conv_bias - mean) / deviation.
    void add(int channels, const Tensor* film_weight, const Tensor* film_bias, const Tensor* mean,
             const Tensor* variance, const Tensor* conv_bias, double epsilon) {
        const int width = padded(channels), begin = static_cast<int>(bias.size());
        bias.resize(begin + 2 * width);
        weight.resize(bias.size() * inputs);
        for (int c = 0; c < channels; ++c) {
            const double scale = variance ? 1. / std::sqrt(double{variance->data[c]} + epsilon) : 1.;
            const double centre =
                (conv_bias ? double{conv_bias->data[c]} : 0.) - (mean ? double{mean->data[c]} : 0.);
            const auto fold = [&](double gain, double offset, float& to_gain, float& to_offset) {
                to_gain = static_cast<float>(gain * scale);
                to_offset = static_cast<float>(offset + gain * scale * centre);
            };
            fold(film_bias ? double{film_bias->data[c]} : 1.,
                 film_bias ? double{film_bias->data[channels + c]} : 0., bias[begin + c],
                 bias[begin + width + c]);
            for (int i = 0; film_weight && i < inputs; ++i)
                fold(double{film_weight->data[c * inputs + i]},
                     double{film_weight->data[(channels + c) * inputs + i]}, weight[(begin + c) * inputs + i],
                     weight[(begin + width + c) * inputs + i]);
        }
    }
};

TcnWeights::TcnWeights(const Model& model, double rate_hz) {
    if (std::abs(rate_hz - model.sample_rate_hz) >= 0.5)
        throw SetupError(
            fmt::format("{}: a convolutional network trained at {} Hz does not run at {} Hz; run the device "
                        "at {} Hz",
                        model.file, model.sample_rate_hz, rate_hz, model.sample_rate_hz));
    LayerReader read(model);
    read_controls(model);
    read_blocks(read);
    read_output(read);
    measure(model);
    final_tanh = is_second(model, "final_tanh", "none", "tanh");
    starts_silent = !is_second(model, "start", "silence", "zeros");
    tensors.insert(tensors.end(), read.used().begin(), read.used().end());
}

void TcnWeights::read_controls(const Model& model) {
    for (const ModelControl& control : model.controls) controls.push_back({control.scale, control.offset});
    if (model.find("conditioning.0.weight")) {
        conditioning.emplace(model, "conditioning", static_cast<int>(controls.size()), Activation::relu);
        tensors = conditioning->tensors();
    }
    heard_.resize(controls.size());
    vector_.resize(conditioning_width());
}

int TcnWeights::conditioning_width() const noexcept {
    return conditioning ? conditioning->outputs() : static_cast<int>(controls.size());
}

void TcnWeights::read_blocks(LayerReader& read) {
    const Model& model = read.model();
    const int growth = whole(model, "dilation_growth", 1, 1, max_growth);
    const int stack = whole(model, "stack_size", max_blocks, 1, max_blocks);
    Folded folded{.inputs = conditioning_width()};
    const int count = count_of(model, "blocks.", max_blocks);
    for (int n = 0; n < count; ++n)
        read_block(read, fmt::format("blocks.{}", n), dilation_of(model, growth, n % stack), folded);
    film = Dense(static_cast<int>(folded.bias.size()), folded.inputs, folded.weight, folded.bias);
}

void TcnWeights::read_block(LayerReader& read, const std::string& prefix, int dilation, Folded& folded) {
    const Model& model = read.model();
    const auto optional = [&](const char* name, std::initializer_list<int> shape) {
        return read.has(prefix + name) ? &read.tensor(prefix + name, shape) : nullptr;
    };
    const Tensor& conv = read.tensor(prefix + ".conv.weight", {any, any, any}, max_channels);
    const int channels = rows_of(conv), group = columns_of(conv), taps = static_cast<int>(conv.shape[2]);
    const int inputs = blocks.empty() ? 1 : blocks.back().shape().outputs;
    if (inputs % group != 0 || channels % (inputs / group) != 0)
        refuse(model, "tensor \"{}\" has shape ({}, {}, {}); expected ({}, {}, {}), or groups of them",
               conv.name, channels, group, taps, channels, inputs, taps);
    const Tensor& residual = read.tensor(prefix + ".residual.weight", {channels, any}, max_channels);
    const int residual_group = columns_of(residual);
    if (residual_group != inputs && (residual_group != 1 || channels % inputs != 0))
        refuse(model, "tensor \"{}\" has shape ({}, {}); expected ({}, {}), or ({}, 1) for groups of one",
               residual.name, channels, residual_group, channels, inputs, channels);
    const Tensor& slope = read.tensor(prefix + ".slope", {any}, max_channels);
    if (rows_of(slope) != channels && rows_of(slope) != 1)
        refuse(model, "tensor \"{}\" has shape ({}); expected ({}) or (1)", slope.name, rows_of(slope),
               channels);
    const Tensor* mean = optional(".norm.mean", {channels});
    const Tensor* variance = mean ? &read.tensor(prefix + ".norm.variance", {channels}) : nullptr;
    if (variance && *std::min_element(variance->data.begin(), variance->data.end()) < 0.f)
        refuse(model, "tensor \"{}\" holds a number below 0", variance->name);
    const bool heeds_knobs = folded.inputs > 0;
    const Tensor* film_weight =
        heeds_knobs ? &read.tensor(prefix + ".film.weight", {2 * channels, folded.inputs}) : nullptr;
    const Tensor* film_bias = heeds_knobs ? &read.tensor(prefix + ".film.bias", {2 * channels})
                                          : optional(".film.bias", {2 * channels});
    const double epsilon = model.number("norm_epsilon", 1e-5);
    if (!(epsilon > 0.)) refuse(model, "config.norm_epsilon is {}; expected a number above 0", epsilon);
    folded.add(channels, film_weight, film_bias, mean, variance, optional(".conv.bias", {channels}), epsilon);

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

/// Receptive field, latency, and whether what has to be remembered is within bounds.
void TcnWeights::measure(const Model& model) {
    std::int64_t history = 0, floats = 0;
    for (const DilatedBlock& block : blocks) {
        history += block.shape().history();
        floats += block.shape().history() * block.shape().input_width();
    }
    if (floats > max_state_floats)
        refuse(model, "its blocks would remember {} numbers a channel; at most {} are supported", floats,
               max_state_floats);
    if (static_cast<double>(history) > longest_memory_seconds * model.sample_rate_hz)
        refuse(model, "its receptive field of {} samples is longer than {} s", history + 1,
               longest_memory_seconds);
    receptive_field = static_cast<int>(history) + 1;
    if (model.receptive_field > 0 && model.receptive_field != receptive_field)
        refuse(model, "receptive_field is {}, but the tensors make it {}", model.receptive_field,
               receptive_field);
    if (!model.flag("causal", true)) latency_samples = static_cast<int>(history - history / 2);
}

void TcnWeights::evaluate(const float* knobs, float* values) noexcept {
    for (std::size_t i = 0; i < controls.size(); ++i)
        heard_[i] = knobs[i] * controls[i].scale + controls[i].offset;
    if (conditioning) {
        conditioning->evaluate(heard_.data(), vector_.data());
        for (float& value : vector_) value = std::max(value, 0.f);
    } else {
        std::copy(heard_.begin(), heard_.end(), vector_.begin());
    }
    film.run(vector_.data(), 0, values, 0, 1);
}

std::vector<std::string> notes_on_tcn(const Model& model) {
    const std::vector<std::string> used = TcnWeights(model, model.sample_rate_hz).tensors;
    return model.notes_on_extra(std::vector<std::string_view>(used.begin(), used.end()));
}

double operations_of_tcn(const Model& model) {
    const TcnWeights w(model, model.sample_rate_hz);
    double count = w.output.empty() ? 0. : operations::dense(1., w.blocks.back().shape().outputs);
    for (std::size_t i = 0; i < w.blocks.size(); ++i) {
        const DilatedBlock::Shape& shape = w.blocks[i].shape();
        const auto numbers = [&](const char* name) {
            return static_cast<double>(model.find(fmt::format("blocks.{}.{}.weight", i, name))->data.size());
        };
        count += 2. * numbers("conv") + 2. * numbers("residual") + operations::affine(shape.outputs) +
                 2. * shape.outputs;
    }
    return count + (w.final_tanh ? operations::transcendental : 0.);
}

}  // namespace gainstage
