#include "nodes/models/s6/s6_weights.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nodes/layers/layer_reader.hpp"
#include "nodes/layers/model_config.hpp"
#include "nodes/layers/operations.hpp"

namespace gainstage {

S6Weights::S6Weights(const Model& model) : facts(facts_of(model)), controls(model) {
    LayerReader read(model);
    input = read.dense("input", any_size, any_size, max_window);
    window = input->inputs();
    if (input->outputs() > max_channels)
        refuse(model, "tensor \"input.weight\" has {} rows; expected 1 to {}", input->outputs(),
               max_channels);
    if (whole(model, "window", window, 1, max_window) != window)
        refuse(model, "config.window is {}, but tensor \"input.weight\" has {} columns",
               model.number("window", 0.), window);
    const bool remembers = !is_second(model, "meaning", "recurrent", "as_trained");
    if (!remembers) lag_samples = whole(model, "batch", 2400, 1, max_batch);
    tanh_mix = is_second(model, "activation", "gelu", "tanh");
    product = model.flag("product", true);

    read_stage(read, 0, input->outputs(), remembers);
    if (read.has("features.weight")) read_features(read);
    read_film(read, remembers);
    check_controls(model);
    facts.operations = count_operations();
    const int glu = std::max(film_glu.outputs(), temporal_glu.outputs());
    const int ssm_out = std::max(ssm[0].outputs(), ssm[1].outputs());
    row = padded(std::max({input->outputs(), ssm_out, stage_channels(0), stage_channels(1), glu / 2}));
    wide_row = padded(std::max(ssm_out, glu));
    join();
    output.resize(row);
    // how long it remembers only a measurement tells
    facts.memory_samples = memory_at(model.sample_rate_hz, model, longest_memory_s * model.sample_rate_hz);
    facts.notes = model.notes_on_extra(read.used());
}

void S6Weights::read_stage(LayerReader& read, int stage, int channels, bool remembers) {
    SelectiveSsm& layer = ssm[stage];
    layer = SelectiveSsm(read, fmt::format("ssm.{}", stage), channels, remembers);
    mix[stage] = read.dense(fmt::format("mix.{}", stage), any_size, layer.outputs(), max_channels);
}

/// Joins layers with nothing between them if that is less work.
void S6Weights::join() {
    if (ssm[0].is_gated() && input->pays_to_join(ssm[0].in())) {
        ssm[0].follow(*input);
        input.reset();
    }
    for (std::size_t k = 0; k < ssm.size(); ++k)
        if (mix[k] && ssm[k].out().pays_to_join(*mix[k])) {
            ssm[k].lead_to(*mix[k]);
            mix[k].reset();
        }
}

void S6Weights::read_features(LayerReader& read) {
    const Tensor& weight = read.tensor("features.weight", {any_size, any_size}, max_bins);
    const int count = rows_of(weight), bins = columns_of(weight);
    if (count > max_features)
        refuse(read.model(), "tensor \"features.weight\" has {} rows; expected 1 to {}", count, max_features);
    if (2 * bins - 1 < window)
        refuse(read.model(),
               "tensor \"features.weight\" has {} columns; expected {} at least, for a "
               "window of {} samples",
               bins, window / 2 + 1, window);
    features_bias = read.tensor("features.bias", {count}).data;
    features.resize(count * padded(bins));
    for (int f = 0; f < count; ++f)
        std::copy_n(weight.data.begin() + f * bins, bins, features.begin() + f * padded(bins));
    spectrum = SlidingSpectrum(window, bins);
}

void S6Weights::read_film(LayerReader& read, bool remembers) {
    const int channels = stage_channels(0);
    film = read.dense("film", 2 * channels, any_size, max_channels);
    first_controls = film.inputs() - feature_count();
    if (first_controls < 0)
        refuse(read.model(),
               "tensor \"film.weight\" has {} columns; expected {} at least, one for each "
               "feature",
               film.inputs(), feature_count());
    film_glu = read.dense("film.glu", any_size, channels, 2 * max_channels);
    int out = film_glu.outputs();
    if (read.has("temporal.weight_hh")) {
        read_temporal(read, out / 2);
        read_stage(read, 1, temporal_glu.outputs() / 2, remembers);
        out = 2 * stage_channels(1);
    }
    for (const auto& [name, glu] :
         {std::pair{"film.glu.weight", &film_glu}, {"temporal.glu.weight", &temporal_glu}})
        if (glu->outputs() % 2)
            refuse(read.model(), "tensor \"{}\" has {} rows; expected an even number: outputs and gates",
                   name, glu->outputs());
    const Tensor& last = read.tensor("output.weight", {1, out / 2});
    output.assign(last.data.begin(), last.data.end());
    output_bias = read.tensor("output.bias", {1}).data[0];
}

void S6Weights::read_temporal(LayerReader& read, int channels) {
    const int units = 2 * channels, rows = GruCell::gates * units;
    const Tensor& hidden = read.tensor("temporal.weight_hh", {rows, units});
    const Tensor& in = read.tensor("temporal.weight_ih", {rows, any_size}, GruCell::gates * max_channels * 2);
    second_controls = columns_of(in) - feature_count();
    if (second_controls < 0 || columns_of(in) > max_channels)
        refuse(read.model(), "tensor \"temporal.weight_ih\" has {} columns; expected {} to {}",
               columns_of(in), std::max(1, feature_count()), max_channels);
    cell = GruCell(CellWeights{.units = units,
                               .inputs = columns_of(in),
                               .weight_ih = in.data,
                               .weight_hh = hidden.data,
                               .bias_ih = read.tensor("temporal.bias_ih", {rows}).data,
                               .bias_hh = read.tensor("temporal.bias_hh", {rows}).data});
    temporal_glu = read.dense("temporal.glu", any_size, channels, 2 * max_channels);
}

void S6Weights::check_controls(const Model& model) const {
    if (controls.size() != first_controls + second_controls)
        refuse(model, "{} controls are declared, but tensor \"film.weight\" takes {}{}", controls.size(),
               first_controls,
               has_temporal() ? fmt::format(" and tensor \"temporal.weight_ih\" {}", second_controls) : "");
}

/// Counts the layers as they are in the file.
double S6Weights::count_operations() const {
    const auto of = [](const Dense& layer) { return operations::dense(layer.outputs(), layer.inputs()); };
    const auto stage = [&](int k) {
        return ssm[k].operations() + of(*mix[k]) + operations::transcendental * stage_channels(k);
    };
    const auto modulation = [&](const Dense& glu) {
        return operations::affine(glu.inputs()) + of(glu) + 4. * glu.inputs();
    };
    const double last = has_temporal() ? stage_channels(1) : film_glu.outputs() / 2;
    double count = of(*input) + stage(0) + of(film) + modulation(film_glu) + operations::dense(1, last);
    if (has_features())
        count += spectrum.bins() * (8. + 3. + operations::transcendental) +
                 operations::dense(feature_count(), spectrum.bins());
    if (has_temporal())
        count += operations::dense(3. * cell.units(), cell.units() + second_controls + feature_count()) +
                 cell.units() * (3. * operations::transcendental + 6.) + modulation(temporal_glu) + stage(1);
    return count + (product ? 1. : 0.);
}

}  // namespace gainstage
