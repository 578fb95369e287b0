#include "nodes/models/s6/s6_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nodes/layers/layer_reader.hpp"
#include "nodes/layers/operations.hpp"
#include "runtime/model/model.hpp"
#include "runtime/node.hpp"

namespace gainstage {

namespace {

constexpr int any = LayerReader::any;
constexpr double longest_memory_seconds = 10.;

[[noreturn]] void refuse(const Model& model, const std::string& what) {
    throw ModelError(fmt::format("{}: {}", model.file, what));
}

/// config.KEY, one of two words; the first is the default.
bool is_second(const Model& model, std::string_view key, std::string_view first, std::string_view second) {
    const std::string said = model.text(key, first);
    if (said != first && said != second)
        refuse(model,
               fmt::format("config.{} is \"{}\"; expected \"{}\" or \"{}\"", key, said, first, second));
    return said == second;
}

/// config.KEY, a whole number within bounds.
int whole_number(const Model& model, std::string_view key, int fallback, int most) {
    const double said = model.number(key, fallback);
    if (!(said >= 1. && said <= most) || said != std::floor(said))
        refuse(model, fmt::format("config.{} is {}; expected a whole number from 1 to {}", key, said, most));
    return static_cast<int>(said);
}

void check_rate(const Model& model, double rate_hz) {
    if (rate_hz != model.sample_rate_hz)
        throw SetupError(
            fmt::format("{}: an S6 trained at {} Hz does not run at {} Hz; run the device at {} Hz",
                        model.file, model.sample_rate_hz, rate_hz, model.sample_rate_hz));
}

}  // namespace

S6Weights::S6Weights(const Model& model, double rate_hz) {
    LayerReader read(model);
    input = read.dense("input", any, any, max_window);
    window = input->inputs();
    if (input->outputs() > max_channels)
        refuse(model, fmt::format("tensor \"input.weight\" has {} rows; expected 1 to {}", input->outputs(),
                                  max_channels));
    if (whole_number(model, "window", window, max_window) != window)
        refuse(model, fmt::format("config.window is {}, but tensor \"input.weight\" has {} columns",
                                  model.number("window", 0.), window));
    const bool remembers = !is_second(model, "meaning", "recurrent", "as_trained");
    if (!remembers) lag_samples = whole_number(model, "batch", 2400, max_batch);
    tanh_mix = is_second(model, "activation", "gelu", "tanh");
    product = model.flag("product", true);

    read_stage(read, 0, input->outputs(), remembers);
    if (read.has("features.weight")) read_features(read);
    read_film(read, remembers);
    check_controls(model);
    check_rate(model, rate_hz);
    operations = count_operations();
    const int glu = std::max(film_glu.outputs(), temporal_glu.outputs());
    const int ssm_out = std::max(ssm[0].outputs(), ssm[1].outputs());
    row = padded(std::max({input->outputs(), ssm_out, stage_channels(0), stage_channels(1), glu / 2}));
    wide_row = padded(std::max(ssm_out, glu));
    join();
    output.resize(row);
    tensors = read.used();
    const auto longest = static_cast<std::int64_t>(std::ceil(longest_memory_seconds * rate_hz));
    memory_samples = model.memory_samples > 0 ? std::min(model.memory_samples, longest) : longest;
}

void S6Weights::read_stage(LayerReader& read, int stage, int channels, bool remembers) {
    SelectiveSsm& layer = ssm[stage];
    layer = SelectiveSsm(read, fmt::format("ssm.{}", stage), channels, remembers);
    mix[stage] = read.dense(fmt::format("mix.{}", stage), any, layer.outputs(), max_channels);
}

/// Layers with nothing between them become one where that is less work.
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
    const Tensor& weight = read.tensor("features.weight", {any, any}, max_bins);
    const int count = rows_of(weight), bins = columns_of(weight);
    if (count > max_features)
        refuse(read.model(),
               fmt::format("tensor \"features.weight\" has {} rows; expected 1 to {}", count, max_features));
    if (2 * bins - 1 < window)
        refuse(read.model(),
               fmt::format("tensor \"features.weight\" has {} columns; expected {} at least, for a "
                           "window of {} samples",
                           bins, window / 2 + 1, window));
    features_bias = read.tensor("features.bias", {count}).data;
    features.resize(count * padded(bins));
    for (int f = 0; f < count; ++f)
        std::copy_n(weight.data.begin() + f * bins, bins, features.begin() + f * padded(bins));
    spectrum = SlidingSpectrum(window, bins);
}

void S6Weights::read_film(LayerReader& read, bool remembers) {
    const int channels = stage_channels(0);
    film = read.dense("film", 2 * channels, any, max_channels);
    first_controls = film.inputs() - feature_count();
    if (first_controls < 0)
        refuse(read.model(),
               fmt::format("tensor \"film.weight\" has {} columns; expected {} at least, one for each "
                           "feature",
                           film.inputs(), feature_count()));
    film_glu = read.dense("film.glu", any, channels, 2 * max_channels);
    int out = film_glu.outputs();
    if (read.has("temporal.weight_hh")) {
        read_temporal(read, out / 2);
        read_stage(read, 1, temporal_glu.outputs() / 2, remembers);
        out = 2 * stage_channels(1);
    }
    for (const auto& [name, glu] :
         {std::pair{"film.glu.weight", &film_glu}, {"temporal.glu.weight", &temporal_glu}})
        if (glu->outputs() % 2)
            refuse(read.model(),
                   fmt::format("tensor \"{}\" has {} rows; expected an even number: outputs and gates", name,
                               glu->outputs()));
    const Tensor& last = read.tensor("output.weight", {1, out / 2});
    output.assign(last.data.begin(), last.data.end());
    output_bias = read.tensor("output.bias", {1}).data[0];
}

void S6Weights::read_temporal(LayerReader& read, int channels) {
    const int units = 2 * channels, rows = GruCell::gates * units;
    const Tensor& hidden = read.tensor("temporal.weight_hh", {rows, units});
    const Tensor& in = read.tensor("temporal.weight_ih", {rows, any}, GruCell::gates * max_channels * 2);
    second_controls = columns_of(in) - feature_count();
    if (second_controls < 0 || columns_of(in) > max_channels)
        refuse(read.model(), fmt::format("tensor \"temporal.weight_ih\" has {} columns; expected {} to {}",
                                         columns_of(in), std::max(1, feature_count()), max_channels));
    cell = GruCell(CellWeights{.units = units,
                               .inputs = columns_of(in),
                               .weight_ih = in.data,
                               .weight_hh = hidden.data,
                               .bias_ih = read.tensor("temporal.bias_ih", {rows}).data,
                               .bias_hh = read.tensor("temporal.bias_hh", {rows}).data});
    temporal_glu = read.dense("temporal.glu", any, channels, 2 * max_channels);
}

void S6Weights::check_controls(const Model& model) const {
    const int controls = static_cast<int>(model.controls.size());
    if (controls != first_controls + second_controls)
        refuse(
            model,
            fmt::format(
                "{} controls are declared, but tensor \"film.weight\" takes {}{}", controls, first_controls,
                has_temporal() ? fmt::format(" and tensor \"temporal.weight_ih\" {}", second_controls) : ""));
}

std::vector<std::string> notes_on_s6(const Model& model) {
    const std::vector<std::string> used = S6Weights(model, model.sample_rate_hz).tensors;
    return model.notes_on_extra(std::vector<std::string_view>(used.begin(), used.end()));
}

double operations_of_s6(const Model& model) {
    return S6Weights(model, model.sample_rate_hz).operations;
}

/// Of the layers as the file has them.
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
