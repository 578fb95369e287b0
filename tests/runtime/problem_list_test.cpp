#include "runtime/problem_list.hpp"

#include "tests/support/catch.hpp"

namespace gainstage::test::problem_list_test {

namespace {

Problem note(int line) {
    return {.file = "a.toml", .place = {line, 1}, .key = "key", .message = "note", .is_note = true};
}
Problem error(int line) {
    return {.file = "a.toml", .place = {line, 1}, .key = "key", .message = "error"};
}

}  // namespace

TEST_CASE("of many notes the first are shown and the others are counted; no error is left out") {
    Problems problems;
    for (int k = 1; k <= 60; ++k) problems.push_back(note(k)), problems.push_back(error(k));
    shorten_notes(problems, "see there");
    REQUIRE(problems.size() == 71);
    CHECK(problems[19].is_note == false);
    CHECK(problems.back().text() == "a.toml: and 50 more; see there");
    CHECK(problems.back().is_note);
}

TEST_CASE("a few notes stay as they are") {
    Problems problems;
    for (int k = 1; k <= 10; ++k) problems.push_back(note(k));
    shorten_notes(problems, "see there");
    CHECK(problems.size() == 10);
    CHECK(problems.back().place.line == 10);
}

}  // namespace gainstage::test::problem_list_test
