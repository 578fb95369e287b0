#include "nodes/models/recurrent/lstm.hpp"

#include <iostream>

#include "tests/nodes/models/recurrent_laws.hpp"
#include "tests/support/reference.hpp"

namespace gainstage::test::lstm_test {

namespace {
const Names fixtures{"two-knobs", "two-layers"};
}

TEST_CASE("lstm: its output matches the formulas while knobs step, glide and turn back") {
    plays_its_formulas(Lstm::type(), fixtures);
}

TEST_CASE("lstm: it keeps the promises of a node") {
    keeps_the_promises(Lstm::type(), fixtures);
}

TEST_CASE("lstm: a step of a knob takes effect at its very sample, a moving one leaves no staircase") {
    follows_its_knobs_at_every_sample(Lstm::type(), "two-knobs");
}

TEST_CASE("lstm: after its memory nothing is left of its earlier state") {
    forgets_after_its_memory(Lstm::type(), fixtures);
}

TEST_CASE("lstm: imported checkpoints in the published layout play like their reference") {
    if (const auto reference = import_reference("baseline/lstm32", "lstm")) {
        const Parity parity = parity_of(Lstm::type(), *reference);
        std::cout << reference->name << ": max " << parity.max_error << ", RMS " << parity.rms_error << '\n';
        CHECK(parity.broken == "");
        // the fixture allows 5e-6; measured: 2.0e-7
        CHECK(parity.max_error < 1e-6);
    }
}

TEST_CASE("lstm: a tensor that is missing or misshapen is refused by name") {
    refuses_what_is_missing_or_misshapen(Lstm::type(), fixtures);
}

TEST_CASE("lstm: sizes that don't fit together, or are absurd, are refused with both") {
    const auto with = [](const char* name, const std::vector<std::int64_t>& shape) {
        return with_shape(Lstm::type(), "two-layers", name, shape);
    };
    check_says(with("layers.0.weight_hh", {18, 6}), "has shape (18, 6); expected (4 units, units)");
    check_says(with("layers.1.weight_hh", {20, 5}), "expected (4 units, units), of 6 units");
    check_says(with("layers.1.weight_ih", {24, 5}), "has shape (24, 5); expected (24, 6)");
    check_says(with("layers.0.weight_hh", {2400, 600}), "has 2400 rows; expected 1 to 2048");
}

TEST_CASE("lstm: a config that makes no sense is refused") {
    refuses_a_config_without_sense(Lstm::type(), "two-knobs");
}

TEST_CASE("lstm: another sample rate is refused, unknown tensors are noted") {
    knows_its_rate_and_its_tensors(Lstm::type(), "two-knobs");
}

}  // namespace gainstage::test::lstm_test
