#include "tools/bench/zoo.hpp"

#include <cmath>

#include "tools/bench/random_model.hpp"

namespace gainstage {

namespace {

std::string block(int n) {
    return "blocks." + std::to_string(n) + ".";
}

RandomModel tcn(int taps) {
    constexpr int channels = 32, blocks = 4;
    RandomModel model("tcn", R"({"dilation_growth": 10, "residual_delay": 1, "final_tanh": "tanh"})", 0);
    for (int n = 0; n < blocks; ++n) {
        const int inputs = n ? channels : 1;
        model.add(block(n) + "conv.weight", {channels, inputs, taps}, n ? 0.07f : 0.28f);
        model.add(block(n) + "film.bias", {2 * channels}, 0.3f, 0.7f);
        model.add(block(n) + "slope", {channels}, 0.1f, 0.25f);
        model.add(block(n) + "residual.weight", {channels, 1}, 0.9f);
    }
    model.add("output.weight", {1, channels}, 0.18f);
    model.add("output.bias", {1}, 0.01f);
    return model;
}

template <int Modes>
RandomModel s4d() {
    constexpr int channels = 32;
    RandomModel model("s4d", R"({"activation1": "PReLU", "activation2": "PReLU", "discretisation": "zoh",
                                 "final_tanh": "tanh"})",
                      0);
    model.add("expand.weight", {channels, 1}, 1.f);
    model.add("expand.bias", {channels}, 0.3f);
    for (int n = 0; n < 4; ++n) {
        const std::string b = block(n);
        model.add(b + "linear.weight", {channels, channels}, 0.18f);
        model.add(b + "linear.bias", {channels}, 0.18f);
        model.add(b + "activation1.factor", {1}, 0.1f, 0.25f);
        model.add(b + "ssm.log_dt", {channels, 1}, 2.3f, -4.6f);
        model.add(b + "ssm.log_a_real", {channels, Modes}, 0.3f, -0.7f);
        model.add(b + "ssm.a_imag", {channels, Modes}, 6.f, 6.f);
        model.add(b + "ssm.c", {channels, Modes, 2}, 0.5f);
        model.add(b + "ssm.d", {channels}, 1.f);
        model.add(b + "film.bias", {2 * channels}, 0.3f, 0.5f);
        model.add(b + "activation2.factor", {1}, 0.1f, 0.25f);
        model.add(b + "residual", {channels}, 0.5f);
    }
    model.add("contract.weight", {1, channels}, 0.18f);
    model.add("contract.bias", {1}, 0.1f);
    return model;
}

void add_ssm(RandomModel& model, const std::string& prefix, int inputs, int inner, int states, int rank,
             int outputs) {
    const float size = 1.f / std::sqrt(static_cast<float>(inner));
    model.add(prefix + "in.weight", {2 * inner, inputs}, 0.5f);
    model.add(prefix + "conv.weight", {inner, 4}, 0.5f);
    model.add(prefix + "conv.bias", {inner}, 0.2f);
    model.add(prefix + "x.weight", {rank + 2 * states, inner}, size);
    model.add(prefix + "dt.weight", {inner, rank}, 0.5f);
    model.add(prefix + "dt.bias", {inner}, 2.f, -4.f);
    model.add(prefix + "a_log", {inner, states}, 1.f, 1.f);
    model.add(prefix + "skip", {inner}, 1.f);
    model.add(prefix + "out.weight", {outputs, inner}, size);
    model.add(prefix + "out.bias", {outputs}, 0.2f);
}

void add_layer(RandomModel& model, const std::string& name, int outputs, int inputs) {
    const float size = 1.f / std::sqrt(static_cast<float>(inputs));
    model.add(name + ".weight", {outputs, inputs}, size);
    model.add(name + ".bias", {outputs}, 0.2f);
}

/// One state-space layer and a gated linear unit after it.
template <int Inner, int States>
RandomModel s6() {
    RandomModel model("s6", R"({"meaning": "recurrent"})", 1);
    add_layer(model, "input", Inner / 2, 1);
    add_ssm(model, "ssm.0.", Inner / 2, Inner, States, 1, Inner);
    add_layer(model, "mix.0", Inner, Inner);
    add_layer(model, "film", 2 * Inner, 1);
    add_layer(model, "film.glu", 2 * Inner, Inner);
    add_layer(model, "output", 1, Inner);
    return model;
}

RandomModel published_s6() {
    RandomModel model("s6", R"({"meaning": "recurrent"})", 4);
    add_layer(model, "input", 2, 64);
    add_ssm(model, "ssm.0.", 2, 6, 6, 2, 3);
    add_layer(model, "mix.0", 2, 3);
    add_layer(model, "features", 2, 128);
    add_layer(model, "film", 4, 4);
    add_layer(model, "film.glu", 4, 2);
    model.add("temporal.weight_ih", {12, 4}, 0.5f);
    model.add("temporal.weight_hh", {12, 4}, 0.5f);
    model.add("temporal.bias_ih", {12}, 0.3f);
    model.add("temporal.bias_hh", {12}, 0.3f);
    add_layer(model, "temporal.glu", 4, 2);
    add_ssm(model, "ssm.1.", 2, 6, 6, 2, 2);
    add_layer(model, "mix.1", 2, 2);
    add_layer(model, "output", 1, 2);
    return model;
}

RandomModel ed_lstm() {
    constexpr int window = 16, units = 64;
    RandomModel model("ed_lstm", "{}", 2);
    for (const std::string state : {"h", "c"}) {
        add_layer(model, "encoder." + state, units, window);
        add_layer(model, "condition." + state, units, 2);
    }
    model.add("lstm.weight_ih", {4 * units, 1}, 0.5f);
    model.add("lstm.weight_hh", {4 * units, units}, 0.15f);
    model.add("lstm.bias", {4 * units}, 0.2f);
    add_layer(model, "dense", units, units);
    add_layer(model, "output", window, units);
    return model;
}

template <int Gates, int Units, int Controls>
RandomModel recurrent() {
    const float size = 1.f / std::sqrt(static_cast<float>(Units));
    RandomModel model(Gates == 4 ? "lstm" : "gru", R"({"final_tanh": "none", "skip": 0})", Controls);
    model.add("layers.0.weight_ih", {Gates * Units, 1 + Controls}, 2.f * size);
    model.add("layers.0.weight_hh", {Gates * Units, Units}, 1.2f * size);
    model.add("layers.0.bias_ih", {Gates * Units}, size);
    model.add("layers.0.bias_hh", {Gates * Units}, size);
    model.add("output.weight", {1, Units}, size);
    model.add("output.bias", {1}, 0.01f);
    return model;
}

void add_cell(RandomModel& model, const std::string& prefix, int gates) {
    constexpr int units = 4;
    model.add(prefix + ".weight_ih", {gates * units, 1}, 0.5f);
    model.add(prefix + ".weight_hh", {gates * units, units}, 0.5f);
    model.add(prefix + ".bias_ih", {gates * units}, 0.3f);
    model.add(prefix + ".bias_hh", {gates * units}, 0.3f);
    model.add(prefix + ".out.weight", {1, units}, 0.5f);
    model.add(prefix + ".out.bias", {1}, 0.1f, -4.f);
}

template <bool Network, bool Cell>
RandomModel grey_box() {
    RandomModel model("grey_box", "{}", 1);
    add_layer(model, "mlp.0", 20, 1);
    add_layer(model, "mlp.1", 20, 20);
    add_layer(model, "mlp.2", 2, 20);
    if (Network)
        add_cell(model, "detector", 1);
    else
        model.add("detector.tau_s", {2}, 0.04f, 0.05f);
    if (Cell) {
        add_cell(model, "makeup", 3);
    } else {
        model.add("makeup.gain", {1}, 0.1f);
        model.add("makeup.bias", {1}, 0.01f);
    }
    return model;
}

/// Floats that blocks of 32 frames touch besides the weights: rows of 32 channels, and modes with their
/// states.
int s4d_floats(int modes) {
    return 4 * (2 * 32 * modes) + 3 * 32 * 32;
}

/// The same: rows of all layers, and the states.
int s6_floats(int inner, int states) {
    return 32 * (12 * inner + 2 * states) + inner * states;
}

/// The same, for each layer after the first: the rows of every tap, the rows written, and those of the
/// residual.
int tcn_floats(int taps) {
    return 3 * (taps + 2) * 32 * 32 + (taps + 32) * 32;
}

}  // namespace

const std::vector<Exhibit>& zoo() {
    static const std::vector<Exhibit> exhibits{
        {"S4D 32 channels, 4 modes, 4 blocks",
         "s4d",
         16'405.,
         s4d_floats(4),
         {.least_share = {0.97, 0.97}},
         s4d<4>,
         plain::make_s4d},
        {"S4D 32 channels, 8 modes, 4 blocks",
         "s4d",
         22'550.,
         s4d_floats(8),
         {.least_share = {1.05, 1.05}},
         s4d<8>,
         plain::make_s4d},
        {"S6 16 inner channels, 8 states",
         "s6",
         4'384.,
         s6_floats(16, 8),
         {.least_share = {0.43, 0.55}},
         s6<16, 8>,
         plain::make_s6},
        {"S6 32 inner channels, 16 states",
         "s6",
         15'681.,
         s6_floats(32, 16),
         {.least_share = {0.46, 0.62}},
         s6<32, 16>,
         plain::make_s6},
        {"S6 as published",
         "s6",
         34'000.,
         64 + 4 * 128 + 32 * (128 + 12 * 16),
         {.least_share = {0.7, 0.7}},
         published_s6,
         plain::make_s6},
        {"ED-LSTM window 16, 64 units",
         "ed_lstm",
         35'000.,
         10 * 64,
         {.least_share = {0.6, 0.6}, .most_at_16 = 1.5, .most_phase = 0.},
         ed_lstm,
         plain::make_ed_lstm},
        {"grey box, switching one-pole",
         "grey_box",
         53.,
         3 * 32,
         {.most_cycles = {11., 9.}, .most_at_16 = 1.3},
         grey_box<false, false>,
         plain::make_grey_box},
        {"grey box, RNN(4) one-pole",
         "grey_box",
         165.,
         4 * 32,
         {.most_cycles = {62., 62.}},
         grey_box<true, false>,
         plain::make_grey_box},
        {"grey box, RNN(4) and GRU(4)",
         "grey_box",
         434.,
         4 * 32,
         {.most_cycles = {140., 140.}},
         grey_box<true, true>,
         plain::make_grey_box},
        {"TCN 300 ms",
         "tcn",
         81'685.,
         tcn_floats(13),
         {.least_share = {0.83, 0.83}},
         [] { return tcn(13); },
         plain::make_tcn},
        {"TCN 100 ms",
         "tcn",
         31'400.,
         tcn_floats(5),
         {.least_share = {0.8, 0.8}},
         [] { return tcn(5); },
         plain::make_tcn},
        {"LSTM 32, 3 inputs",
         "lstm",
         10'800.,
         32 * 6 * 32,
         {.least_share = {0.54, 0.62}},
         recurrent<4, 32, 2>,
         plain::make_lstm},
        {"LSTM 16",
         "lstm",
         3'072.,
         32 * 6 * 16,
         {.most_cycles = {210., 210.}},
         recurrent<4, 16, 0>,
         plain::make_lstm},
        {"GRU 32",
         "gru",
         7'551.,
         32 * 6 * 32,
         {.least_share = {0.46, 0.64}},
         recurrent<3, 32, 0>,
         plain::make_gru},
        {"GRU 8",
         "gru",
         736.,
         32 * 6 * 16,
         {.most_cycles = {120., 120.}},
         recurrent<3, 8, 0>,
         plain::make_gru},
    };
    return exhibits;
}

}  // namespace gainstage
