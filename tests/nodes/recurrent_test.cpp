#include <iostream>

#include "nodes/gru.hpp"
#include "nodes/lstm.hpp"
#include "tests/nodes/contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/reference.hpp"

using namespace gainstage;
using namespace gainstage::test;

namespace {

struct Case {
    const NodeType& type;
    Fixture fixture;

    Case(const NodeType& of, const std::string& name) : type(of), fixture(of.name, name) {}
    std::string name() const { return fixture.model->file; }
};

std::vector<Case> cases() {
    std::vector<Case> all;
    all.emplace_back(Lstm::type(), "two-knobs");
    all.emplace_back(Lstm::type(), "two-layers");
    all.emplace_back(Gru::type(), "one-knob");
    all.emplace_back(Gru::type(), "two-layers");
    return all;
}

}  // namespace

TEST_CASE("lstm, gru: what they play is what the formulas say, with knobs that step, glide and turn back") {
    for (const Case& each : cases()) {
        NodeRunner runner(each.type, each.fixture.config());
        const Channel out = runner.run(mono(each.fixture.input), {}, each.fixture.moves)[0];
        INFO(each.name());
        // float32 sums of up to 20 products, fed back; measured: 3.9e-7
        CHECK(max_difference(out, each.fixture.expected) < 2e-6);
    }
}

TEST_CASE("lstm, gru: they keep the promises of a node") {
    for (const Case& each : cases()) {
        INFO(each.name());
        CHECK(broken_promise(each.type, each.fixture.config(), {mono(each.fixture.input)},
                             each.fixture.moves) == "");
        NodeConfig wide = each.fixture.config();
        wide.channels = 2;
        const Sound both =
            stereo(each.fixture.input, white_noise(static_cast<int>(each.fixture.input.size()), 3, 0.3f));
        CHECK(broken_promise(each.type, wide, {both}, each.fixture.moves) == "");
        CHECK(not_finite(each.type, wide, {both}) == "");
    }
}

TEST_CASE("lstm, gru: a step of a knob acts at its very sample, a turning one leaves no staircase") {
    for (const auto& [type, name] : {std::pair{&Lstm::type(), "two-knobs"}, {&Gru::type(), "one-knob"}}) {
        const auto model = Fixture(type->name, name).model;
        const Sound in = mono(white_noise(3000, 8, 0.3f));
        const NodeConfig config{.sample_rate_hz = model->sample_rate_hz, .model = model};
        const Channel a = NodeRunner(*type, config).run(in)[0];
        const Channel b = NodeRunner(*type, config).run(in, {}, {{1607, "peak_reduction", 90.f, 0.f}})[0];
        CHECK(std::equal(a.begin(), a.begin() + 1607, b.begin()));
        CHECK(b[1607] != a[1607]);
        // knobs are heard at every sample: what is left are the corners at the ramps' ends
        CHECK(staircase_left(*type, config, "peak_reduction", 40.f, 80.f) < 0.05);
    }
}

TEST_CASE("lstm, gru: after their memory, where they came from is not heard any more") {
    for (const Case& each : cases()) {
        const NodeConfig config = each.fixture.config();
        NodeRunner loud(each.type, config), fresh(each.type, config);
        loud.run(mono(white_noise(9600, 4)));
        const auto memory = static_cast<int>(loud.node().memory_samples());
        CHECK(memory == 4800);  // as the file says
        const Sound quiet = mono(white_noise(memory, 5, 0.1f));
        INFO(each.name());
        CHECK(loud.run(quiet)[0].back() == Approx(fresh.run(quiet)[0].back()).margin(1e-4));  // -80 dB
    }
    auto silent = spoilable(Fixture("lstm", "two-layers").model);
    silent->memory_samples = 0;  // not said: the longest
    CHECK(NodeRunner(Lstm::type(), {.model = silent}).node().memory_samples() == 480'000);
}

TEST_CASE("lstm, gru: imported checkpoints in the published layout play as their reference does") {
    for (const auto& [type, name] : {std::pair{&Lstm::type(), "lstm32"}, {&Gru::type(), "gru8"}})
        if (const auto reference = import_reference(std::string("baseline/") + name, type->name)) {
            const Parity parity = parity_of(*type, *reference);
            std::cout << reference->name << ": max " << parity.max_error << ", RMS " << parity.rms_error
                      << '\n';
            CHECK(parity.broken == "");
            // the fixture allows 5e-6; measured: 2.4e-7
            CHECK(parity.max_error < 1e-6);
        }
}

// ------------------------------------------------------------------------------------------------
// files that don't fit

TEST_CASE("lstm, gru: a tensor that is missing or misshapen is refused by name") {
    for (const Case& each : cases())
        for (const Tensor& tensor : each.fixture.model->tensors) {
            auto model = spoilable(each.fixture.model);
            tensor_of(*model, tensor.name).name = "elsewhere";
            check_says(complaint(each.type, model), "tensor \"" + tensor.name + "\" is missing");
            model = spoilable(each.fixture.model);
            tensor_of(*model, tensor.name).shape.push_back(1);
            check_says(complaint(each.type, model), "tensor \"" + tensor.name + "\" has shape");
        }
}

TEST_CASE("lstm, gru: sizes that don't fit together, or are absurd, are refused with both") {
    const auto with = [](const Case& each, const std::string& name, std::vector<std::int64_t> shape) {
        auto model = spoilable(each.fixture.model);
        int count = 1;
        for (const std::int64_t length : shape) count *= static_cast<int>(length);
        tensor_of(*model, name) = {name, std::move(shape), white_noise(count, 1)};
        return complaint(each.type, model);
    };
    const Case lstm(Lstm::type(), "two-layers"), gru(Gru::type(), "one-knob");
    check_says(with(lstm, "layers.0.weight_hh", {18, 6}), "has shape (18, 6); expected (4 units, units)");
    check_says(with(gru, "layers.0.weight_hh", {32, 8}), "has shape (32, 8); expected (3 units, units)");
    check_says(with(lstm, "layers.1.weight_hh", {20, 5}), "expected (4 units, units), of 6 units");
    check_says(with(gru, "layers.0.weight_ih", {24, 3}), "has shape (24, 3); expected (24, 2)");
    check_says(with(gru, "layers.0.weight_hh", {1800, 600}), "has 1800 rows; expected 1 to 1536");
    check_says(with(gru, "output.weight", {1, 9}), "has shape (1, 9); expected (1, 8)");
}

TEST_CASE("lstm, gru: a config that makes no sense is refused") {
    const auto with = [](const char* config) {
        auto model = spoilable(Fixture("gru", "one-knob").model);
        model->config_json = config;
        return complaint(Gru::type(), model);
    };
    CHECK(with("{}").empty());
    check_says(with(R"({"final_tanh": "maybe"})"),
               "config.final_tanh is \"maybe\"; expected \"none\" or \"tanh\"");
    check_says(with(R"({"skip": 2})"), "config.skip is 2; expected a whole number, 0 to 1");
    auto tall = spoilable(Fixture("gru", "two-layers").model);
    tensor_of(*tall, "layers.1.weight_hh").name = "layers.8.weight_hh";
    check_says(complaint(Gru::type(), tall), "at most 8 of \"layers.N\" are supported");
}

TEST_CASE("lstm, gru: at another rate than their own they are not built, and unknown tensors are noted") {
    const auto model = Fixture("gru", "one-knob").model;
    CHECK_THROWS_AS(RecurrentWeights(*model, 3, 44'100.), SetupError);
    CHECK(Gru::type().notes(*model).empty());
    auto more = spoilable(model);
    more->tensors.push_back({"optimizer.step", {1}, {3.f}});
    REQUIRE(Gru::type().notes(*more).size() == 1);
    check_says(Gru::type().notes(*more)[0], "\"optimizer.step\" (1)");
}
