#include "nodes/models/recurrent/recurrent_weights.hpp"

#include <algorithm>
#include <cmath>

#include "nodes/layers/layer_reader.hpp"
#include "nodes/layers/model_config.hpp"
#include "nodes/layers/operations.hpp"
#include "runtime/node.hpp"

namespace gainstage {

RecurrentWeights::RecurrentWeights(const Model& model, int gates, double rate_hz) {
    if (std::abs(rate_hz - model.sample_rate_hz) >= 0.5)
        throw SetupError(
            fmt::format("{}: a recurrent network trained at {} Hz does not run at {} Hz; run the device at "
                        "{} Hz",
                        model.file, model.sample_rate_hz, rate_hz, model.sample_rate_hz));
    for (const ModelControl& control : model.controls) controls.push_back({control.scale, control.offset});
    LayerReader read(model);
    const int count = count_of(model, "layers.", max_layers);
    for (int n = 0; n < count; ++n) read_layer(read, fmt::format("layers.{}", n), gates);
    const int units = layers.back().units;
    output.resize(padded(units));
    const Tensor& weight = read.tensor("output.weight", {1, units});
    std::copy(weight.data.begin(), weight.data.end(), output.begin());
    output_bias = read.tensor("output.bias", {1}).data[0];
    tensors = read.used();
    final_tanh = is_second(model, "final_tanh", "none", "tanh");
    skip = whole(model, "skip", 0, 0, 1) == 1;
    const auto longest = static_cast<std::int64_t>(longest_memory_seconds * rate_hz);
    memory_samples = model.memory_samples > 0 ? std::min(model.memory_samples, longest) : longest;
}

void RecurrentWeights::read_layer(LayerReader& read, const std::string& prefix, int gates) {
    const bool first = layers.empty();
    const int inputs = first ? 1 + static_cast<int>(controls.size()) : layers.back().units;
    const Tensor& hidden =
        read.tensor(prefix + ".weight_hh", {LayerReader::any, LayerReader::any}, gates * max_units);
    const int units = columns_of(hidden), rows = gates * units;
    if (rows_of(hidden) != rows || units > max_units || (!first && units != layers.back().units))
        refuse(read.model(), "tensor \"{}\" has shape ({}, {}); expected ({} units, units), of {} units",
               hidden.name, rows_of(hidden), units, gates,
               first ? fmt::format("1 to {}", max_units) : fmt::to_string(layers.back().units));
    layers.push_back({.units = units,
                      .inputs = inputs,
                      .weight_ih = read.tensor(prefix + ".weight_ih", {rows, inputs}).data,
                      .weight_hh = hidden.data,
                      .bias_ih = read.tensor(prefix + ".bias_ih", {rows}).data,
                      .bias_hh = read.tensor(prefix + ".bias_hh", {rows}).data,
                      .sample_apart = first});
}

double RecurrentWeights::operations() const noexcept {
    double count =
        2. * static_cast<double>(layers.back().units) + (final_tanh ? operations::transcendental : 0.);
    for (const CellWeights& layer : layers) {
        const double u = layer.units;
        const double gates = static_cast<double>(layer.weight_hh.size()) / (u * u);
        const double squashed = gates == 4. ? 5. : 3.;  // an LSTM squashes its cell, too
        count +=
            operations::dense(gates * u, u + layer.inputs) + u * (squashed * operations::transcendental + 5.);
    }
    return count + (skip ? 1. : 0.);
}

}  // namespace gainstage
