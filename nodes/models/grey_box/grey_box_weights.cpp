#include "nodes/models/grey_box/grey_box_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nodes/dsp/grey_box_maths.hpp"
#include "nodes/layers/operations.hpp"
#include "runtime/model/model.hpp"
#include "runtime/node.hpp"

namespace gainstage {

namespace {

constexpr double longest_memory_seconds = 10.;
/// From 80 dB of reduction down to what changes the sound by -80 dB: ln(80 dB / 8.7e-4 dB) time constants.
constexpr double time_constants_to_forget = 11.43;

/// `config.KEY`, where given, must say what the tensors say.
void agree(const Model& model, std::string_view key, std::string_view found) {
    const std::string said = model.text(key, found);
    if (said != found)
        throw ModelError(fmt::format("{}: config.{} is \"{}\", but the tensors make it \"{}\"", model.file,
                                     key, said, found));
}

/// One of two words.
bool is_second(const Model& model, std::string_view key, std::string_view first, std::string_view second) {
    const std::string said = model.text(key, first);
    if (said != first && said != second)
        throw ModelError(fmt::format("{}: config.{} is \"{}\"; expected \"{}\" or \"{}\"", model.file, key,
                                     said, first, second));
    return said == second;
}

Activation activation_of(const Model& model) {
    return is_second(model, "mlp_activation", "tanh", "relu") ? Activation::relu : Activation::tanh;
}

void read_curve(GreyBoxWeights& w, const Model& model) {
    if (w.mlp.outputs() != 2 && w.mlp.outputs() != 3)
        throw ModelError(
            fmt::format("{}: tensor \"mlp.{}.weight\" has {} outputs; expected 2 (threshold, ratio) "
                        "or 3 (and the knee's width)",
                        model.file, w.mlp.layers() - 1, w.mlp.outputs()));
    w.soft_knee = w.mlp.outputs() == 3;
    agree(model, "knee", w.soft_knee ? "soft" : "hard");
    w.linear_curve = is_second(model, "curve_output", "sigmoid", "linear");
}

/// Returns the longest time constant, s.
double read_time_constants(GreyBoxWeights& w, const Model& model, double rate_hz) {
    const Tensor& taus = model.tensor("detector.tau_s", std::array<std::int64_t, 1>{-1});
    if (taus.data.size() != 1 && taus.data.size() != 2)
        throw ModelError(
            fmt::format("{}: tensor \"detector.tau_s\" has {} elements; expected 1 (one-pole) or 2 "
                        "(attack, release)",
                        model.file, taus.data.size()));
    for (const float tau_s : taus.data)
        if (!(tau_s > 0.f))
            throw ModelError(fmt::format("{}: tensor \"detector.tau_s\" holds {}; expected seconds above 0",
                                         model.file, tau_s));
    agree(model, "detector", taus.data.size() == 1 ? "one_pole" : "switching");
    w.attack = grey_box::coefficient(double{taus.data.front()}, rate_hz);
    w.release = grey_box::coefficient(double{taus.data.back()}, rate_hz);
    return double{*std::max_element(taus.data.begin(), taus.data.end())};
}

void read_makeup(GreyBoxWeights& w, const Model& model) {
    if (model.find("makeup.weight_hh")) {
        w.makeup_cell = read_recurrence(model, "makeup");
        agree(model, "makeup", w.makeup_cell->gru ? "gru" : "rnn");
        return;
    }
    const std::array<std::int64_t, 1> one{1};
    w.makeup_factor = 1.f + std::tanh(model.tensor("makeup.gain", one).data[0]);
    w.makeup_offset = std::tanh(model.tensor("makeup.bias", one).data[0]);
    agree(model, "makeup", "static");
}

/// A cell's weights know one rate only.
void check_rate(const GreyBoxWeights& w, const Model& model, double rate_hz) {
    const char* part = w.detector_cell ? "detector" : w.makeup_cell ? "make-up" : nullptr;
    if (part && std::abs(rate_hz - model.sample_rate_hz) >= 0.5)
        throw SetupError(
            fmt::format("{}: its {} is a recurrent network trained at {} Hz, which does not run at "
                        "{} Hz; run the device at {} Hz, or choose a model with a one-pole or "
                        "switching detector and static make-up, which runs at any rate",
                        model.file, part, model.sample_rate_hz, rate_hz, model.sample_rate_hz));
}

std::int64_t memory_of(const Model& model, double longest_tau_s, bool has_cells, double rate_hz) {
    const double measured_s = static_cast<double>(model.memory_samples) / model.sample_rate_hz;
    const double from_tau_s = has_cells ? longest_memory_seconds : time_constants_to_forget * longest_tau_s;
    const double seconds = model.memory_samples > 0 ? measured_s : from_tau_s;
    return static_cast<std::int64_t>(std::ceil(std::min(seconds, longest_memory_seconds) * rate_hz));
}

}  // namespace

GreyBoxWeights::GreyBoxWeights(const Model& model, double rate_hz)
    : mlp(model, "mlp", static_cast<int>(model.controls.size()), activation_of(model)) {
    read_curve(*this, model);
    double longest_tau_s = 0.;
    if (model.find("detector.weight_hh")) {
        detector_cell = read_recurrence(model, "detector");
        agree(model, "detector", detector_cell->gru ? "gru" : "rnn");
    } else {
        longest_tau_s = read_time_constants(*this, model, rate_hz);
    }
    read_makeup(*this, model);
    check_rate(*this, model, rate_hz);
    memory_samples = memory_of(model, longest_tau_s, detector_cell || makeup_cell, rate_hz);
}

bool plays_at_any_rate(const Model& model) {
    return !model.find("detector.weight_hh") && !model.find("makeup.weight_hh");
}

std::vector<std::string> notes_on_grey_box(const Model& model) {
    const GreyBoxWeights weights(model, model.sample_rate_hz);
    std::vector<std::string> used = weights.mlp.tensors();
    const auto add = [&used](const std::vector<std::string>& names) {
        used.insert(used.end(), names.begin(), names.end());
    };
    add(weights.detector_cell ? weights.detector_cell->tensors : std::vector<std::string>{"detector.tau_s"});
    add(weights.makeup_cell ? weights.makeup_cell->tensors
                            : std::vector<std::string>{"makeup.gain", "makeup.bias"});
    return model.notes_on_extra(std::vector<std::string_view>(used.begin(), used.end()));
}

namespace {

double operations_of(const Recurrence& cell) {
    const double u = cell.units, gates = cell.gru ? 3. : 1.;
    return operations::dense(gates * u, u + 1.) + u * gates * operations::transcendental +
           (cell.gru ? 5. * u : 0.) + operations::dense(1., u);
}

}  // namespace

double operations_of_grey_box(const Model& model) {
    const GreyBoxWeights w(model, model.sample_rate_hz);
    double count = 2. * operations::transcendental + (w.soft_knee ? 9. : 5.);  // level, curve, gain
    count += w.detector_cell ? operations_of(*w.detector_cell) + 2. * operations::transcendental + 3. : 4.;
    return count + (w.makeup_cell ? operations_of(*w.makeup_cell) + 1. : 2.);
}

}  // namespace gainstage
