#include "nodes/models/ed_lstm/ed_lstm.hpp"

#include <iostream>

#include "tests/nodes/contract.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/reference.hpp"

namespace gainstage::test::ed_lstm_test {

namespace {

const char* const fixture_names[] = {"w16", "begins-within", "no-knobs", "carried"};

std::string complaint_of(const std::shared_ptr<const Model>& model) {
    return complaint(EdLstm::type(), model);
}

Channel joined(Channel first, const Channel& then) {
    first.insert(first.end(), then.begin(), then.end());
    return first;
}

}  // namespace

TEST_CASE("ed_lstm: its output matches the formulas while knobs step, glide and turn back") {
    for (const char* name : fixture_names) {
        const Fixture fixture("ed_lstm", name);
        NodeRunner runner(EdLstm::type(), fixture.config());
        const Sound out = runner.run(mono(fixture.input), {}, fixture.moves);
        double farthest = 0.;
        for (std::size_t k = 0; k < fixture.expected.size(); ++k)
            farthest = std::max(farthest, std::abs(double{out[0][k]} - double{fixture.expected[k]}));
        INFO(name << ": " << farthest);
        // float32 sums of about a dozen products of numbers near 1; measured: 2.4e-7
        CHECK(farthest < 1e-6);
    }
}

TEST_CASE("ed_lstm: it keeps the promises of a node") {
    for (const char* name : fixture_names) {
        const Fixture fixture("ed_lstm", name);
        INFO(name);
        CHECK(broken_promise(EdLstm::type(), fixture.config(), {mono(fixture.input)}, fixture.moves) == "");
        NodeConfig wide = fixture.config();
        wide.channels = 2;
        const Sound both =
            stereo(fixture.input, white_noise(static_cast<int>(fixture.input.size()), 3, 0.3f));
        CHECK(broken_promise(EdLstm::type(), wide, {both}, fixture.moves) == "");
        CHECK(not_finite(EdLstm::type(), wide, {both}) == "");
    }
}

TEST_CASE("ed_lstm: a published checkpoint plays as its reference does") {
    const auto reference = import_reference("ed-lstm/cl1b-w16", "ed_lstm", nlohmann::json::object(), "h5py");
    if (!reference) return;
    const Parity parity = parity_of(EdLstm::type(), *reference);
    std::cout << "ed_lstm cl1b-w16: max error " << parity.max_error << ", RMS " << parity.rms_error << '\n';
    CHECK(parity.broken == "");
    // measured: 5.8e-7; the reference states 4.6e-7 for a float32 run, the fixture allows 5e-6
    CHECK(parity.max_error < 2e-6);
}

// -------- laws

TEST_CASE("ed_lstm: its latency is one window, its memory two") {
    const Fixture fixture("ed_lstm", "begins-within");
    NodeRunner runner(EdLstm::type(), fixture.config());
    CHECK(runner.node().latency_samples() == 24);
    CHECK(runner.node().memory_samples() == 48);
}

TEST_CASE("ed_lstm: sound reaches the output one window after the start of its own window, not before") {
    // The last sample of window 2 changes the output of window 2, which sounds in place of window 3.
    const Fixture fixture("ed_lstm", "w16");
    Channel changed = fixture.input;
    changed[47] += 0.5f;
    const auto play = [&](const Channel& in) {
        return NodeRunner(EdLstm::type(), fixture.config()).run(mono(in))[0];
    };
    const Channel one = play(fixture.input), other = play(changed);
    for (int k = 0; k < 200; ++k) {
        // window 2 itself, and window 3 as its encoder heard it
        const bool within = k >= 48 && k < 80;
        INFO(k);
        CHECK((one[k] != other[k]) == within);
    }
}

TEST_CASE("ed_lstm: after two windows of equal sound two nodes are equal to the bit, whatever came before") {
    const Fixture fixture("ed_lstm", "w16");
    constexpr int window = 16;
    const Channel same = white_noise(10 * window, 8, 0.5f);
    const auto play = [&](const Channel& before) {
        NodeRunner runner(EdLstm::type(), {.sample_rate_hz = 48'000., .model = fixture.model});
        Channel out = runner.run(mono(joined(before, same)))[0];
        out.erase(out.begin(), out.begin() + 5 * window + 2 * window);
        return out;
    };
    CHECK(play(silence(5 * window)) == play(white_noise(5 * window, 9, 1.f)));
}

TEST_CASE("ed_lstm: a carried state depends on sound many windows ago, a rebuilt one does not") {
    constexpr int window = 16, later = 40 * window;
    const auto heard_later = [](const char* name) {
        const Fixture fixture("ed_lstm", name);
        const auto play = [&](const Channel& before) {
            NodeRunner runner(EdLstm::type(), {.sample_rate_hz = 48'000., .model = fixture.model});
            return runner.run(mono(joined(before, silence(2 * later))))[0];
        };
        const Channel loud = play(white_noise(20 * window, 9, 1.f)), still = play(silence(20 * window));
        double most = 0.;
        for (std::size_t k = loud.size() - later; k < loud.size(); ++k)
            most = std::max(most, std::abs(double{loud[k]} - double{still[k]}));
        return most;
    };
    CHECK(heard_later("w16") == 0.);
    CHECK(heard_later("carried") > 1e-5);
}

TEST_CASE("ed_lstm: a carried state remembers as long as its file says, else ten seconds") {
    const auto memory_of = [](std::int64_t said) {
        const auto model = spoilable(Fixture("ed_lstm", "carried").model);
        model->memory_samples = said;
        return EdLstmWeights(*model).facts.memory_samples;
    };
    CHECK(memory_of(4'800) == 4'800);
    CHECK(memory_of(0) == 480'000);
    CHECK(memory_of(7) == 32);  // never less than with a rebuilt state
}

TEST_CASE("ed_lstm: a note says that a rebuilt state has no memory beyond two windows") {
    const auto notes = [](const char* name) {
        return notes_on(EdLstm::type(), *Fixture("ed_lstm", name).model);
    };
    REQUIRE(notes("w16").size() == 1);
    check_says(notes("w16")[0],
               "no memory beyond 32 samples (0.67 ms), 16 of which are its latency: its state is rebuilt for "
               "every window, so it cannot show attack and release");
    CHECK(notes("carried").empty());
}

TEST_CASE("ed_lstm: a knob takes effect with the next window, wherever it is turned") {
    const Fixture fixture("ed_lstm", "w16");
    const auto play = [&](const std::vector<Move>& moves) {
        NodeRunner runner(EdLstm::type(), {.sample_rate_hz = 48'000., .model = fixture.model});
        return runner.run(mono(fixture.input), {}, moves)[0];
    };
    const Channel still = play({});
    for (const auto& [turned, begins] : {std::pair{160, 160}, {161, 176}, {175, 176}}) {
        const Channel out = play({{turned, "ratio", 1.f, 0.f}});
        const int first_heard = begins + 16;  // the latency
        CHECK(std::equal(out.begin(), out.begin() + first_heard, still.begin()));
        CHECK(out[first_heard] != still[first_heard]);
    }
}

TEST_CASE("ed_lstm: a stream that begins within a window is silent until it has heard a whole one") {
    const Fixture fixture("ed_lstm", "w16");
    NodeConfig config = fixture.config();
    config.start_time = 1005;  // 13 samples into a window of 16
    const Channel late = NodeRunner(EdLstm::type(), config).run(mono(fixture.input))[0];
    CHECK(peak(Channel(late.begin(), late.begin() + 19)) == 0.);  // 3 left of it, and the latency
    CHECK(late[19] != 0.f);
}

// -------- files that don't fit

TEST_CASE("ed_lstm: a tensor that is missing or misshapen is refused by name") {
    const Fixture fixture("ed_lstm", "w16");
    for (const Tensor& tensor : fixture.model->tensors) {
        const auto model = spoilable(fixture.model);
        std::erase_if(model->tensors, [&](const Tensor& other) { return other.name == tensor.name; });
        check_says(complaint_of(model), "tensor \"" + tensor.name + "\" is missing");
        const auto bent = spoilable(fixture.model);
        tensor_of(*bent, tensor.name).shape = {7, 1, 1};
        check_says(complaint_of(bent), "tensor \"" + tensor.name + "\" has shape (7, 1, 1); expected");
    }
}

TEST_CASE("ed_lstm: absurd sizes and a wrong config are refused") {
    const auto with_shape = [](std::vector<std::int64_t> shape) {
        const auto model = spoilable(Fixture("ed_lstm", "w16").model);
        Tensor& tensor = tensor_of(*model, "encoder.h.weight");
        tensor.data.assign(shape[0] * shape[1], 0.f);
        tensor.shape = std::move(shape);
        return complaint_of(model);
    };
    check_says(with_shape({20, 2000}), "tensor \"encoder.h.weight\" has 2000 columns; expected 1 to 512");
    check_says(with_shape({400, 16}), "tensor \"encoder.h.weight\" has 400 rows; expected 1 to 256");
    check_says(with_shape({0, 16}), "tensor \"encoder.h.weight\" has 0 rows; expected 1 to");
    const auto model = spoilable(Fixture("ed_lstm", "w16").model);
    model->config = ModelConfig(R"({"window": 32})", "config");
    check_says(complaint_of(model), "config.window is 32, but tensor \"encoder.h.weight\" has 16 columns");
}

TEST_CASE("ed_lstm: a state that is neither rebuilt nor carried is refused, with the nearest valid word") {
    const auto with_state = [](const std::string& state) {
        const auto model = spoilable(Fixture("ed_lstm", "carried").model);
        model->config = ModelConfig(R"({"state": ")" + state + "\"}", "config");
        return complaint_of(model);
    };
    CHECK(with_state("carried") == "");
    CHECK(with_state("rebuilt") == "");
    check_says(with_state("caried"),
               "config.state is \"caried\"; expected \"rebuilt\" or \"carried\"; did "
               "you mean \"carried\"?");
    check_says(with_state("?"), "config.state is \"?\"; expected \"rebuilt\" or \"carried\"");
}

TEST_CASE("ed_lstm: another sample rate is refused, extra tensors are noted") {
    const Fixture fixture("ed_lstm", "no-knobs");
    check_knows_one_rate(EdLstm::type(), fixture.model);
    const auto model = spoilable(fixture.model);
    model->tensors.push_back({"optimizer.step", {1}, {3.f}});
    CHECK(complaint_of(model) == "");
    REQUIRE(notes_on(EdLstm::type(), *model).size() == 2);  // the other one: how long it remembers
    check_says(notes_on(EdLstm::type(), *model)[0], "\"optimizer.step\" (1)");
}

}  // namespace gainstage::test::ed_lstm_test
