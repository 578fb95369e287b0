// Files that are no patches at all: each is one clear problem, never a crash.

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "nodes/all_nodes.hpp"
#include "runtime/patch/read_patch.hpp"
#include "runtime/resolve/resolve.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/problem_text.hpp"
#include "tests/support/temporary_folder.hpp"

namespace gainstage::test::bad_file_test {
namespace {

namespace fs = std::filesystem;

/// The only problem of these bytes.
std::string complaint(std::string bytes) {
    const ReadPatch result = read_patch_text(std::move(bytes), "p.toml", "");
    CHECK_FALSE(result.patch.readable);
    CHECK(result.problems.size() == 1);
    // Nothing was understood, so no other problem is reported.
    CHECK(resolve(result.patch, all_nodes(), nullptr).problems.empty());
    return lines(result.problems);
}

std::string repeated(const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

TEST_CASE("read_patch: a file that is no text or no TOML is refused with its place") {
    CHECK(complaint("") == "p.toml: the file is empty; a patch begins with format = 1\n");
    CHECK(complaint(" \n\t\r\n") == "p.toml: the file is empty; a patch begins with format = 1\n");
    CHECK(complaint(std::string("form\0at = 1", 11)) == "p.toml: a binary file; expected a text file\n");
    CHECK(complaint("\xff\xfe"
                    "f\x01") == "p.toml: UTF-16 text; save the file as UTF-8\n");
    CHECK(complaint("format = 1\nname = \"caf\xe9\"\n").find("not UTF-8 text; save the file as UTF-8") !=
          std::string::npos);
    CHECK(complaint("format = 1\nname = \"x\nlinks = []\n").find("p.toml:2:") == 0);
    CHECK(complaint("format = 1\nformat = 1\n").find("p.toml:2:") == 0);
    CHECK(complaint("format = 1\n[nodes.a]\n[nodes.a]\n").find("p.toml:3:") == 0);
    CHECK(complaint("\x7f"
                    "ELF\x02\x01\x01")
              .find("p.toml:1:") == 0);
}

TEST_CASE("read_patch: a byte order mark is no error") {
    const ReadPatch result = read_patch_text(
        "\xef\xbb\xbf"
        "format = 1\nx = 1\n",
        "p.toml", "");
    REQUIRE(result.problems.size() == 1);
    CHECK(result.problems[0].place == Place{2, 1});
}

TEST_CASE("read_patch: deep nesting of any kind is refused before it can exhaust the stack") {
    const std::string deep = "nested too deeply; a patch needs no more than a list in a table of nodes\n";
    const auto ends_well = [&](const std::string& text) {
        return text.size() > deep.size() && text.substr(text.size() - deep.size()) == deep;
    };
    CHECK(complaint("a = " + repeated("[", 30)) == "p.toml:1:29: " + deep);
    CHECK(ends_well(complaint("format = 1\nx = " + repeated("[", 500'000))));
    CHECK(ends_well(complaint("x = " + repeated("{a=", 500'000))));
    CHECK(ends_well(complaint("[" + repeated("a.", 500'000) + "a]\n")));
    CHECK(ends_well(complaint(repeated("a.", 500'000) + "a = 1\n")));
    CHECK(ends_well(complaint(repeated("\"a\" . ", 500'000) + "a = 1\n")));
    CHECK(ends_well(complaint("x = {" + repeated("a.", 500'000) + "a = 1}\n")));
    // Strings and comments may hold anything.
    const ReadPatch fine = read_patch_text(
        "format = 1 # " + repeated("[", 100) + "\nname = '" + repeated("[.", 100) + "'\n", "p.toml", "");
    CHECK(lines(fine.problems) == "");
    const ReadPatch lines_of_text =
        read_patch_text("format = 1\nname = \"\"\"\\\n " + repeated("[.\n\\\" ", 100) + "\"\"\"\n[" +
                            repeated("a.", 30) + "a]",
                        "p.toml", "");
    CHECK(lines(lines_of_text.problems).find("p.toml:104:") == 0);
}

TEST_CASE("read_patch: unreadable files give the reason and their exit codes") {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "p.toml";
    const auto refusal = [&] {
        const ReadPatch result = read_patch_file(file.string());
        REQUIRE(result.problems.size() == 1);
        CHECK(result.problems[0].file == file.string());
        return std::pair(result.problems[0].message, result.problems[0].exit_code);
    };
    using Refusal = std::pair<std::string, int>;

    CHECK(refusal() == Refusal("no such file", 66));
    SECTION("a folder") {
        fs::create_directory(file);
        CHECK(refusal() == Refusal("a folder; expected a patch file", 66));
    }
    SECTION("a pipe, which would block a reader for ever") {
        REQUIRE(mkfifo(file.c_str(), 0600) == 0);
        CHECK(refusal() == Refusal("not a regular file; expected a patch file", 66));
    }
    SECTION("100 MB, none of which is read") {
        std::ofstream(file) << "format = 1\n";
        fs::resize_file(file, 100'000'000);
        CHECK(refusal() == Refusal("larger than 4 MiB; that is no patch", 65));
    }
    SECTION("a file without permission") {
        std::ofstream(file) << "format = 1\n";
        fs::permissions(file, fs::perms::none);
        if (geteuid() != 0) CHECK(refusal() == Refusal("can't be read; check its permissions", 66));
    }
    SECTION("a path through a file") {
        std::ofstream(file) << "format = 1\n";
        const ReadPatch result = read_patch_file((file / "x.toml").string());
        REQUIRE(result.problems.size() == 1);
        CHECK(result.problems[0].exit_code == 66);
    }
}

TEST_CASE("read_patch: models are looked up relative to the patch file") {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "p.toml";
    std::ofstream(file) << "format = 1\n";
    const ReadPatch result = read_patch_file(file.string());
    CHECK(lines(result.problems) == "");
    CHECK(result.patch.folder == folder.path().string());
}

/// A good patch with a few bytes changed, dropped, doubled or replaced by words of TOML.
std::string mutated(std::string text, std::mt19937& random) {
    static const std::vector<std::string> words{
        "[",     "]",   "{",  "}",    "\"",   "'",    "\"\"\"",   "\n",   "=",   ".",
        "->",    "nan", "-1", "1e9",  "true", "\xff", "#",        ",",    "[[",  "]]",
        "nodes", "in",  "",   "midi", "0x",   "\\",   "\xc3\xa9", "1e99", "omni"};
    const auto upto = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n)(random); };
    for (std::size_t i = upto(5) + 1; i > 0 && !text.empty(); --i) {
        const std::size_t at = upto(text.size() - 1), length = upto(12);
        switch (upto(3)) {
            case 0:
                text[at] = static_cast<char>(upto(255));
                break;
            case 1:
                text.erase(at, length);
                break;
            case 2:
                text.insert(at, text.substr(upto(text.size() - 1), length));
                break;
            default:
                text.insert(at, words[upto(words.size() - 1)]);
        }
    }
    return text;
}

TEST_CASE("read_patch: a damaged patch is understood or refused with a reason") {
    const std::string good =
        "format = 1\nname = \"Good\"\nlinks = [\"in -> trim -> echo -> out\", \"echo -> fb -> echo.in\"]\n"
        "[nodes.in]\ntype = \"input\"\nchannels = [1]\n[nodes.trim]\ntype = \"gain\"\ngain_db = -3.0\n"
        "[nodes.echo]\ntype = \"delay\"\ndelay_ms = 100\nsmooth_ms = 10\n[nodes.fb]\ntype = \"gain\"\n"
        "gain_db = -9\n[nodes.out]\ntype = \"output\"\nchannels = [1, 2]\n[[midi]]\nchannel = \"omni\"\n"
        "cc = 3\ntarget = \"trim.gain_db\"\nmin = -20\nmax = -3\ncurve = \"log\"\n[[midi]]\nnote = 3\n"
        "mode = \"toggle\"\ntarget = \"echo.bypass\"\n";
    REQUIRE(resolve(read_patch_text(good, "p.toml", "").patch, all_nodes(), nullptr).graph);
    std::mt19937 random(20261121);
    int understood = 0, refused = 0;
    for (int round = 0; round < 5'000; ++round) {
        const std::string text = mutated(good, random);
        const ReadPatch read = read_patch_text(text, "p.toml", "");
        const Resolved resolved = resolve(read.patch, all_nodes(), nullptr);
        const bool fails = has_errors(read.problems) || has_errors(resolved.problems);
        if (fails == resolved.graph.has_value() && !has_errors(read.problems)) FAIL(text);
        (fails ? refused : understood) += 1;
    }
    // The mutations give both results; how often does not matter.
    CHECK(understood > 50);
    CHECK(refused > 50);
}

}  // namespace
}  // namespace gainstage::test::bad_file_test
