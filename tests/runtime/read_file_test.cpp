#include "runtime/read_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "runtime/folder_names.hpp"
#include "runtime/foreign_bytes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/strangers.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::read_file_test {

namespace {

struct Refused {
    std::string text;
    int exit_code = 0;
};

template <class Work>
Refused refusal_of(const Work& work) {
    try {
        work();
    } catch (const FileFault& fault) {
        return {fault.what(), fault.exit_code};
    }
    return {};
}

Refused refusal_of_file(const std::string& file, std::size_t most = 1 << 20) {
    return refusal_of([&] { read_whole_file(file, "patch", most); });
}

std::vector<std::string> lines_of(const std::string& file) {
    LineReader reader(file, "log", 1 << 20);
    std::vector<std::string> lines;
    for (std::string line; reader.next(line);) lines.push_back(line);
    return lines;
}

}  // namespace

TEST_CASE("a file is read whole, also one whose size the system doesn't know, under a name of any bytes") {
    const TemporaryFolder folder;
    std::string content;
    for (int k = 0; k < 100'000; ++k) content += static_cast<char>(k);
    CHECK(read_whole_file(folder.write("caf\xe9 \xff.toml", content), "patch", 1 << 20) == content);
    CHECK(read_whole_file(folder.write("empty", ""), "patch", 0).empty());
    CHECK(
        has(read_whole_file("/proc/self/status", "patch", 1 << 20), "VmSize:"));  // its size is said to be 0
}

TEST_CASE("what can't be read is told with its cause, and an error of the disk is not the end of the file") {
    const TemporaryFolder folder;
    CHECK(refusal_of_file(folder.file("none")).text == "no such file");
    CHECK(refusal_of_file(folder.file("none")).exit_code == 66);
    CHECK(refusal_of_file(folder.file("takes/none")).text ==
          "no such file: there is no folder " + folder.file("takes"));
    folder.write("text", "a");
    CHECK(refusal_of_file(folder.file("text/none")).text ==
          "no such file: " + folder.file("text") + " is no folder");
    std::filesystem::create_symlink("gone", folder.path() / "link");
    CHECK(refusal_of_file(folder.file("link")).text ==
          "no such file: a link leads to " + folder.file("gone") + ", which is not there");
    CHECK(refusal_of_file(folder.file("link")).exit_code == 66);
    CHECK(refusal_of_file(folder.path().string()).text == "a folder; expected a patch file");
    const std::string pipe = folder.file("pipe");
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(refusal_of_file(pipe).text ==
          "not a regular file; expected a patch file");  // and nobody is waited for
    CHECK(refusal_of_file("/dev/zero").exit_code == 66);
    const Refused large = refusal_of_file(folder.write("large", std::string(3 << 20, 'x')), 2 << 20);
    CHECK(large.text == "larger than 2 MiB; that is no patch");
    CHECK(large.exit_code == 65);
    // A regular file whose first byte can't be read.
    const Refused broken = refusal_of_file("/proc/self/mem");
    CHECK(broken.text == "can't be read from byte 0 on: Input/output error");
    CHECK(broken.exit_code == 66);
    CHECK(refusal_of([] { LineReader("/proc/self/mem", "log", 100); }).exit_code == 66);
}

TEST_CASE("lines end in LF, CR LF or CR, wherever the buffer ends") {
    const TemporaryFolder folder;
    using Lines = std::vector<std::string>;
    CHECK(lines_of(folder.write("a", "\xEF\xBB\xBFone\ntwo\r\nthree\rfour\r\r\n\nlast")) ==
          Lines{"one", "two", "three", "four", "", "", "last"});
    CHECK(lines_of(folder.write("a", "")).empty());
    CHECK(lines_of(folder.write("a", "\n")) == Lines{""});
    const std::string zeros(100, '\0');  // as a power cut leaves them
    CHECK(lines_of(folder.write("a", "one\n" + zeros)) == Lines{"one", zeros});
    CHECK_THROWS_AS(lines_of(folder.write("a", zeros)), FileFault);
    CHECK_THROWS_AS(lines_of(folder.write("a", zeros + "one\n")), FileFault);
    for (const std::string end : {"\n", "\r\n", "\r"})
        for (int before = 65'530; before < 65'540; ++before) {
            const std::string long_line(static_cast<std::size_t>(before), 'x');
            CHECK(lines_of(folder.write("a", long_line + end + "b" + end)) == Lines{long_line, "b"});
        }
}

TEST_CASE("a last line without an end is known, and lines are bounded") {
    const TemporaryFolder folder;
    std::string line;
    LineReader whole(folder.write("whole", "a\n"), "log", 10), cut(folder.write("cut", "a\nb"), "log", 10);
    CHECK(whole.next(line));
    CHECK(whole.has_line_end());
    CHECK(cut.next(line));
    CHECK(cut.has_line_end());
    CHECK(cut.next(line));
    CHECK_FALSE(cut.has_line_end());
    CHECK_FALSE(cut.next(line));
    const std::string long_file = folder.write("long", std::string(3 << 20, 'x'));
    const Refused refused = refusal_of([&] {
        LineReader reader(long_file, "log", 1 << 20);
        reader.next(line);
    });
    CHECK(refused.text == "a line is longer than 1 MiB; is this the right file?");
    CHECK(refused.exit_code == 65);
}

TEST_CASE("what is often saved under a wrong name is named") {
    CHECK(has(impostor("<!DOCTYPE html>\n<html>"), "a web page, not the file itself"));
    CHECK(has(impostor("\xEF\xBB\xBF \n<HTML lang=en>"), "a web page"));
    CHECK(has(impostor("version https://git-lfs.github.com/spec/v1\noid sha256:00"), "git lfs pull"));
    CHECK(has(impostor(std::string("\0\5\x16\7\0\2\0\0Mac OS X", 16)), "a macOS companion file"));
    CHECK(has(impostor("PK\3\4..."), "a ZIP archive"));
    CHECK(has(impostor("\x89PNG\r\n\x1a\n"), "a picture (PNG)"));
    CHECK(has(impostor("\xff\xd8\xff\xe0"), "a picture (JPEG)"));
    CHECK(sound_or_midi(std::string("RIFX\0\0\0\0WAVEfmt ", 16)) == "a sound file (WAV)");
    CHECK(sound_or_midi(std::string("FORM\0\0\0\0AIFCFVER", 16)) == "a sound file (AIFF)");
    CHECK(sound_or_midi("MThd") == "a MIDI file");
    CHECK(sound_or_midi("RIFF").empty());
    CHECK(has(json_page("{\"error\": 404}"), "a server's answer"));
    CHECK(has(json_page("\xEF\xBB\xBF [ {"), "JSON text"));
    CHECK(json_page("[nodes.in]\n").empty());
    CHECK(json_page("").empty());
    CHECK(impostor("format = 1\n").empty());
    CHECK(impostor("").empty());
    CHECK(impostor("<").empty());
    CHECK(no_text("\xff\xfe"
                  "a") == "UTF-16 text; save the file as UTF-8");
    CHECK(no_text(std::string("a\0b", 3)) == "a binary file; expected a text file");
    CHECK(no_text("caf\xe9").empty());
}

TEST_CASE("a stranger's link in a folder of all is not read through; one's own and the folder owner's are") {
    if (!can_play_strangers()) return;
    const TemporaryFolder folder, mine;
    mine.write("secret.toml", "secret");
    REQUIRE(chmod(folder.path().c_str(), 01777) == 0);
    const auto plant = [&](uid_t owner) {
        plant_link(mine.file("secret.toml"), folder.file("a.toml"), owner);
        return folder.file("a.toml");
    };
    CHECK(has(refusal_of_file(plant(stranger)).text, "a.toml is a link that another user (65534)"));
    CHECK(read_whole_file(plant(0), "patch", 100) == "secret");
    REQUIRE(chmod(folder.path().c_str(), 0775) == 0);  // a band's folder
    CHECK(read_whole_file(plant(stranger), "patch", 100) == "secret");
    REQUIRE(chown(folder.path().c_str(), stranger, stranger) == 0);
    REQUIRE(chmod(folder.path().c_str(), 01777) == 0);
    CHECK(read_whole_file(plant(stranger), "patch", 100) == "secret");
}

TEST_CASE("a folder's names come in their order, hidden ones too, and none of what can't be read") {
    const TemporaryFolder folder;
    for (const char* name : {"b", "a", ".hidden", "\xff"}) folder.write(name, "");
    CHECK(names_in(folder.path().string()) == std::vector<std::string>{".hidden", "a", "b", "\xff"});
    CHECK(names_in((folder.path() / "nowhere").string()).empty());
    CHECK(names_in((folder.path() / "a").string()).empty());
}

TEST_CASE("nothing that is no file is opened: neither a pipe without a writer nor a device") {
    for (const char* device : {"/dev/zero", "/dev/null", "/dev/full"}) {
        CHECK(refusal_of_file(device).text == "not a regular file; expected a patch file");
        CHECK(refusal_of([&] { LineReader(device, "log", 1 << 20); }).exit_code == 66);
    }
    CHECK(refusal_of_file("/dev/stdin/").exit_code == 66);
}

}  // namespace gainstage::test::read_file_test
