/// Values written into a patch's text.

#include "runtime/patch/write_values.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::write_values_test {

namespace {

std::string written(const std::string& text, const std::vector<WrittenValue>& values) {
    const ValuesWritten found = write_values(text, values, "song.toml");
    for (const Problem& problem : found.problems) UNSCOPED_INFO(problem.text());
    CHECK(found.problems.empty());
    return found.text;
}

std::string problem(const std::string& text, const std::vector<WrittenValue>& values) {
    const ValuesWritten found = write_values(text, values, "song.toml");
    REQUIRE_FALSE(found.problems.empty());
    return found.problems.front().text();
}

}  // namespace

TEST_CASE("a value that stands in the text is replaced in its place, and the rest stays byte for byte") {
    CHECK(written("# mine\nformat = 1\n[nodes.trim]\ntype = \"gain\"\ngain_db = -6.0   # "
                  "soft\n\n[nodes.b]\ntype=\"gain\"\n",
                  {{"trim", "gain_db", "-7.25"}}) ==
          "# mine\nformat = 1\n[nodes.trim]\ntype = \"gain\"\ngain_db = -7.25   # "
          "soft\n\n[nodes.b]\ntype=\"gain\"\n");
    CHECK(written("[nodes]\ntrim = { type = \"gain\", gain_db = 3 } # x\n", {{"trim", "gain_db", "1e-07"}}) ==
          "[nodes]\ntrim = { type = \"gain\", gain_db = 1e-07 } # x\n");
    CHECK(written("[nodes]\ntrim.type = \"gain\"\ntrim.gain_db = +1_0.5\n", {{"trim", "gain_db", "2.0"}}) ==
          "[nodes]\ntrim.type = \"gain\"\ntrim.gain_db = 2.0\n");
    CHECK(written("[nodes.a]\ntype=\"x\" #\xc3\xa4\xc3\xb6\ng=1 #\xc3\xa4\n[nodes.b]\ntype='g'\ng=2",
                  {{"b", "g", "3.0"}, {"a", "g", "4.0"}}) ==
          "[nodes.a]\ntype=\"x\" #\xc3\xa4\xc3\xb6\ng=4.0 #\xc3\xa4\n[nodes.b]\ntype='g'\ng=3.0");
    CHECK(written("[nodes.b]\ntype='g'\nbypass=false\n", {{"b", "bypass", "true"}}) ==
          "[nodes.b]\ntype='g'\nbypass=true\n");
}

TEST_CASE("a value that the text lacks comes behind the node's type, in the form of that place") {
    CHECK(
        written("[nodes.trim]\n  type = \"gain\" # a\n[nodes.b]\ntype='g'",
                {{"trim", "gain_db", "-1.0"}, {"trim", "mute", "true"}, {"b", "g", "2.0"}}) ==
        "[nodes.trim]\n  type = \"gain\" # a\n  gain_db = -1.0\n  mute = true\n[nodes.b]\ntype='g'\ng = 2.0");
    CHECK(written("[nodes]\ntrim = {type=\"gain\"}\nb = { gain = 1, type = 'x' , y = 2 }\n",
                  {{"trim", "gain_db", "-1.0"}, {"b", "z", "4.0"}}) ==
          "[nodes]\ntrim = {type=\"gain\", gain_db = -1.0}\nb = { gain = 1, type = 'x', z = 4.0 , y = 2 }\n");
    CHECK(written("[nodes]\ntrim.type = \"gain\"\n", {{"trim", "gain_db", "-1.0"}}) ==
          "[nodes]\ntrim.type = \"gain\"\ntrim.gain_db = -1.0\n");
    CHECK(written("nodes.trim.type = \"gain\"\r\nformat = 1\r\n", {{"trim", "gain_db", "-1.0"}}) ==
          "nodes.trim.type = \"gain\"\r\nnodes.trim.gain_db = -1.0\r\nformat = 1\r\n");
    CHECK(written("\xef\xbb\xbf[nodes.trim]\ntype = \"gain\"\n", {{"trim", "gain_db", "-1.0"}}) ==
          "\xef\xbb\xbf[nodes.trim]\ntype = \"gain\"\ngain_db = -1.0\n");
}

TEST_CASE("what can't be written is named, with what to write by hand") {
    const std::string text = "[nodes.trim]\ntype = \"gain\"\n";
    CHECK(has(problem(text, {{"gone", "gain_db", "1.0"}}),
              "nodes.gone: the file has no such node any more; write it by hand: gain_db = 1.0"));
    CHECK(has(problem("[nodes.trim\n", {{"trim", "gain_db", "1.0"}}), "not valid TOML"));
    CHECK(has(problem("[nodes.trim]\ngain = 1\n", {{"trim", "gain_db", "1.0"}}), "the node has no type"));
    CHECK(has(problem(text, {{"trim", "a key", "1.0"}}), "can't be written without changing something else"));
    CHECK(written(text, {}) == text);
}

}  // namespace gainstage::test::write_values_test
