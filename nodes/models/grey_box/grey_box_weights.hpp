#pragma once
/// The weights of a grey-box file, prepared for one sample rate.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nodes/layers/control_inputs.hpp"
#include "nodes/layers/mlp.hpp"
#include "nodes/layers/recurrence.hpp"
#include "runtime/prepared.hpp"

namespace gainstage {

/// Tensors of a file with `architecture` "grey_box". Names and shapes determine the variant. The keys of
/// `config` in brackets must agree with it if they are given.
///
///     mlp.N.weight, mlp.N.bias     conditioning network, N = 0, 1, ...: inputs are the file's controls (0 of
///                                  them: constants), outputs threshold and ratio, and the knee's width where
///                                  it is soft [knee = "hard" | "soft"].
///                                  config.mlp_activation = "tanh" (published code) | "relu" (paper);
///                                  config.curve_output = "sigmoid": threshold -80 sig(o0) dBFS, ratio
///                                  1 + 30 sig(o1), knee 30 sig(o2) dB, as published; "linear": the outputs
///                                  are these values themselves, held to the same ranges.
///     detector.tau_s               (1): one-pole; (2): attack, release, as the gain falls or rises. Seconds.
///     detector.weight_ih ...       instead: a cell (layers/recurrence.hpp) whose output o gives each sample
///                                  its time constant sig(o) s.
///                                  [detector = "one_pole" | "switching" | "rnn" | "gru"]
///     makeup.gain, makeup.bias     (1) each: y = (v + tanh(bias)) (1 + tanh(gain))
///     makeup.weight_ih ...         instead: a cell, y = v + o   [makeup = "static" | "rnn" | "gru"]
struct GreyBoxWeights {
    /// Control thread. `device_rate_hz` matters only if no part is a recurrent network; a cell runs at the
    /// model's rate. Throws ModelError if a tensor is missing or out of bounds.
    GreyBoxWeights(const Model&, double device_rate_hz);

    PreparedFacts facts;
    ControlInputs controls;
    Mlp mlp;
    bool soft_knee = false, linear_curve = false;

    /// Per sample, s += b (g - s); b is the attack if g is below s, else the release. Unused with
    /// detector_cell.
    double attack = 0., release = 0.;
    std::unique_ptr<const Recurrence> detector_cell;

    float makeup_offset = 0.f, makeup_factor = 1.f;  ///< unused with makeup_cell
    std::unique_ptr<const Recurrence> makeup_cell;

private:
    void read_curve(const Model&);
    double read_time_constants(LayerReader&, double rate_hz);
    void read_makeup(LayerReader&);
    double count_operations() const;
};

}  // namespace gainstage
