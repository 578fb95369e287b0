#include "nodes/models/grey_box/grey_box_weights.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "nodes/dsp/grey_box_maths.hpp"
#include "nodes/layers/model_config.hpp"
#include "nodes/layers/operations.hpp"

namespace gainstage {

namespace {

/// Until 80 dB of reduction have fallen to 8.7e-4 dB, which changes the sound by -80 dB: ln(80 / 8.7e-4) time
/// constants.
constexpr double time_constants_to_recover = 11.43;

/// `config.KEY`, if given, must agree with the tensors.
void agree(const Model& model, std::string_view key, std::string_view found) {
    const std::string said = model.text(key, found);
    if (said != found) refuse(model, "config.{} is \"{}\", but the tensors make it \"{}\"", key, said, found);
}

Activation activation_of(const Model& model) {
    return is_second(model, "mlp_activation", "tanh", "relu") ? Activation::relu : Activation::tanh;
}

double operations_of(const Recurrence& cell) {
    const double u = cell.units, gates = cell.gru ? 3. : 1.;
    return operations::dense(gates * u, u + 1.) + u * gates * operations::transcendental +
           (cell.gru ? 5. * u : 0.) + operations::dense(1., u);
}

}  // namespace

GreyBoxWeights::GreyBoxWeights(const Model& model, double device_rate_hz)
    : facts(facts_of(model)), controls(model) {
    LayerReader read(model);
    mlp = Mlp(read, "mlp", controls.size(), activation_of(model));
    read_curve(model);
    if (read.has("detector.weight_hh")) {
        detector_cell = read_recurrence(read, "detector");
        agree(model, "detector", detector_cell->gru ? "gru" : "rnn");
    }
    facts.plays_at_any_rate = !detector_cell && !read.has("makeup.weight_hh");
    if (facts.plays_at_any_rate) facts.sample_rate_hz = device_rate_hz;
    const double longest_tau_s = detector_cell ? 0. : read_time_constants(read, facts.sample_rate_hz);
    read_makeup(read);
    // How long a cell remembers only a measurement tells.
    const double forgets_s =
        detector_cell || makeup_cell ? longest_memory_s : time_constants_to_recover * longest_tau_s;
    facts.memory_samples = memory_at(facts.sample_rate_hz, model, forgets_s * facts.sample_rate_hz);
    facts.operations = count_operations();
    facts.notes = model.notes_on_extra(read.used());
}

void GreyBoxWeights::read_curve(const Model& model) {
    if (mlp.outputs() != 2 && mlp.outputs() != 3)
        refuse(model,
               "tensor \"mlp.{}.weight\" has {} outputs; expected 2 (threshold, ratio) or 3 (and the knee's "
               "width)",
               mlp.layers() - 1, mlp.outputs());
    soft_knee = mlp.outputs() == 3;
    agree(model, "knee", soft_knee ? "soft" : "hard");
    linear_curve = is_second(model, "curve_output", "sigmoid", "linear");
}

/// Returns the longest time constant, s.
double GreyBoxWeights::read_time_constants(LayerReader& read, double rate_hz) {
    const Tensor& taus = read.tensor("detector.tau_s", {any_size}, std::numeric_limits<int>::max());
    if (taus.data.size() > 2)
        refuse(read.model(),
               "tensor \"detector.tau_s\" has {} elements; expected 1 (one-pole) or 2 (attack, release)",
               taus.data.size());
    for (const float tau_s : taus.data)
        if (!(tau_s > 0.f))
            refuse(read.model(), "tensor \"detector.tau_s\" holds {}; expected seconds above 0", tau_s);
    agree(read.model(), "detector", taus.data.size() == 1 ? "one_pole" : "switching");
    attack = grey_box::coefficient(double{taus.data.front()}, rate_hz);
    release = grey_box::coefficient(double{taus.data.back()}, rate_hz);
    return double{*std::max_element(taus.data.begin(), taus.data.end())};
}

void GreyBoxWeights::read_makeup(LayerReader& read) {
    if (read.has("makeup.weight_hh")) {
        makeup_cell = read_recurrence(read, "makeup");
        agree(read.model(), "makeup", makeup_cell->gru ? "gru" : "rnn");
        return;
    }
    makeup_factor = 1.f + std::tanh(read.tensor("makeup.gain", {1}).data[0]);
    makeup_offset = std::tanh(read.tensor("makeup.bias", {1}).data[0]);
    agree(read.model(), "makeup", "static");
}

double GreyBoxWeights::count_operations() const {
    double count = 2. * operations::transcendental + (soft_knee ? 9. : 5.);  // level, curve, gain
    count += detector_cell ? operations_of(*detector_cell) + 2. * operations::transcendental + 3. : 4.;
    return count + (makeup_cell ? operations_of(*makeup_cell) + 1. : 2.);
}

}  // namespace gainstage
