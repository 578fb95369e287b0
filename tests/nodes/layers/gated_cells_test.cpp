#include <array>
#include <cmath>
#include <span>

#include "nodes/layers/gru_cell.hpp"
#include "nodes/layers/layer_reader.hpp"
#include "nodes/layers/lstm_cell.hpp"
#include "nodes/layers/lstm_windows.hpp"
#include "nodes/layers/recurrence.hpp"
#include "runtime/model/model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test::gated_cells_test {

namespace {

using Doubles = std::vector<double>;

double sig(double x) {
    return 1. / (1. + std::exp(-x));
}

/// Random weights of a cell, and its formulas in double.
struct Plain {
    int gates, units, inputs;
    Channel weight_ih = white_noise(gates * units * inputs, 1, 0.8f);
    Channel weight_hh = white_noise(gates * units * units, 2, 0.3f);
    Channel bias_ih = white_noise(gates * units, 3, 0.5f), bias_hh = white_noise(gates * units, 4, 0.5f);

    CellWeights weights(bool sample_apart = false) const {
        return {units, inputs, weight_ih, weight_hh, bias_ih, bias_hh, sample_apart};
    }

    /// Row `row` of W x + b.
    static double sum(const Channel& weight, const Channel& bias, int row, const Doubles& x) {
        double total = double{bias[row]};
        for (std::size_t i = 0; i < x.size(); ++i) total += double{weight[row * x.size() + i]} * x[i];
        return total;
    }
    double of_input(int row, const Doubles& x) const { return sum(weight_ih, bias_ih, row, x); }
    double of_hidden(int row, const Doubles& h) const { return sum(weight_hh, bias_hh, row, h); }

    void lstm_step(const Doubles& x, Doubles& h, Doubles& c) const {
        const Doubles before = h;
        for (int u = 0; u < units; ++u) {
            const auto gate = [&](int number) {
                return of_input(number * units + u, x) + of_hidden(number * units + u, before);
            };
            c[u] = sig(gate(1)) * c[u] + sig(gate(0)) * std::tanh(gate(2));
            h[u] = sig(gate(3)) * std::tanh(c[u]);
        }
    }
    void gru_step(const Doubles& x, Doubles& h) const {
        const Doubles before = h;
        for (int u = 0; u < units; ++u) {
            const auto a = [&](int number) { return of_input(number * units + u, x); };
            const auto b = [&](int number) { return of_hidden(number * units + u, before); };
            const double z = sig(a(1) + b(1));
            h[u] = (1. - z) * std::tanh(a(2) + sig(a(0) + b(0)) * b(2)) + z * before[u];
        }
    }
};

/// A small cell of these weights with an output of weights `out`, as read_recurrence() reads it.
std::unique_ptr<const Recurrence> small_cell(const Plain& p, const Channel& out) {
    Model model;
    const std::int64_t rows = p.gates * p.units, units = p.units;
    model.tensors = {
        {"cell.weight_ih", {rows, 1}, p.weight_ih}, {"cell.weight_hh", {rows, units}, p.weight_hh},
        {"cell.bias_ih", {rows}, p.bias_ih},        {"cell.bias_hh", {rows}, p.bias_hh},
        {"cell.out.weight", {1, units}, out},       {"cell.out.bias", {1}, {0.25f}}};
    LayerReader reader(model);
    return read_recurrence(reader, "cell");
}

constexpr int frames = 50;

/// Largest error of the rows of h of a cell against `expected(k)`, called in order. The padding must be 0.
template <class Expected>
double farthest(const Channel& out, int row, int units, Expected&& expected) {
    double error = 0.;
    for (int k = 0; k < frames; ++k) {
        const Doubles& h = expected(k);
        for (int u = 0; u < units; ++u) error = std::max(error, std::abs(double{out[k * row + u]} - h[u]));
        for (int u = units; u < row; ++u) CHECK(out[k * row + u] == 0.f);
    }
    return error;
}

template <class Cell>
void run_alone(const Cell& cell, const float* gates, float* state, float* out, int steps) {
    const GatedSequence sequence{
        .gates = gates, .gates_stride = cell.gates_row(), .state = state, .out = out};
    cell.run({&sequence, 1}, steps);
}

/// `frames` rows of input; the k-th row as doubles.
struct Input {
    int inputs;
    Channel rows = white_noise(frames * inputs, 7, 2.f);
    Doubles row(int k) const { return {rows.begin() + k * inputs, rows.begin() + (k + 1) * inputs}; }
};

// Sums of up to 70 products of numbers below 2, fed back 50 times; measured: 4e-7
constexpr double rounding = 2e-6;

}  // namespace

TEST_CASE("lstm_cell: it matches the formula at any size") {
    for (const auto& [units, inputs] : std::vector<std::pair<int, int>>{{1, 1}, {7, 3}, {16, 2}, {40, 1}}) {
        const Plain plain{.gates = 4, .units = units, .inputs = inputs};
        const LstmCell cell(plain.weights());
        const Input in{.inputs = inputs};
        Channel gates(frames * cell.gates_row()), state(cell.state_floats()), out(frames * cell.row());
        cell.project(in.rows.data(), inputs, gates.data(), frames);
        run_alone(cell, gates.data(), state.data(), out.data(), frames);
        Doubles h(units), c(units);
        CHECK(farthest(out, cell.row(), units, [&](int k) -> const Doubles& {
                  plain.lstm_step(in.row(k), h, c);
                  return h;
              }) < rounding);
        for (int u = 0; u < units; ++u) CHECK(state[cell.row() + u] == Approx(c[u]).margin(rounding));
    }
}

TEST_CASE("gru_cell: it matches the formula at any size") {
    for (const auto& [units, inputs] : std::vector<std::pair<int, int>>{{1, 1}, {7, 3}, {16, 2}, {40, 1}}) {
        const Plain plain{.gates = 3, .units = units, .inputs = inputs};
        const GruCell cell(plain.weights());
        const Input in{.inputs = inputs};
        Channel gates(frames * cell.gates_row()), state(cell.state_floats()), out(frames * cell.row());
        cell.project(in.rows.data(), inputs, gates.data(), frames);
        run_alone(cell, gates.data(), state.data(), out.data(), frames);
        Doubles h(units);
        CHECK(farthest(out, cell.row(), units, [&](int k) -> const Doubles& {
                  plain.gru_step(in.row(k), h);
                  return h;
              }) < rounding);
    }
}

TEMPLATE_TEST_CASE("lstm_cell, gru_cell: sequences side by side give the bits of each one alone", "",
                   LstmCell, GruCell) {
    for (const int units : {3, 16, 21, 40}) {
        const TestType cell(Plain{.gates = TestType::gates, .units = units, .inputs = 1}.weights());
        const Channel in = white_noise(3 * frames, 7, 2.f);
        const auto gates = static_cast<int>(frames * cell.gates_row()), out_floats = frames * cell.row();
        Channel rows(3 * gates), states(3 * cell.state_floats()), out(3 * out_floats);
        cell.project(in.data(), 1, rows.data(), 3 * frames);
        for (const int count : {2, 3}) {
            std::fill(states.begin(), states.end(), 0.f);
            std::vector<GatedSequence> together;
            for (int s = 0; s < count; ++s)
                together.push_back({.gates = rows.data() + s * gates,
                                    .gates_stride = cell.gates_row(),
                                    .state = states.data() + s * cell.state_floats(),
                                    .out = out.data() + s * out_floats});
            cell.run(together, frames);
            for (int s = 0; s < count; ++s) {
                Channel state(cell.state_floats()), alone(out_floats);
                run_alone(cell, rows.data() + s * gates, state.data(), alone.data(), frames);
                INFO(units << " units, sequence " << s << " of " << count);
                CHECK(std::equal(alone.begin(), alone.end(), out.begin() + s * out_floats));
                CHECK(std::equal(state.begin(), state.end(), states.begin() + s * cell.state_floats()));
            }
        }
    }
}

TEMPLATE_TEST_CASE("lstm_cell, gru_cell: a sample that the steps add acts like one more input", "", LstmCell,
                   GruCell) {
    for (const int units : {3, 16, 21, 40}) {
        const Plain plain{.gates = TestType::gates, .units = units, .inputs = 3};
        const TestType whole(plain.weights()), apart(plain.weights(true));
        REQUIRE(apart.inputs() == 2);
        const Channel samples = white_noise(frames, 5, 2.f), controls = white_noise(2 * frames, 6);
        for (const bool rests : {true, false}) {
            const auto control = [&](int k, int i) { return controls[rests ? i : 2 * k + i]; };
            const auto row = apart.gates_row();
            Channel in, gates(frames * row), expected(frames * apart.row()), out(expected.size());
            for (int k = 0; k < frames; ++k) in.insert(in.end(), {samples[k], control(k, 0), control(k, 1)});
            whole.project(in.data(), 3, gates.data(), frames);
            Channel state(apart.state_floats());
            run_alone(whole, gates.data(), state.data(), expected.data(), frames);

            apart.project(controls.data(), 2, gates.data(), rests ? 1 : frames);
            std::fill(state.begin(), state.end(), 0.f);
            const GatedSequence sequence{.gates = gates.data(),
                                         .gates_stride = rests ? 0 : row,
                                         .samples = samples.data(),
                                         .state = state.data(),
                                         .out = out.data()};
            apart.run({&sequence, 1}, frames);
            INFO(units << " units, controls " << (rests ? "at rest" : "moving"));
            // the sum has another order: rounding fed back over 50 steps, 2.7e-7 measured on all levels
            for (std::size_t i = 0; i < out.size(); ++i)
                CHECK(out[i] == Approx(expected[i]).margin(1e-6).epsilon(0));
        }
    }
}

TEST_CASE("recurrence: small cells match the formula at any size, and a sequence may be cut") {
    for (const int gates : {1, 3})
        for (const int units : {1, 3, 4, 5, 8, 13, 16, 32}) {
            const Plain plain{.gates = gates, .units = units, .inputs = 1};
            const Channel weights = white_noise(units, 9, 0.5f), in = white_noise(frames, 7, 2.f);
            const auto cell = small_cell(plain, weights);
            Recurrence::State whole, cut;
            Channel out(frames), pieces(frames);
            const auto run = [&](Recurrence::State& state, const float* from, float* to, int steps) {
                const SmallSequence sequence{.state = state.hidden.data(), .in = from, .out = to};
                cell->run({&sequence, 1}, steps);
            };
            run(whole, in.data(), out.data(), frames);
            run(cut, in.data(), pieces.data(), 33);
            run(cut, in.data() + 33, pieces.data() + 33, frames - 33);
            CHECK(out == pieces);
            const Channel others = white_noise(2 * frames, 8, 2.f);
            std::array<Recurrence::State, 3> states;
            std::array<Channel, 3> side_by_side{Channel(frames), Channel(frames), Channel(frames)};
            std::array<SmallSequence, 3> together;
            for (int s = 0; s < 3; ++s)
                together[s] = {.state = states[s].hidden.data(),
                               .in = s == 1 ? in.data() : others.data() + s / 2 * frames,
                               .out = side_by_side[s].data()};
            for (const int count : {2, 3}) {
                states = {};
                cell->run(std::span(together).first(count), frames);
                CHECK(side_by_side[1] == out);
            }
            Recurrence::State last;
            run(last, others.data() + frames, pieces.data(), frames);
            CHECK(side_by_side[2] == pieces);
            CHECK(states[2].hidden == last.hidden);
            Doubles h(units);
            for (int k = 0; k < frames; ++k) {
                const Doubles x{double{in[k]}}, before = h;
                if (gates == 3) plain.gru_step(x, h);
                for (int u = 0; u < units && gates == 1; ++u)
                    h[u] = std::tanh(plain.of_input(u, x) + plain.of_hidden(u, before));
                double expected = 0.25;
                for (int u = 0; u < units; ++u) expected += double{weights[u]} * h[u];
                INFO(gates << " gates, " << units << " units, frame " << k);
                CHECK(out[k] == Approx(expected).margin(rounding).epsilon(0));
            }
        }
}

namespace {

/// Windows of noise that step together, and their state at the end.
struct WindowsOfNoise {
    Channel in;
    std::vector<const float*> each;
    Channel h, c, scratch;

    WindowsOfNoise(const LstmWindows& lstm, int sequences)
        : in(white_noise(frames * sequences, 7)), h(sequences * lstm.row()), c(h.size()), scratch(h.size()) {
        for (int s = 0; s < sequences; ++s) each.push_back(in.data() + s * frames);
        lstm.run(each.data(), h.data(), c.data(), scratch.data(), sequences, frames, 0);
    }
};

}  // namespace

TEST_CASE("lstm_windows: they match the formula, whatever their number, size and length") {
    for (const int units : {1, 21, 40, 64}) {
        const Plain plain{.gates = 4, .units = units, .inputs = 1};
        const LstmWindows lstm(plain.weights());
        for (const int sequences : {1, 2, 3, 5, 8}) {
            const WindowsOfNoise windows(lstm, sequences);
            const Channel &h = windows.h, &c = windows.c;
            for (int s = 0; s < sequences; ++s) {
                Doubles hidden(units), cell(units);
                for (int k = 0; k < frames; ++k) plain.lstm_step({double{windows.each[s][k]}}, hidden, cell);
                INFO(units << " units, sequence " << s << " of " << sequences);
                for (int u = 0; u < units; ++u) {
                    CHECK(h[s * lstm.row() + u] == Approx(hidden[u]).margin(rounding).epsilon(0));
                    CHECK(c[s * lstm.row() + u] == Approx(cell[u]).margin(rounding).epsilon(0));
                }
                for (int u = units; u < lstm.row(); ++u) CHECK(h[s * lstm.row() + u] == 0.f);
            }
        }
    }
}

TEST_CASE("lstm_windows: windows that step together give the bits of each one alone, and may be cut") {
    const int units = 40, sequences = 7;
    const LstmWindows lstm(Plain{.gates = 4, .units = units, .inputs = 1}.weights());
    WindowsOfNoise windows(lstm, sequences);
    for (int s = 0; s < sequences; ++s) {
        Channel alone(lstm.row()), cell(alone.size());
        for (int done = 0; done < frames;) {
            const int steps = std::min(frames - done, 1 + done % 7);
            const float* at = windows.each[s] + done;
            lstm.run(&at, alone.data(), cell.data(), windows.scratch.data(), 1, steps, done);
            done += steps;
        }
        CHECK(std::equal(alone.begin(), alone.end(), windows.h.begin() + s * lstm.row()));
        CHECK(std::equal(cell.begin(), cell.end(), windows.c.begin() + s * lstm.row()));
    }
}

TEST_CASE(
    "gru_cell: sequences that step together give what each one gives alone, and a sequence may be cut") {
    const int units = 21, sequences = 5;
    const GruCell cell(Plain{.gates = 3, .units = units, .inputs = 1}.weights());
    const Channel in = white_noise(frames * sequences, 7);
    const auto alone = [&](int s, int cut) {
        Channel gates(frames * cell.gates_row()), state(cell.state_floats()), out(frames * cell.row());
        cell.project(in.data() + s, sequences, gates.data(), frames);
        run_alone(cell, gates.data(), state.data(), out.data(), cut);
        run_alone(cell, gates.data() + cut * cell.gates_row(), state.data(), out.data() + cut * cell.row(),
                  frames - cut);
        return out;
    };
    Channel gates(sequences * cell.gates_row()), h(sequences * cell.row());
    std::vector<Channel> each;
    for (int s = 0; s < sequences; ++s) each.push_back(alone(s, 1));
    for (int k = 0; k < frames; ++k) {
        cell.project(in.data() + k * sequences, 1, gates.data(), sequences);
        cell.step(gates.data(), h.data(), h.data(), sequences);
        for (int s = 0; s < sequences; ++s)
            // run() sums in two chains, so the last bits differ: 2.4e-7 measured
            for (int u = 0; u < cell.row(); ++u)
                CHECK(h[s * cell.row() + u] == Approx(each[s][k * cell.row() + u]).margin(3e-7).epsilon(0));
    }
    CHECK(alone(0, 33) == each[0]);
}

}  // namespace gainstage::test::gated_cells_test
