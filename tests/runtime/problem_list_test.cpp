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

TEST_CASE("of many notes and many errors the first are shown and the others are counted") {
    Problems problems;
    for (int k = 1; k <= 60; ++k) problems.push_back(note(k)), problems.push_back(error(k));
    problems.back().exit_code = 66;
    shorten_for_people(problems, "see there");
    REQUIRE(problems.size() == 22);
    CHECK(problems[19].place.line == 10);
    CHECK(problems[20].text() == "a.toml: and 50 more; see there");
    CHECK_FALSE(problems[20].is_note);
    CHECK(problems[20].exit_code == 66);
    CHECK(problems[21].text() == "a.toml: and 50 more; see there");
    CHECK(problems[21].is_note);
}

TEST_CASE("a few notes and errors stay as they are") {
    Problems problems;
    for (int k = 1; k <= 10; ++k) problems.push_back(note(k)), problems.push_back(error(k));
    shorten_for_people(problems, "see there");
    CHECK(problems.size() == 20);
    CHECK(problems.back().place.line == 10);
}

}  // namespace gainstage::test::problem_list_test
