// patches/REFERENCE.md tells of every key that the reader of patches takes, and of no other. The reader is
// asked: it answers a wrong key with those that it knows, and a wrong value with what it expected.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "nodes/all_nodes.hpp"
#include "runtime/patch/read_patch.hpp"
#include "runtime/resolve/resolve.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/places.hpp"
#include "tests/support/problem_text.hpp"

namespace gainstage::test::reference_test {
namespace {

using Words = std::set<std::string>;
/// What a row of a table begins with, and the rest of the row.
using Rows = std::map<std::string, std::string>;

const std::string& page() {
    static const std::string text = [] {
        std::ostringstream read;
        read << std::ifstream(source_dir() + "/patches/REFERENCE.md").rdbuf();
        return read.str();
    }();
    return text;
}

/// From a title to the next one.
std::string section(const std::string& title) {
    const auto begin = page().find("\n" + title + "\n");
    REQUIRE(begin != std::string::npos);
    const auto text = page().substr(begin + title.size() + 2);
    return text.substr(0, std::min(text.find("\n## "), text.find("\n### ")));
}

/// Rows of the table below a title that begin with a word in backticks.
Rows rows(const std::string& title) {
    Rows found;
    std::istringstream lines(section(title));
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("| `", 0) != 0) continue;
        const auto end = line.find('`', 3);
        INFO(line);
        CHECK(found.emplace(line.substr(3, end - 3), line.substr(end + 1)).second);
    }
    return found;
}

Words first_words(const Rows& table) {
    Words words;
    for (const auto& [word, rest] : table) words.insert(word);
    return words;
}

/// Of all problems of a patch the message for this key.
std::string complaint(const Problems& problems, const std::string& key) {
    for (const Problem& problem : problems)
        if (problem.key == key) return problem.message;
    INFO(lines(problems));
    FAIL("nothing is wrong with " + key);
    return {};
}

/// The words of "a, b, c" between two texts.
Words listed(const std::string& message, const std::string& before, const std::string& after = "") {
    INFO(message);
    const auto begin = message.find(before);
    REQUIRE(begin != std::string::npos);
    const std::string list = message.substr(begin + before.size());
    std::istringstream words(after.empty() ? list : list.substr(0, list.find(after)));
    Words found;
    for (std::string word; std::getline(words, word, ',');)
        found.insert(word.substr(word.find_first_not_of(' ')));
    return found;
}

Problems read(const std::string& text) {
    return read_patch_text("format = 1\n" + text, "p.toml", "").problems;
}

/// Resolves a patch of one node, with a model of the architecture that `model` names.
Problems resolved(const std::string& node, const std::string& rest = "") {
    const auto reader = [](const std::string& path) {
        auto model = std::make_shared<Model>();
        model->architecture = std::filesystem::path(path).filename().string();
        return model;
    };
    const ReadPatch patch = read_patch_text("format = 1\n[nodes.x]\n" + node + rest, "p.toml", "");
    return resolve(patch.patch, all_nodes(), reader).problems;
}

std::string table_of(const NodeType& type) {
    const std::string model = type.architecture.empty() ? "" : "model = \"" + type.architecture + "\"\n";
    return "type = \"" + type.name + "\"\n" + model;
}

/// What the reader wanted in place of a wrong value.
std::string expected(const Problems& problems, const std::string& key) {
    const std::string message = complaint(problems, key), mark = "expected ";
    const auto begin = message.find(mark);
    INFO(message);
    REQUIRE(begin != std::string::npos);
    return message.substr(begin + mark.size());
}

/// A row's text as the reader would write it: without marks for code.
std::string plain(std::string row) {
    std::erase(row, '`');
    return row;
}

void check_ranges(const Rows& table, const std::map<std::string, std::string>& wrong,
                  const std::string& before, const std::string& path) {
    for (const auto& [key, value] : wrong) {
        std::string wanted = expected(read(before + key + " = " + value + "\n"), path + key);
        const std::string whole = "a whole number from ";
        if (wanted.rfind(whole, 0) == 0) wanted = wanted.substr(whole.size());
        INFO(key + ": " + wanted);
        REQUIRE(table.count(key) == 1);
        CHECK(plain(table.at(key)).find(" | " + wanted) == 0);  // the range opens its cell
    }
}

TEST_CASE("reference: the top-level keys are the reader's") {
    const Rows table = rows("## Top level");
    CHECK(first_words(table) == listed(complaint(read("zzzzzzzz = 1\n"), "zzzzzzzz"), "(keys: ", ")"));
    check_ranges(table, {{"fade_ms", "-1"}, {"ceiling_dbfs", "-1"}}, "", "");
}

TEST_CASE("reference: the keys that every node takes are the reader's") {
    Words told;
    for (const NodeType& type : all_nodes()) {
        const std::string message = complaint(resolved(table_of(type), "zzzzzzzz = 1\n"), "nodes.x.zzzzzzzz");
        Words words = listed(message, "(settings: ", ")");
        for (const OptionSpec& option : type.options) words.erase(option.name);
        for (const ParamSpec& knob : type.params) words.erase(knob.name);
        words.erase("none");
        told.merge(words);
    }
    const std::string no_type = complaint(resolved("gain_db = 1\n"), "nodes.x");
    if (no_type.find("add type = ") != std::string::npos) told.insert("type");
    const Rows table = rows("## Nodes");
    CHECK(first_words(table) == told);
    const std::string smoothing =
        expected(resolved("type = \"gain\"\n", "smooth_ms = -1\n"), "nodes.x.smooth_ms");
    CHECK(table.at("smooth_ms").find(smoothing) != std::string::npos);
    const std::string rate =
        expected(resolved("type = \"s4d\"\nmodel = \"s4d\"\n", "rate = 1\n"), "nodes.x.rate");
    CHECK(plain(table.at("rate")).find(rate) != std::string::npos);
}

TEST_CASE("reference: options that the page explains are the nodes'") {
    const std::string nodes = section("## Nodes");
    Words told;
    for (const NodeType& type : all_nodes())
        if (type.device != Door::none)
            for (const OptionSpec& option : type.options) {
                told.insert(option.name);
                INFO(type.name + "." + option.name);
                CHECK(nodes.find("- `" + option.name + "`, of ") != std::string::npos);
                for (const std::string& choice : option.choices)
                    CHECK(nodes.find("`\"" + choice + "\"`") != std::string::npos);
            }
    std::size_t items = 0;
    for (auto at = nodes.find("\n- `"); at != std::string::npos; at = nodes.find("\n- `", at + 1)) ++items;
    REQUIRE_FALSE(told.empty());
    CHECK(items == told.size());
}

TEST_CASE("reference: the keys of [[midi]] are the reader's") {
    const Rows table = rows("## MIDI");
    const Words keys = listed(complaint(read("[[midi]]\nzzzzzzzz = 1\n"), "midi.zzzzzzzz"), "(keys: ", ")");
    CHECK(first_words(table) == keys);
    const Words sources = listed(complaint(read("[[midi]]\n"), "midi"), "add one of ");
    for (const auto& [key, rest] : table) {
        INFO(key);
        CHECK((rest.find("Source: ") != std::string::npos) == (sources.count(key) == 1));
    }
    check_ranges(table,
                 {{"channel", "17"},
                  {"cc", "-1"},
                  {"cc14", "-1"},
                  {"nrpn", "-1"},
                  {"note", "-1"},
                  {"smooth_ms", "-1"}},
                 "[[midi]]\n", "midi.");
    for (const std::string& order : listed(expected(read("[[midi]]\norder = 1\n"), "midi.order"), "one of "))
        CHECK(table.at("order").find('"' + order + '"') != std::string::npos);
}

TEST_CASE("reference: what a scene takes is what the reader takes") {
    const Rows table = rows("## Scenes");
    CHECK(first_words(table) == Words{"morph_ms", "node"});
    check_ranges(table, {{"morph_ms", "-1"}}, "[scenes.a]\n", "scenes.a.");
    const std::string message = complaint(read("[scenes.a]\nx = 1\n"), "scenes.a.x");
    for (const auto& [key, rest] : table) CHECK(message.find(key) != std::string::npos);
    for (const char* kind : {"scenes", "nodes"}) {  // reserved names
        const std::string word = kind == std::string("scenes") ? "next" : "master";
        const std::string refusal =
            complaint(read("[" + std::string(kind) + "." + word + "]\n"), kind + ("." + word));
        for (const std::string& name : listed(refusal, "is reserved, as are ", ";")) {
            INFO(name);
            CHECK(page().find("`" + name + "`") != std::string::npos);
        }
    }
}

TEST_CASE("reference: modes, curves and takeovers are the reader's") {
    const auto choices = [](const std::string& key) {
        return listed(expected(read("[[midi]]\n" + key + " = 1\n"), "midi." + key), "one of ");
    };
    CHECK(first_words(rows("### Modes")) == choices("mode"));
    CHECK(first_words(rows("### Curves")) == choices("curve"));
    CHECK(first_words(rows("### Takeover")) == choices("takeover"));
}

TEST_CASE("reference: the targets are the resolver's") {
    const std::string message =
        complaint(resolved("type = \"gain\"\n", "[[midi]]\ncc = 1\ntarget = \"x\"\n"), "midi.target");
    for (const auto& [target, rest] : rows("### Targets")) {
        const std::string word = target == "node.knob" ? "node.parameter" : target;
        INFO(message + ": " + word);
        CHECK(message.find('"' + word + '"') != std::string::npos);
    }
    CHECK(static_cast<std::size_t>(std::count(message.begin(), message.end(), '"')) ==
          2 * (rows("### Targets").size() + 1));  // and the wrong one
}

TEST_CASE("reference: its example is a good patch") {
    const std::string begin = "```toml\n";
    const std::string text = section("## Example");
    const std::string block = text.substr(text.find(begin) + begin.size());
    const ReadPatch patch =
        read_patch_text(block.substr(0, block.find("```")), "example.toml", source_dir() + "/patches");
    CHECK(lines(patch.problems) == "");
    CHECK(lines(resolve(patch.patch, all_nodes(), read_model_file, 48'000.).problems) == "");
}

}  // namespace
}  // namespace gainstage::test::reference_test
