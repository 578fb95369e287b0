// The name that a player probably meant, and no name if none is near.

#include "runtime/nearest_name.hpp"

#include <fmt/format.h>
#include "runtime/problem_list.hpp"

#include "tests/support/catch.hpp"

namespace gainstage::test::nearest_name_test {
namespace {

const Names names{"gain_db", "threshold_db", "ratio", "attack_ms", "release_ms", "in", "out", "mix_percent"};

TEST_CASE("nearest_name: finds typing slips") {
    CHECK(nearest_name("gian_db", names) == "gain_db");   // swapped
    CHECK(nearest_name("gan_db", names) == "gain_db");    // missing
    CHECK(nearest_name("gainn_db", names) == "gain_db");  // doubled
    CHECK(nearest_name("ratip", names) == "ratio");       // the neighbouring key
    CHECK(nearest_name("Gain-DB", names) == "gain_db");   // another style
    CHECK(nearest_name("treshhold_db", names) == "threshold_db");
}

TEST_CASE("nearest_name: finds a name of which only the beginning was typed") {
    CHECK(nearest_name("gain", names) == "gain_db");
    CHECK(nearest_name("mix", names) == "mix_percent");
    CHECK(nearest_name("delay", {"delay_samples", "longest_ms", "delay_ms"}) == "delay_ms");
}

TEST_CASE("nearest_name: finds a name within a longer word, unless another is nearer") {
    CHECK(nearest_name("noisegate", {"gain", "gate", "limiter"}) == "gate");
    CHECK(nearest_name("gate_node", {"gain", "gate", "limiter"}) == "gate");
    CHECK(nearest_name("limitter", {"gain", "gate", "limiter"}) == "limiter");
    CHECK(nearest_name("cabin", {"in", "out"}).empty());  // too short to be meant
}

TEST_CASE("nearest_name: gives nothing if nothing is near") {
    CHECK(nearest_name("bypass", names).empty());
    CHECK(nearest_name("", names).empty());
    CHECK(nearest_name("x", names).empty());
    CHECK(nearest_name("xy", names).empty());
    CHECK(nearest_name(std::string(1'000'000, 'g'), names).empty());
    CHECK(nearest_name("gain", {}).empty());
}

TEST_CASE("problem_list: text of a hostile file stays short and on one line") {
    CHECK(in_quotes("a\nb\x1b[31m\x7f") == "\"a?b?[31m?\"");
    CHECK(in_quotes(std::string(100, 'x')) == fmt::format("\"{}...\"", std::string(60, 'x')));
    // Never cut within a character.
    CHECK(shown(fmt::format("{}\u00e9\u00e9", std::string(59, 'x'))) ==
          fmt::format("{}...", std::string(59, 'x')));
}

TEST_CASE("problem_list: with 100,000 wrong names it stops guessing, not reporting") {
    const std::vector<std::string> ids(10'000, "some_node");
    const Names many(ids.begin(), ids.end());
    ProblemList problems("p.toml");
    std::string first, last;
    for (int i = 0; i < 1'000; ++i) {
        last = problems.unknown("no", "some_nod", "nodes", many);
        if (i == 0) first = last;
    }
    CHECK(first.find("did you mean \"some_node\"?") != std::string::npos);
    CHECK(last.find("did you mean") == std::string::npos);
    CHECK(last.find("and 9960 more") != std::string::npos);
}

}  // namespace
}  // namespace gainstage::test::nearest_name_test
