#include "nodes/models/recurrent/recurrent_weights.hpp"

#include <algorithm>

#include "nodes/layers/model_config.hpp"
#include "nodes/layers/operations.hpp"

namespace gainstage {

RecurrentWeights::RecurrentWeights(const Model& model, int gates) : facts(facts_of(model)), controls(model) {
    LayerReader read(model);
    const int count = count_of(model, "layers.", max_layers);
    for (int n = 0; n < count; ++n) read_layer(read, fmt::format("layers.{}", n), gates);
    const int units = layers.back().units;
    output.resize(padded(units));
    const Tensor& weight = read.tensor("output.weight", {1, units});
    std::copy(weight.data.begin(), weight.data.end(), output.begin());
    output_bias = read.tensor("output.bias", {1}).data[0];
    final_tanh = is_second(model, "final_tanh", "none", "tanh");
    skip = whole(model, "skip", 0, 0, 1) == 1;
    // how long it remembers only a measurement tells
    facts.memory_samples = memory_at(model.sample_rate_hz, model, longest_memory_s * model.sample_rate_hz);
    facts.operations = count_operations();
    facts.notes = model.notes_on_extra(read.used());
}

void RecurrentWeights::read_layer(LayerReader& read, const std::string& prefix, int gates) {
    const bool first = layers.empty();
    const int inputs = first ? 1 + controls.size() : layers.back().units;
    const Tensor& hidden = read.tensor(prefix + ".weight_hh", {any_size, any_size}, gates * max_units);
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

double RecurrentWeights::count_operations() const noexcept {
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
