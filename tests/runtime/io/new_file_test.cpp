#include "runtime/io/new_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "runtime/file_names.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/strangers.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::new_file_test {

namespace fs = std::filesystem;

namespace {

constexpr FileManner a_take{.growth = FileManner::Growth::visible, .may_replace = false};

std::string write(const std::string& file, const std::string& text, FileManner manner = {}) {
    NewFile made(file, manner);
    REQUIRE(made.append(text));
    return made.finish();
}

mode_t mode_of(const std::string& file) {
    struct stat found {};
    REQUIRE(stat(file.c_str(), &found) == 0);
    return found.st_mode & 07777;
}

/// The only entry of a folder.
std::string only_name_in(const TemporaryFolder& folder) {
    REQUIRE(folder.size() == 1);
    return fs::directory_iterator(folder.path())->path().filename().string();
}

/// A folder where everybody may write, as /tmp.
void make_sticky(const TemporaryFolder& folder) {
    REQUIRE(chmod(folder.path().c_str(), 01777) == 0);
}

}  // namespace

TEST_CASE("a folder that was deleted while somebody is in it is named as the cause") {
    const fs::path before = fs::current_path();
    const TemporaryFolder folder;
    fs::create_directory(folder.path() / "gone");
    fs::current_path(folder.path() / "gone");
    fs::remove(folder.path() / "gone");
    CHECK(has(write_error_of([] { write("take.wav", "x"); }),
              "take.wav: cannot be written: its folder has been deleted"));
    fs::current_path(before);
}

TEST_CASE("names that are made from a file's own name keep its folder and its extension") {
    CHECK(numbered_name("takes/a.wav", 1) == "takes/a.wav");
    CHECK(numbered_name("takes/a.wav", 2) == "takes/a-2.wav");
    CHECK(numbered_name("a", 3) == "a-3");
    CHECK(unfinished_name("takes/a.wav") == "takes/a.unfinished.wav");
    CHECK(unfinished_name("takes.old/a", 2) == "takes.old/a.unfinished-2");
    for (const char* name : {"takes/a.wav", "a", "a.b.c", "takes.old/a"})
        for (const int number : {1, 2, 30}) CHECK(finished_name(unfinished_name(name, number)) == name);
    for (const char* name : {"a.wav", "unfinished.wav", "a.unfinished-x.wav", "a.unfinishedly.wav"})
        CHECK(finished_name(name) == name);
    const std::string longest(251, 'x');
    CHECK(unfinished_name(longest + ".wav").size() == 255);
}

TEST_CASE("a hidden file has a random name and is nobody else's until it is whole") {
    const TemporaryFolder folder;
    std::string first;
    for (int k = 0; k < 2; ++k) {
        NewFile file(folder.file("out.wav"));
        const std::string name = only_name_in(folder);
        INFO(name);
        CHECK(name.substr(0, 9) == ".out.wav.");
        CHECK(name != first);
        CHECK(mode_of(folder.file(name)) == 0600);
        first = name;
    }
    CHECK(folder.size() == 0);  // not finished
    CHECK(write(folder.file("out.wav"), "sound") == folder.file("out.wav"));
    CHECK(folder.read("out.wav") == "sound");
    const mode_t mask = umask(022);
    umask(mask);
    CHECK(mode_of(folder.file("out.wav")) == (0666 & ~mask));
    CHECK(folder.size() == 1);
}

TEST_CASE("what a killed program leaves of a hidden file goes with the next, and no other file does") {
    const TemporaryFolder folder;
    for (const char* name :
         {".out.wav.abcdefghijkl.part", ".out.wav.abcdefghijkl.parts", ".out.wav.abcdefghijk1.part",
          ".out.wav.abc.part", ".other.wav.abcdefghijkl.part"})
        fs::last_write_time(folder.write(name, "x"),
                            fs::file_time_type::clock::now() - std::chrono::hours(1));
    folder.write(".out.wav.aaaaaaaaaaaa.part", "just made");
    fs::create_symlink("victim", folder.path() / ".out.wav.abcdefghijkm.part");
    fs::create_directory(folder.path() / ".out.wav.abcdefghijkn.part");
    const int entries = folder.size();
    NewFile at_work(folder.file("out.wav"));
    CHECK(folder.size() == entries);  // one has gone, one has come
    CHECK_FALSE(fs::exists(folder.file(".out.wav.abcdefghijkl.part")));
    write(folder.file("out.wav"), "other");
    at_work.finish();
    CHECK(folder.size() == entries);
}

TEST_CASE("a take grows where everybody can see it, and stays there without its end") {
    const TemporaryFolder folder;
    {
        NewFile file(folder.file("take.wav"), a_take);
        REQUIRE(file.append("half"));
        CHECK(only_name_in(folder) == "take.unfinished.wav");
        CHECK(unfinished_files(folder.file("take.wav")).empty());  // its program is at work
    }
    CHECK(folder.read("take.unfinished.wav") == "half");
    CHECK(unfinished_files(folder.file("take.wav")) ==
          std::vector<std::string>{folder.file("take.unfinished.wav")});
    write(folder.file("take.wav"), "whole", a_take);
    CHECK(folder.read("take.wav") == "whole");
    CHECK(folder.read("take.unfinished.wav") == "half");
    CHECK(folder.size() == 2);
    {
        NewFile file(folder.file("other.wav"), a_take);
        file.discard();
    }
    CHECK(folder.size() == 2);
}

TEST_CASE("unfinished takes are found by their name, with and without a number, and no others") {
    const TemporaryFolder folder;
    for (const char* name : {"take.unfinished.wav", "take-12.unfinished-3.wav", "take-b.unfinished.wav",
                             "take.unfinished.log", "other.unfinished.wav", "take.wav"})
        folder.write(name, "x");
    CHECK(unfinished_files(folder.file("take.wav")) ==
          std::vector<std::string>{folder.file("take-12.unfinished-3.wav"),
                                   folder.file("take.unfinished.wav")});
    CHECK(unfinished_files("/nowhere/take.wav").empty());
}

TEST_CASE("a number is free if neither a file has it nor a program at work, for all names together") {
    const TemporaryFolder folder;
    const std::string wav = folder.file("take.wav"), log = folder.file("take.log");
    CHECK(first_free_number({wav, log}) == 1);
    folder.write("take.wav", "x");
    CHECK(first_free_number({wav, log}) == 2);
    CHECK(first_free_number({"", log}) == 1);
    folder.write("take-2.log", "x");
    CHECK(first_free_number({wav, log}) == 3);
    const NewFile at_work(folder.file("take-3.wav"), a_take);
    CHECK(first_free_number({wav, log}) == 4);
    folder.write("take-4.unfinished.wav", "x");  // whose program is gone
    CHECK(first_free_number({wav, log}) == 4);
    CHECK(first_free_number({"/dev/null"}) == 1);
}

TEST_CASE("a file that came into being meanwhile is not replaced, and what was made is kept") {
    const TemporaryFolder folder;
    const std::string file = folder.file("take.wav");
    SECTION("another file") {
        NewFile made(file, a_take);
        REQUIRE(made.append("new"));
        folder.write("take.wav", "other");
        const std::string error = write_error_of([&] { made.finish(); });
        CHECK(has(error, "take.wav: cannot be written: File exists; what was made is kept as " +
                             folder.file("take.unfinished.wav")));
        CHECK(folder.read("take.wav") == "other");
        CHECK(folder.read("take.unfinished.wav") == "new");
    }
    SECTION("a folder, where a file could be replaced") {
        for (const auto growth : {FileManner::Growth::hidden, FileManner::Growth::visible}) {
            fs::remove_all(folder.file("take.unfinished.wav"));
            fs::remove_all(file);
            std::string error;
            {
                NewFile made(file, {.growth = growth});
                REQUIRE(made.append("new"));
                fs::create_directory(file);
                error = write_error_of([&] { made.finish(); });
            }
            CHECK(has(error, "take.wav: cannot be written: Is a directory; what was made is kept as " +
                                 folder.file("take.unfinished.wav")));
            CHECK(folder.read("take.unfinished.wav") == "new");
            CHECK(folder.size() == 2);
        }
    }
}

TEST_CASE("a folder that is moved takes its file along, and the file says where it is") {
    const TemporaryFolder folder;
    fs::create_directory(folder.path() / "takes");
    NewFile made(folder.file("takes/a.wav"), a_take);
    REQUIRE(made.append("new"));
    fs::rename(folder.path() / "takes", folder.path() / "moved");
    SECTION("and is gone") {}
    SECTION("and another one has its name") {
        fs::create_directory(folder.path() / "takes");
    }
    CHECK(made.finish() == folder.file("moved/a.wav"));
    CHECK(folder.read("moved/a.wav") == "new");
}

TEST_CASE("a file that somebody deletes while it grows is missed") {
    const TemporaryFolder folder;
    NewFile made(folder.file("a.wav"), a_take);
    fs::remove(folder.path() / "a.unfinished.wav");
    CHECK(has(write_error_of([&] { made.finish(); }), "a.wav: cannot be written: somebody deleted it"));
}

TEST_CASE("links of one's own are written through, even to a file that isn't there yet") {
    const TemporaryFolder folder;
    fs::create_directory(folder.path() / "store");
    make_sticky(folder);
    fs::create_symlink("store", folder.path() / "now");
    fs::create_symlink("now/real.wav", folder.path() / "link.wav");
    for (const char* text : {"first", "second"}) {
        CHECK(write(folder.file("link.wav"), text) == folder.file("link.wav"));
        CHECK(fs::is_symlink(folder.path() / "link.wav"));
        CHECK(folder.read("store/real.wav") == text);
    }
    fs::create_symlink("b", folder.path() / "a");
    fs::create_symlink("a", folder.path() / "b");
    CHECK(has(write_error_of([&] { write(folder.file("a"), ""); }), "its links lead in a circle"));
    CHECK(has(write_error_of([&] { write(folder.file("store/"), ""); }), "it is a folder"));
    CHECK(has(write_error_of([&] { write(folder.file("store/.."), ""); }), "it is a folder"));
}

TEST_CASE("a link that another user has put into a folder of all is refused, on the whole way") {
    if (!can_play_strangers()) return;
    const TemporaryFolder folder, mine;
    make_sticky(folder);
    mine.write("precious", "old");
    const auto plant = [&](const std::string& target, const std::string& name, uid_t owner) {
        plant_link(target, folder.path() / name, owner);
    };
    plant(mine.file("precious"), "out.wav", stranger);
    CHECK(has(write_error_of([&] { write(folder.file("out.wav"), "new"); }),
              "out.wav is a link that another user (65534) has put into a folder where everybody may write"));
    plant(mine.path().string(), "way", stranger);
    CHECK(has(write_error_of([&] { write(folder.file("way/precious"), "new"); }),
              "way is a link that another user"));
    CHECK(mine.read("precious") == "old");
    SECTION("but not the folder owner's") {
        REQUIRE(chown(folder.path().c_str(), stranger, stranger) == 0);
        CHECK(write_error_of([&] { write(folder.file("out.wav"), "new"); }) == "no error");
        CHECK(mine.read("precious") == "new");
    }
    SECTION("but not where nobody else may write") {
        REQUIRE(chmod(folder.path().c_str(), 0755) == 0);
        CHECK(write_error_of([&] { write(folder.file("way/precious"), "new"); }) == "no error");
    }
}

TEST_CASE("the link that is judged is the link that is followed, however fast it is exchanged") {
    if (!can_play_strangers()) return;
    const TemporaryFolder folder;
    make_sticky(folder);
    const std::string way = folder.file("way"), other = folder.file("other");
    plant_link("/victim", way);
    fs::create_symlink("/mine", other);
    std::atomic<bool> is_over{false};
    std::thread exchange([&] {
        while (!is_over) renameat2(AT_FDCWD, way.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
    });
    int own = 0, refused = 0;
    bool is_led_astray = false;
    for (int k = 0; k < 20'000; ++k) try {
            is_led_astray = is_led_astray || find_file_place(way).name != "mine";
            ++own;
        } catch (const WriteError&) {
            ++refused;
        }
    is_over = true;
    exchange.join();
    CHECK_FALSE(is_led_astray);
    CHECK(own > 0);
    CHECK(refused > 0);
}

TEST_CASE("folders are made on the way, and never through a link of another user") {
    const TemporaryFolder folder;
    make_folders(folder.file("a/b"));
    make_folders(folder.file("a/b/"));
    CHECK(fs::is_directory(folder.file("a/b")));
    folder.write("file", "");
    for (const char* name : {"file", "file/a"})
        CHECK(has(write_error_of([&] { make_folders(folder.file(name)); }), "it is no folder"));
    if (!can_play_strangers()) return;
    const TemporaryFolder shared;
    make_sticky(shared);
    plant_link(folder.path(), shared.path() / "way");
    for (const char* name : {"way", "way/c", "way/c/d"})
        CHECK(
            has(write_error_of([&] { make_folders(shared.file(name)); }), "way is a link that another user"));
    CHECK(folder.size() == 2);
}

TEST_CASE("a folder where others may replace files is told of once, and a sticky one is not") {
    const TemporaryFolder folder;
    fs::create_directories(folder.path() / "loose" / "in");
    REQUIRE(chmod(folder.file("loose").c_str(), 0777) == 0);
    const auto notes = notes_on_loose_folders({folder.file("loose/in/a.wav"), "", folder.file("b.wav"),
                                               folder.file("loose/b.wav"), "/nowhere/c.wav"});
    REQUIRE(notes.size() == 1);
    CHECK(has(notes[0], folder.file("loose") + ": other users may write to this folder"));
    REQUIRE(chmod(folder.file("loose").c_str(), 01777) == 0);
    CHECK(notes_on_loose_folders({folder.file("loose/in/a.wav")}).empty());
}

TEST_CASE("a private file is nobody else's, even in place of one that was everybody's") {
    const TemporaryFolder folder;
    write(folder.file("a"), "x", {.is_private = true});
    CHECK(mode_of(folder.file("a")) == 0600);
    REQUIRE(chmod(folder.file("a").c_str(), 0666) == 0);
    write(folder.file("a"), "y", {.is_private = true});
    CHECK(mode_of(folder.file("a")) == 0600);
}

TEST_CASE("a link planted under the name of a growing file is never followed") {
    const TemporaryFolder folder;
    folder.write("precious", "old");
    fs::create_symlink("precious", folder.path() / "take.unfinished.wav");
    write(folder.file("take.wav"), "new", a_take);
    CHECK(folder.read("precious") == "old");
    CHECK(folder.read("take.wav") == "new");
}

TEST_CASE("pipes and disks are refused without waiting; devices are written to as they are") {
    const TemporaryFolder folder;
    const std::string pipe = folder.file("pipe");
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(has(write_error_of([&] { write(pipe, ""); }),
              "pipe: cannot be written: it is a pipe, and a file is needed"));
    CHECK(write("/dev/null", "gone") == "/dev/null");
    CHECK(fs::is_character_file("/dev/null"));
}

TEST_CASE("what has no room on the disk is refused before it is written") {
    const TemporaryFolder folder;
    const NewFile made(folder.file("a.wav"));
    made.must_have_room(1'000);
    CHECK(has(write_error_of([&] { made.must_have_room(std::int64_t{1} << 60); }),
              "a.wav: cannot be written: it needs 1152921504.6 GB, and "));
}

TEST_CASE("an output that is an input, or another output, is refused however it is reached") {
    const TemporaryFolder folder;
    const std::string a = folder.write("a.wav", "a"), b = folder.write("b.wav", "b");
    fs::create_symlink("a.wav", folder.path() / "link.wav");
    fs::create_hard_link(a, folder.path() / "hard.wav");
    fs::create_directory_symlink(".", folder.path() / "here");
    for (const std::string& name :
         {a, folder.file("link.wav"), folder.file("hard.wav"), folder.file("here/a.wav")})
        CHECK(has(write_error_of([&] { must_differ({name}, {b, a}); }), "it is read as well, as " + a));
    must_differ({b, folder.file("new.wav")}, {a, "/nowhere"});
    CHECK(has(write_error_of([&] {
                  must_differ({a, folder.file("hard.wav")}, {});
              }),
              a + " is the same file"));
    CHECK(has(write_error_of([&] {
                  must_differ({folder.file("new"), folder.file("here/new")}, {});
              }),
              folder.file("new") + " is the same file"));
    must_differ({"/dev/null", "/dev/null"}, {"/dev/null"});
}

}  // namespace gainstage::test::new_file_test
