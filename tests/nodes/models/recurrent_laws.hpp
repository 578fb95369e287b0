#pragma once
/// Laws that the tests of lstm and gru share.

#include <string>
#include <vector>

#include "nodes/models/recurrent/recurrent_weights.hpp"
#include "tests/nodes/contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/measure.hpp"

namespace gainstage::test {

using Names = std::vector<std::string>;

inline void plays_its_formulas(const NodeType& type, const Names& names) {
    for (const std::string& name : names) {
        const Fixture fixture(type.name, name);
        const Channel out = NodeRunner(type, fixture.config()).run(mono(fixture.input), {}, fixture.moves)[0];
        INFO(name);
        // float32 sums of up to 20 products, fed back through states below 1; measured: 2.7e-7
        CHECK(max_difference(out, fixture.expected) < 2e-6);
    }
}

inline void keeps_the_promises(const NodeType& type, const Names& names) {
    for (const std::string& name : names) {
        const Fixture fixture(type.name, name);
        INFO(name);
        CHECK(broken_promise(type, fixture.config(), {mono(fixture.input)}, fixture.moves) == "");
        NodeConfig wide = fixture.config();
        wide.channels = 2;
        const Sound both =
            stereo(fixture.input, white_noise(static_cast<int>(fixture.input.size()), 3, 0.3f));
        CHECK(broken_promise(type, wide, {both}, fixture.moves) == "");
        CHECK(not_finite(type, wide, {both}) == "");
    }
}

/// For a fixture with the knob peak_reduction.
inline void follows_its_knobs_at_every_sample(const NodeType& type, const std::string& name) {
    const NodeConfig config{.sample_rate_hz = 48'000., .model = Fixture(type.name, name).model};
    const Sound in = mono(white_noise(3000, 8, 0.3f));
    const Channel a = NodeRunner(type, config).run(in)[0];
    const Channel b = NodeRunner(type, config).run(in, {}, {{1607, "peak_reduction", 90.f, 0.f}})[0];
    CHECK(std::equal(a.begin(), a.begin() + 1607, b.begin()));
    CHECK(b[1607] != a[1607]);
    // only the corners at the ramps' ends are left
    CHECK(staircase_left(type, config, "peak_reduction", 40.f, 80.f) < 0.05);
}

inline void forgets_after_its_memory(const NodeType& type, const Names& names) {
    for (const std::string& name : names) {
        const NodeConfig config = Fixture(type.name, name).config();
        NodeRunner loud(type, config), fresh(type, config);
        loud.run(mono(white_noise(9600, 4)));
        const auto memory = static_cast<int>(loud.node().memory_samples());
        CHECK(memory == 4800);  // as the file says
        const Sound quiet = mono(white_noise(memory, 5, 0.1f));
        INFO(name);
        CHECK(loud.run(quiet)[0].back() == Approx(fresh.run(quiet)[0].back()).margin(1e-4));  // -80 dB
    }
    auto unsaid = spoilable(Fixture(type.name, names[0]).model);
    unsaid->memory_samples = 0;
    CHECK(NodeRunner(type, {.model = unsaid}).node().memory_samples() == 480'000);  // the longest
}

inline void refuses_what_is_missing_or_misshapen(const NodeType& type, const Names& names) {
    for (const std::string& name : names) {
        const auto good = Fixture(type.name, name).model;
        for (const Tensor& tensor : good->tensors) {
            auto model = spoilable(good);
            tensor_of(*model, tensor.name).name = "elsewhere";
            check_says(complaint(type, model), "tensor \"" + tensor.name + "\" is missing");
            model = spoilable(good);
            tensor_of(*model, tensor.name).shape.push_back(1);
            check_says(complaint(type, model), "tensor \"" + tensor.name + "\" has shape");
        }
    }
}

/// The complaint about a fixture whose tensor has other numbers in another shape.
inline std::string with_shape(const NodeType& type, const std::string& fixture, const std::string& name,
                              const std::vector<std::int64_t>& shape) {
    auto model = spoilable(Fixture(type.name, fixture).model);
    int count = 1;
    for (const std::int64_t length : shape) count *= static_cast<int>(length);
    tensor_of(*model, name) = {name, shape, white_noise(count, 1)};
    return complaint(type, model);
}

inline void refuses_a_config_without_sense(const NodeType& type, const std::string& name) {
    const auto with = [&](const char* config) {
        auto model = spoilable(Fixture(type.name, name).model);
        model->config = ModelConfig(config, "config");
        return complaint(type, model);
    };
    CHECK(with("{}").empty());
    check_says(with(R"({"final_tanh": "maybe"})"),
               "config.final_tanh is \"maybe\"; expected \"none\" or \"tanh\"");
    check_says(with(R"({"skip": 2})"), "config.skip is 2; expected a whole number, 0 to 1");
    auto tall = spoilable(Fixture(type.name, name).model);
    tensor_of(*tall, "layers.0.weight_hh").name = "layers.8.weight_hh";
    check_says(complaint(type, tall), "at most 8 of \"layers.N\" are supported");
}

inline void knows_its_rate_and_its_tensors(const NodeType& type, const std::string& name) {
    const auto model = Fixture(type.name, name).model;
    check_knows_one_rate(type, model);
    CHECK(notes_on(type, *model).empty());
    auto more = spoilable(model);
    more->tensors.push_back({"optimizer.step", {1}, {3.f}});
    REQUIRE(notes_on(type, *more).size() == 1);
    check_says(notes_on(type, *more)[0], "\"optimizer.step\" (1)");
}

}  // namespace gainstage::test
