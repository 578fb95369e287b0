#include "runtime/plain_text.hpp"

#include "tests/support/catch.hpp"

namespace gainstage::test::plain_text_test {

TEST_CASE("text that only says something is left as it is") {
    for (const std::string text :
         {"", "trim: gain_db\n", "a\tb", "K\xC3\xBCrbis \xE2\x96\x81 \xF0\x9F\x8E\xB8"})
        CHECK(plain_text(text) == text);
}

TEST_CASE("what would steer a terminal becomes a question mark") {
    CHECK(plain_text("\x1b[2Jgone\a\r\x7f\b") == "?[2Jgone????");
    CHECK(plain_text(std::string_view("a\0b", 3)) == "a?b");
    CHECK(plain_text("\xC2\x9B"
                     "31m") == "?31m");  // CSI as one character (C1)
    CHECK(plain_text("\xE2\x80\xAE"
                     "gpj.exe\xE2\x81\xA6\xD8\x9C") == "?gpj.exe??");  // turned round
}

TEST_CASE("bytes that are not UTF-8 are replaced one by one") {
    const std::string mark = "\xEF\xBF\xBD";
    CHECK(plain_text("caf\xE9.wav") == "caf" + mark + ".wav");
    CHECK(plain_text("\x9B") == mark);                        // CSI as one byte
    CHECK(plain_text("\xC0\x9B") == mark + mark);             // an escape in two bytes too many
    CHECK(plain_text("\xED\xA0\x80") == mark + mark + mark);  // half of a pair
    CHECK(plain_text("\xF5\x80\x80\x80").size() == 4 * mark.size());
    CHECK(plain_text("\xE2\x96") == mark + mark);  // cut off
}

TEST_CASE("a line begins and ends where we say so, whatever a name holds") {
    CHECK(plain_line("one\nerror: two\tthree\r\n") == "one?error: two?three??");
    CHECK(plain_line("K\xC3\xBCrbis") == "K\xC3\xBCrbis");
    CHECK(plain_line("caf\xE9") == "caf\xEF\xBF\xBD");
}

TEST_CASE("JSON keeps its meaning and its layout, and no character in it steers a terminal") {
    CHECK(plain_json("{\n  \"a\": \"K\xC3\xBCrbis\"\n}") == "{\n  \"a\": \"K\xC3\xBCrbis\"\n}");
    CHECK(plain_json("[\"\x7f\xC2\x9B\xE2\x80\xAE\xD8\x9C\"]") == "[\"\\u007f\\u009b\\u202e\\u061c\"]");
}

}  // namespace gainstage::test::plain_text_test
