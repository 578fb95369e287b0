#include "nodes/models/ed_lstm/ed_lstm_weights.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nodes/layers/layer_reader.hpp"
#include "nodes/layers/model_config.hpp"
#include "nodes/layers/operations.hpp"
#include "runtime/model/model.hpp"
#include "runtime/node.hpp"

namespace gainstage {

namespace {
constexpr int any = LayerReader::any;
}

EdLstmWeights::EdLstmWeights(const Model& model, double rate_hz)
    : controls(static_cast<int>(model.controls.size())) {
    LayerReader read(model);
    const Tensor& encoder = read.tensor("encoder.h.weight", {any, any}, max_window);
    units = rows_of(encoder);
    window = columns_of(encoder);
    if (units > max_units)
        refuse(model, "tensor \"{}\" has {} rows; expected 1 to {}", encoder.name, units, max_units);
    if (model.number("window", window) != window)
        refuse(model, "config.window is {}, but tensor \"{}\" has {} columns", model.number("window", 0.),
               encoder.name, window);
    carries_cell = is_second(model, "state", "rebuilt", "carried");
    memory_samples = memory_of(model);
    hidden = read_begin(read, "h");
    cell = read_begin(read, "c");
    read_lstm(read);
    dense = read.dense("dense", any, units, max_units);
    output = read.dense("output", window, dense.outputs());
    tensors = read.used();
    if (rate_hz != model.sample_rate_hz)
        throw SetupError(
            fmt::format("{}: an ED-LSTM trained at {} Hz does not run at {} Hz; run the device at {} Hz",
                        model.file, model.sample_rate_hz, rate_hz, model.sample_rate_hz));
}

/// Two windows where nothing is carried. A carried state forgets at the pace of its forget gates, which only
/// a measurement tells.
std::int64_t EdLstmWeights::memory_of(const Model& model) const {
    const std::int64_t least = 2 * window;
    if (!carries_cell) return least;
    const auto longest = static_cast<std::int64_t>(longest_memory_seconds * model.sample_rate_hz);
    return model.memory_samples > 0 ? std::max(least, std::min(model.memory_samples, longest)) : longest;
}

EdLstmWeights::Begin EdLstmWeights::read_begin(LayerReader& read, const std::string& name) const {
    Begin begin{.encoder = read.dense("encoder." + name, units, window), .condition = {}};
    if (controls > 0) begin.condition = read.dense("condition." + name, units, controls);
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

std::vector<std::string> notes_on_ed_lstm(const Model& model) {
    const EdLstmWeights w(model, model.sample_rate_hz);
    std::vector<std::string> notes =
        model.notes_on_extra(std::vector<std::string_view>(w.tensors.begin(), w.tensors.end()));
    if (!w.carries_cell)
        notes.push_back(fmt::format(
            "this ED-LSTM has no memory beyond {} samples ({:.2g} ms), {} of which are its latency: its "
            "state is rebuilt for every window, so it cannot show attack and release; one that was trained "
            "with config.state = \"carried\" can",
            w.memory_samples, 1000. * static_cast<double>(w.memory_samples) / model.sample_rate_hz,
            w.window));
    return notes;
}

double operations_of_ed_lstm(const Model& model) {
    const EdLstmWeights w(model, model.sample_rate_hz);
    const double u = w.units, window = w.window;
    const double step = operations::dense(4. * u, u + 1.) + u * (5. * operations::transcendental + 4.);
    const double end = operations::dense(w.dense.outputs(), u) +
                       operations::transcendental * w.dense.outputs() +
                       operations::dense(window, w.dense.outputs());
    return step + 2. * operations::dense(u, window) / window + end / window;
}

}  // namespace gainstage
