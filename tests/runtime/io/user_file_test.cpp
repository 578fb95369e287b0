/// A user's file is changed whole or not at all, and its former text can be brought back.

#include "runtime/io/user_file.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::user_file_test {

namespace fs = std::filesystem;

namespace {

/// $XDG_STATE_HOME is a folder of the test's for as long as it lives.
class State {
public:
    State() { setenv("XDG_STATE_HOME", folder_.path().c_str(), 1); }
    ~State() { unsetenv("XDG_STATE_HOME"); }
    const TemporaryFolder& folder() const { return folder_; }

private:
    const TemporaryFolder folder_;
};

std::string text_of(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

int files_in(const std::string& folder) {
    int count = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) ++count;
    return count;
}

}  // namespace

TEST_CASE(
    "a user's file keeps its mode and its link, and its former text lies where only the user may read it") {
    const State state;
    const TemporaryFolder folder;
    const std::string file = folder.write("song.toml", "one\n"), link = folder.file("link.toml");
    fs::create_symlink("song.toml", link);
    chmod(file.c_str(), 0640);
    const std::string former = replace_user_file(link, "two\n");
    CHECK(text_of(file) == "two\n");
    CHECK(fs::is_symlink(link));
    CHECK((fs::status(file).permissions() & fs::perms::mask) == fs::perms(0640));
    CHECK(text_of(former) == "one\n");
    CHECK(has(former, state.folder().file("gainstage/backups/song.toml.")));
    CHECK((fs::status(former).permissions() & fs::perms::mask) == fs::perms(0600));
    CHECK(folder.size() == 2);
    CHECK(replace_user_file(folder.file("new.toml"), "x").empty());  // there was nothing to keep
    CHECK(text_of(folder.file("new.toml")) == "x");
}

TEST_CASE("former texts are brought back one after the other, and what they replace is kept as well") {
    const State state;
    const TemporaryFolder folder;
    const std::string file = folder.write("song.toml", "one");
    for (const char* const text : {"two", "three", "four"}) replace_user_file(file, text);
    CHECK(text_of(bring_back_user_file(file).former) == "four");
    CHECK(text_of(file) == "three");
    folder.write("song.toml", "by hand");
    CHECK(text_of(bring_back_user_file(file).former) == "by hand");
    CHECK(text_of(file) == "two");
    bring_back_user_file(file);
    CHECK(text_of(file) == "one");
    CHECK(bring_back_user_file(file).former.empty());
    CHECK(text_of(file) == "one");
}

TEST_CASE("twenty former texts of a file are kept, of each file its own") {
    const State state;
    const TemporaryFolder a, b;
    const std::string file = a.write("song.toml", "0"), other = b.write("song.toml", "other");
    replace_user_file(other, "changed");
    for (int k = 1; k <= 50; ++k) replace_user_file(file, std::to_string(k));
    CHECK(files_in(backups_folder(file)) == most_backups);
    CHECK(files_in(backups_folder(other)) == 1);
    for (int k = 49; k >= 49 - most_backups / 2; --k) {
        bring_back_user_file(file);
        CHECK(text_of(file) == std::to_string(k));
        CHECK(files_in(backups_folder(file)) <= most_backups);
    }
}

TEST_CASE("where the former text has no place, or the file none, nothing is changed") {
    const TemporaryFolder folder;
    const std::string file = folder.write("song.toml", "one");
    const std::string home = std::getenv("HOME") ? std::getenv("HOME") : "";
    unsetenv("HOME");
    CHECK(has(write_error_of([&] { replace_user_file(file, "two"); }), "neither XDG_STATE_HOME nor HOME"));
    setenv("XDG_STATE_HOME", folder.write("no-folder", "").c_str(), 1);
    CHECK(has(write_error_of([&] { replace_user_file(file, "two"); }), "cannot be written"));
    CHECK(text_of(file) == "one");
    unsetenv("XDG_STATE_HOME");
    setenv("HOME", home.c_str(), 1);
    const State state;
    CHECK(
        has(write_error_of([&] { replace_user_file(folder.path().string(), "two"); }), "cannot be written"));
}

}  // namespace gainstage::test::user_file_test
