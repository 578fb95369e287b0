#include "nodes/models/recurrent/gru.hpp"

#include <iostream>

#include "tests/nodes/models/recurrent_laws.hpp"
#include "tests/support/reference.hpp"

namespace gainstage::test::gru_test {

namespace {
const Names fixtures{"one-knob", "two-layers"};
}

TEST_CASE("gru: its output matches the formulas while knobs step, glide and turn back") {
    plays_its_formulas(Gru::type(), fixtures);
}

TEST_CASE("gru: it keeps the promises of a node") {
    keeps_the_promises(Gru::type(), fixtures);
}

TEST_CASE("gru: a step of a knob takes effect at its very sample, a moving one leaves no staircase") {
    follows_its_knobs_at_every_sample(Gru::type(), "one-knob");
}

TEST_CASE("gru: after its memory nothing is left of its earlier state") {
    forgets_after_its_memory(Gru::type(), fixtures);
}

TEST_CASE("gru: imported checkpoints in the published layout play like their reference") {
    if (const auto reference = import_reference("baseline/gru8", "gru")) {
        const Parity parity = parity_of(Gru::type(), *reference);
        std::cout << reference->name << ": max " << parity.max_error << ", RMS " << parity.rms_error << '\n';
        CHECK(parity.broken == "");
        // the fixture allows 5e-6; measured: 2.7e-7
        CHECK(parity.max_error < 1e-6);
    }
}

TEST_CASE("gru: a tensor that is missing or misshapen is refused by name") {
    refuses_what_is_missing_or_misshapen(Gru::type(), fixtures);
}

TEST_CASE("gru: sizes that don't fit together, or are absurd, are refused with both") {
    const auto with = [](const char* name, const std::vector<std::int64_t>& shape) {
        return with_shape(Gru::type(), "one-knob", name, shape);
    };
    check_says(with("layers.0.weight_hh", {32, 8}), "has shape (32, 8); expected (3 units, units)");
    check_says(with("layers.0.weight_ih", {24, 3}), "has shape (24, 3); expected (24, 2)");
    check_says(with("layers.0.weight_hh", {1800, 600}), "has 1800 rows; expected 1 to 1536");
    check_says(with("output.weight", {1, 9}), "has shape (1, 9); expected (1, 8)");
}

TEST_CASE("gru: a config that makes no sense is refused") {
    refuses_a_config_without_sense(Gru::type(), "one-knob");
}

TEST_CASE("gru: another sample rate is refused, unknown tensors are noted") {
    knows_its_rate_and_its_tensors(Gru::type(), "one-knob");
}

}  // namespace gainstage::test::gru_test
