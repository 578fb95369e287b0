#include "nodes/models/ed_lstm/ed_lstm_weights.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nodes/layers/model_config.hpp"
#include "nodes/layers/operations.hpp"
#include "runtime/number_text.hpp"

namespace gainstage {

EdLstmWeights::EdLstmWeights(const Model& model) : facts(facts_of(model)), controls(model) {
    LayerReader read(model);
    const Tensor& encoder = read.tensor("encoder.h.weight", {any_size, any_size}, max_window);
    units = rows_of(encoder);
    window = columns_of(encoder);
    if (units > max_units)
        refuse(model, "tensor \"{}\" has {} rows; expected 1 to {}", encoder.name, units, max_units);
    if (model.number("window", window) != window)
        refuse(model, "config.window is {}, but tensor \"{}\" has {} columns", model.number("window", 0.),
               encoder.name, window);
    carries_cell = is_second(model, "state", "rebuilt", "carried");
    hidden = read_begin(read, "h");
    cell = read_begin(read, "c");
    read_lstm(read);
    dense = read.dense("dense", any_size, units, max_units);
    output = read.dense("output", window, dense.outputs());
    facts.latency_samples = window;
    facts.memory_samples = memory_of(model);
    facts.operations = count_operations();
    facts.notes = model.notes_on_extra(read.used());
    if (!carries_cell) facts.notes.push_back(note_on_memory());
}

/// Two windows if nothing is carried. How long a carried state remembers, its forget gates decide; it has to
/// be measured.
std::int64_t EdLstmWeights::memory_of(const Model& model) const {
    const std::int64_t least = 2 * window;
    if (!carries_cell) return least;
    return std::max(least, memory_at(model.sample_rate_hz, model, longest_memory_s * model.sample_rate_hz));
}

EdLstmWeights::Begin EdLstmWeights::read_begin(LayerReader& read, const std::string& name) const {
    Begin begin{.encoder = read.dense("encoder." + name, units, window), .condition = {}};
    if (controls.size() > 0) begin.condition = read.dense("condition." + name, units, controls.size());
    return begin;
}

void EdLstmWeights::read_lstm(LayerReader& read) {
    const int rows = 4 * units;
    const std::vector<float> no_bias(rows);
    const Tensor& in = read.tensor("lstm.weight_ih", {rows, 1});
    const Tensor& recurrent = read.tensor("lstm.weight_hh", {rows, units});
    lstm = LstmWindows(CellWeights{.units = units,
                                   .inputs = 1,
                                   .weight_ih = in.data,
                                   .weight_hh = recurrent.data,
                                   .bias_ih = read.tensor("lstm.bias", {rows}).data,
                                   .bias_hh = no_bias});
}

std::string EdLstmWeights::note_on_memory() const {
    return fmt::format(
        "this ED-LSTM has no memory beyond {} samples ({} ms), {} of which are its latency: its state is "
        "rebuilt for every window, so it cannot show attack and release; one that was trained with "
        "config.state = \"carried\" can",
        facts.memory_samples,
        number_text(1000. * static_cast<double>(facts.memory_samples) / facts.model_rate_hz, 2), window);
}

double EdLstmWeights::count_operations() const {
    const double u = units, w = window;
    const double step = operations::dense(4. * u, u + 1.) + u * (5. * operations::transcendental + 4.);
    const double end = operations::dense(dense.outputs(), u) + operations::transcendental * dense.outputs() +
                       operations::dense(w, dense.outputs());
    return step + 2. * operations::dense(u, w) / w + end / w;
}

}  // namespace gainstage
