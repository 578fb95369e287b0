#include "nodes/models/s4d/s4d.hpp"

#include <cmath>
#include <iostream>

#include "tests/nodes/contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/places.hpp"
#include "tests/support/reference.hpp"

namespace gainstage::test::s4d_test {

namespace {

const char* const fixture_names[] = {"conditional", "side-chain", "fixed", "fixed-gain"};

std::shared_ptr<const Model> model_of(const std::string& fixture) {
    return Fixture("s4d", fixture).model;
}

/// One block of one channel around one mode. Everything else passes the sound, so the output is the mode's: 2
/// Re c b (e^(a t) - 1) / a for a step of 1.
struct OneMode {
    float log_dt = std::log(0.01f), log_a_real = std::log(0.5f), a_imag = 0.f;
    float c_re = 0.5f, c_im = 0.f, d = 0.f;
    const char* discretisation = "zoh";

    std::shared_ptr<Model> model() const {
        auto model = std::make_shared<Model>();
        model->file = "one-mode.safetensors";
        model->architecture = "s4d";
        model->sample_rate_hz = 44'100.;
        model->config =
            ModelConfig(std::string(R"({"activation1": "Identity", "activation2": "Identity", )") +
                            R"("discretisation": ")" + discretisation + "\"}",
                        "config");
        model->tensors = {{"expand.weight", {1, 1}, {1.f}},
                          {"expand.bias", {1}, {0.f}},
                          {"blocks.0.ssm.log_dt", {1, 1}, {log_dt}},
                          {"blocks.0.ssm.log_a_real", {1, 1}, {log_a_real}},
                          {"blocks.0.ssm.a_imag", {1, 1}, {a_imag}},
                          {"blocks.0.ssm.c", {1, 1, 2}, {c_re, c_im}},
                          {"blocks.0.ssm.d", {1}, {d}},
                          {"contract.weight", {1, 1}, {1.f}},
                          {"contract.bias", {1}, {0.f}}};
        return model;
    }
    /// The output at time t, in samples of the training rate, after a step of 1 at 0.
    double step_response(double t) const {
        const std::complex<double> a(-std::exp(double{log_a_real}), double{a_imag});
        const std::complex<double> c(double{c_re}, double{c_im});
        const double dt = std::exp(double{log_dt});
        return 2. * (c * (std::exp(a * dt * t) - 1.) / a).real() + double{d};
    }
};

Channel step_at(const std::shared_ptr<const Model>& model, double rate_hz, double seconds) {
    NodeRunner runner(S4d::type(), {.sample_rate_hz = rate_hz, .model = model});
    return runner.run(mono(constant(static_cast<int>(std::lround(seconds * rate_hz)), 1.f)))[0];
}

}  // namespace

TEST_CASE("s4d: its output matches the formulas while knobs step, glide and turn back") {
    for (const char* name : fixture_names) {
        const Fixture fixture("s4d", name);
        NodeRunner runner(S4d::type(), fixture.config());
        const Channel out = runner.run(mono(fixture.input), {}, fixture.moves)[0];
        INFO(name << ": " << max_difference(out, fixture.expected));
        // float32 around states in double; measured: 1.8e-7
        CHECK(max_difference(out, fixture.expected) < 2e-6);
    }
}

TEST_CASE("s4d: it keeps the promises of a node") {
    for (const char* name : fixture_names) {
        const Fixture fixture("s4d", name);
        INFO(name);
        CHECK(broken_promise(S4d::type(), fixture.config(), {mono(fixture.input)}, fixture.moves) == "");
        NodeConfig wide = fixture.config();
        wide.channels = 2;
        const Sound both =
            stereo(fixture.input, white_noise(static_cast<int>(fixture.input.size()), 3, 0.3f));
        CHECK(broken_promise(S4d::type(), wide, {both}, fixture.moves) == "");
        CHECK(not_finite(S4d::type(), wide, {both}) == "");
    }
}

TEST_CASE("s4d: imported checkpoints in the published layouts play like their reference") {
    for (const char* name : {"s4d/dssm-c32-n4-tanh", "s4d/dssm-c32-n4-product"}) {
        std::ifstream file(source_dir() + "/../shared/reference/" + name + "/fixture.json");
        const auto facts = file ? nlohmann::json::parse(file).at("options") : nlohmann::json::object();
        const auto reference = import_reference(name, "s4d", facts);
        if (!reference) continue;
        const Parity parity = parity_of(S4d::type(), *reference);
        INFO(name << ": max error " << parity.max_error << ", RMS " << parity.rms_error);
        std::cout << name << ": max error " << parity.max_error << ", RMS " << parity.rms_error << '\n';
        CHECK(parity.broken == "");
        CHECK(parity.max_error < reference->tolerance);
    }
}

// -------- laws

TEST_CASE("s4d: one real pole is the one-pole filter of its time constant") {
    // dt a = -1 / tau: y = 1 - e^(-t / tau); the sample at index k is the end of its k+1st period
    for (const double tau_samples : {10., 1'000., 200'000.}) {
        OneMode mode;
        mode.log_a_real = std::log(0.5f);
        mode.log_dt = static_cast<float>(std::log(2. / tau_samples));
        mode.c_re = 0.25f;  // 2 c / 0.5 = 1
        const double tau_s = 1. / (0.5 * std::exp(double{mode.log_dt}) * 44'100.);
        for (const double rate_hz : {44'100., 48'000., 88'200., 96'000.}) {
            const Channel out = step_at(mode.model(), rate_hz, 0.5);
            for (const std::size_t k : {0, 1, 100, 5'000, 20'000}) {
                const double t_s = static_cast<double>(k + 1) / rate_hz;
                // at 200,000 samples in double; at 1,000 in floats, and a constant makes them round to one
                // side: 2.4e-5 measured at 96 kHz
                CHECK(double{out[k]} == Approx(1. - std::exp(-t_s / tau_s)).margin(3e-5).epsilon(0));
            }
        }
    }
}

TEST_CASE("s4d: a step takes the same time at every sample rate, whatever the pole") {
    for (const char* method : {"zoh", "bilinear"})
        for (const float log_dt : {-9.f, -5.f, -2.3f}) {
            const OneMode mode{.log_dt = log_dt,
                               .log_a_real = -1.2f,
                               .a_imag = 6.f,
                               .c_re = 0.4f,
                               .c_im = 1.5f,
                               .d = -0.3f,
                               .discretisation = method};
            const Channel trained = step_at(mode.model(), 44'100., 0.1);
            for (const int times : {2, 3}) {
                const Channel faster = step_at(mode.model(), 44'100. * times, 0.1);
                double farthest = 0.;
                for (std::size_t k = 0; k < trained.size(); ++k)
                    farthest = std::max(farthest,
                                        std::abs(double{trained[k]} - double{faster[(k + 1) * times - 1]}));
                INFO(method << " " << log_dt << " " << times);
                CHECK(farthest <
                      2e-6);  // the output is a float of up to 2, and states are floats: 1.1e-6 measured
            }
            for (const double rate_hz : {48'000., 96'000.}) {  // every 147 samples of 44.1 kHz
                const int ours = static_cast<int>(rate_hz / 300.);
                const Channel other = step_at(mode.model(), rate_hz, 0.1);
                for (int n = 1; n <= 30; ++n)
                    CHECK(double{other[n * ours - 1]} == Approx(double{trained[n * 147 - 1]}).margin(1e-6));
            }
            if (method == std::string("zoh"))
                for (std::size_t k = 0; k < trained.size(); k += 100)
                    CHECK(double{trained[k]} ==
                          Approx(mode.step_response(static_cast<double>(k + 1))).margin(1e-6));
        }
}

TEST_CASE("s4d: bilinear is the trapezoidal rule at the training rate") {
    const OneMode mode{.log_dt = std::log(0.08f), .a_imag = 3.f, .c_im = 0.2f, .discretisation = "bilinear"};
    const std::complex<double> a(-0.5f, 3.), c(0.5, double{0.2f});
    const double dt = std::exp(double{mode.log_dt});
    std::complex<double> s = 0.;
    const Channel out = step_at(mode.model(), 44'100., 0.01);
    for (const float y : out) {
        s = ((1. + dt * a / 2.) * s + dt) / (1. - dt * a / 2.);
        CHECK(double{y} == Approx(2. * (c * s).real()).margin(2e-7));
    }
}

TEST_CASE("s4d: after its memory nothing is left of its earlier state") {
    for (const char* name : {"conditional", "side-chain"})
        for (const double rate_hz : {44'100., 96'000.}) {
            const auto model = spoilable(model_of(name));
            model->memory_samples = 0;  // the node's own bound
            const NodeConfig config{.sample_rate_hz = rate_hz, .model = model};
            NodeRunner loud(S4d::type(), config), fresh(S4d::type(), config);
            loud.run(mono(white_noise(static_cast<int>(2. * rate_hz), 1)), {.size = 8192});
            const auto memory = static_cast<int>(loud.node().memory_samples());
            CHECK(memory > static_cast<int>(rate_hz));
            CHECK(memory <= static_cast<int>(10. * rate_hz));
            const Sound quiet = mono(constant(memory, 0.01f));
            const float a = loud.run(quiet, {.size = 8192})[0].back();
            const float b = fresh.run(quiet, {.size = 8192})[0].back();
            CHECK(a == Approx(b).margin(1e-5));
        }
    auto model = spoilable(model_of("conditional"));
    model->memory_samples = 4'410;  // the file's memory takes precedence, in its own samples
    NodeRunner runner(S4d::type(), {.sample_rate_hz = 96'000., .model = model});
    CHECK(runner.node().memory_samples() == 9'600);
    CHECK(runner.node().latency_samples() == 0);
}

TEST_CASE("s4d: ten seconds of a pole that remembers minutes do not drift from the formula") {
    OneMode mode;
    mode.log_dt = std::log(1e-7f);  // 1 / (0.5 dt) = 20 million samples, 7.6 minutes
    mode.c_re = 0.25f;
    const Channel out = step_at(mode.model(), 44'100., 10.);
    CHECK(double{out.back()} == Approx(mode.step_response(static_cast<double>(out.size()))).epsilon(1e-6));
}

// -------- what a player hears

TEST_CASE("s4d: a turning knob leaves no staircase in the sound") {
    // 16-sample straight lines under a ramp, in gains and offsets that depend steeply on the knob
    CHECK(staircase_left(S4d::type(), {.sample_rate_hz = 44'100., .model = model_of("conditional")},
                         "peak_reduction", 40.f, 80.f) < 0.1);
}

TEST_CASE("s4d: a step of a knob takes effect at its very sample, on the control grid or off it") {
    for (const int at : {1600, 1607}) {
        const Sound in = mono(constant(3000, 0.5f));
        const NodeConfig config{.sample_rate_hz = 44'100., .model = model_of("conditional")};
        NodeRunner stays(S4d::type(), config), steps(S4d::type(), config);
        const Channel a = stays.run(in)[0];
        const Channel b = steps.run(in, {}, {{at, "peak_reduction", 100.f, 0.f}})[0];
        CHECK(std::equal(a.begin(), a.begin() + at, b.begin()));
        CHECK(b[at] != a[at]);
    }
}

TEST_CASE("s4d: each channel of a stereo sound plays as if it were alone") {
    const Channel left = white_noise(4'000, 1, 0.5f), right = sine(4'000, 300., 44'100., 0.2);
    const auto alone = [&](const Channel& channel) {
        NodeRunner runner(S4d::type(), {.sample_rate_hz = 44'100., .model = model_of("conditional")});
        return runner.run(mono(channel))[0];
    };
    NodeRunner runner(S4d::type(),
                      {.sample_rate_hz = 44'100., .channels = 2, .model = model_of("conditional")});
    CHECK(runner.run(stereo(left, right)) == stereo(alone(left), alone(right)));
}

// -------- files that don't fit

TEST_CASE("s4d: a tensor that is missing or misshapen is refused by name") {
    for (const char* name :
         {"expand.bias", "contract.weight", "blocks.1.linear.bias", "blocks.2.activation1.factor",
          "blocks.1.ssm.log_dt", "blocks.0.ssm.c", "blocks.2.ssm.d", "blocks.1.norm.mean",
          "blocks.1.norm.variance", "blocks.2.film.weight", "blocks.0.film.bias", "conditioning.1.bias"}) {
        auto model = spoilable(model_of("conditional"));
        tensor_of(*model, name).name = "elsewhere";
        check_says(complaint(S4d::type(), model), std::string("tensor \"") + name + "\" is missing");
        model = spoilable(model_of("conditional"));
        tensor_of(*model, name).shape.push_back(1);
        check_says(complaint(S4d::type(), model), std::string("tensor \"") + name + "\" has shape");
    }
    auto model = spoilable(model_of("conditional"));
    tensor_of(*model, "blocks.0.ssm.log_a_real").name = "elsewhere";
    check_says(complaint(S4d::type(), model), "tensor \"blocks.0.ssm.log_a_real\" is missing");
    model = spoilable(model_of("conditional"));
    model->controls.pop_back();
    check_says(complaint(S4d::type(), model),
               "\"conditioning.0.weight\" has shape (6, 2); expected (any, 1)");
    model = spoilable(model_of("conditional"));
    tensor_of(*model, "blocks.1.norm.variance").data[3] = -1.f;
    check_says(complaint(S4d::type(), model), "\"blocks.1.norm.variance\" holds -1; expected variances");
    model = spoilable(model_of("conditional"));
    tensor_of(*model, "blocks.1.activation2.factor") = {"blocks.1.activation2.factor", {2}, {0.1f, 0.2f}};
    check_says(complaint(S4d::type(), model), "has 2 elements; expected 1 or 6");
}

TEST_CASE("s4d: sizes beyond the bounds and poles that do not decay are refused") {
    auto model = spoilable(model_of("conditional"));
    tensor_of(*model, "expand.weight") = {"expand.weight", {257, 1}, Channel(257)};
    check_says(complaint(S4d::type(), model), "\"expand.weight\" has 257 rows; expected 1 to 256");
    model = spoilable(model_of("conditional"));
    tensor_of(*model, "blocks.1.ssm.log_a_real") = {"blocks.1.ssm.log_a_real", {6, 65}, Channel(390)};
    check_says(complaint(S4d::type(), model), "\"blocks.1.ssm.log_a_real\" has 65 columns; expected 1 to 64");
    model = spoilable(model_of("conditional"));
    for (int i = 3; i < 17; ++i)
        model->tensors.push_back({"blocks." + std::to_string(i) + ".ssm.log_a_real", {1, 1}, {0.f}});
    check_says(complaint(S4d::type(), model), "17 blocks; at most 16");
    for (const float log_a_real : {-1e30f, 1e30f}) {
        model = spoilable(model_of("conditional"));
        tensor_of(*model, "blocks.0.ssm.log_a_real").data[4] = log_a_real;
        check_says(complaint(S4d::type(), model),
                   "tensors \"blocks.0.ssm.log_a_real\" and \"blocks.0.ssm.log_dt\", channel 1, mode 1: the "
                   "pole is no stable one");
    }
}

TEST_CASE("s4d: a config without meaning is refused") {
    const auto with = [](const char* config) {
        auto model = spoilable(model_of("conditional"));
        model->config = ModelConfig(config, "config");
        return complaint(S4d::type(), model);
    };
    CHECK(with("{}").empty());
    check_says(with(R"({"activation1": "relu"})"), "config.activation1 is \"relu\"; expected \"PReLU\"");
    check_says(with(R"({"activation2": "PTanh", "final_tanh": "ptanh"})"), "\"tanh.factor\" is missing");
    check_says(with(R"({"discretisation": "dss"})"), "expected \"zoh\" or \"bilinear\"");
    check_says(with(R"({"final_tanh": true})"), "config.final_tanh: expected a string");
    check_says(with(R"({"tanh_before_product": "yes"})"), "expected \"none\", \"tanh\" or \"ptanh\"");
    check_says(with(R"({"product": "no"})"), "config.product: expected");
}

TEST_CASE("s4d: unknown tensors are noted, not refused") {
    auto model = spoilable(model_of("side-chain"));
    CHECK(notes_on(S4d::type(), *model).empty());
    model->tensors.push_back({"optimizer.step", {1}, {3.f}});
    CHECK(complaint(S4d::type(), model).empty());
    REQUIRE(notes_on(S4d::type(), *model).size() == 1);
    check_says(notes_on(S4d::type(), *model)[0], "\"optimizer.step\" (1)");
}

}  // namespace gainstage::test::s4d_test
