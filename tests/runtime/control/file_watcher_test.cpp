#include "runtime/control/file_watcher.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

namespace gainstage::test::file_watcher_test {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

using Files = std::vector<std::string>;

/// Both kinds of watcher, where they exist: each test below runs with each of them.
#if defined(__linux__)
#define FOR_BOTH_WATCHERS(name) TEMPLATE_TEST_CASE(name, "", InotifyWatcher, PollingWatcher)
#else
#define FOR_BOTH_WATCHERS(name) TEMPLATE_TEST_CASE(name, "", PollingWatcher)
#endif

namespace {

/// Long enough for a file to count as settled, and for every change to be seen.
constexpr auto a_while = 250ms;
/// A report comes as soon as there is one, but a machine under load may need this long.
constexpr auto patience = 20s;

/// What the watcher tells within this time, looked for as a session's loop does.
template <class Watcher>
Files wait_for_change(Watcher& watcher, std::chrono::milliseconds limit) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + limit;
    for (;;) {
        Files files = watcher.look();
        if (!files.empty() || Clock::now() >= end) return files;
        const auto until = std::min(end, watcher.next_look().value_or(end));
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
        pollfd waited{.fd = watcher.fd(), .events = POLLIN, .revents = 0};
        ::poll(&waited, 1, static_cast<int>(std::max(left, 0ms).count()));
    }
}

}  // namespace

FOR_BOTH_WATCHERS("a file saved in place is reported once") {
    const TemporaryFolder folder;
    const std::string file = folder.write("patch.toml", "one");
    folder.write("other.toml", "");
    TestType watcher;
    watcher.watch({file});
    CHECK(wait_for_change(watcher, a_while).empty());
    folder.write("other.toml", "changed");
    folder.write("patch.toml", "two, longer");
    CHECK(wait_for_change(watcher, patience) == Files{file});
    CHECK(wait_for_change(watcher, a_while).empty());
}

FOR_BOTH_WATCHERS("a file replaced by a renamed one is reported once, as editors and trainers save") {
    const TemporaryFolder folder;
    const std::string file = folder.write("model.safetensors", "one");
    TestType watcher;
    watcher.watch({file});
    for (int k = 0; k < 3; ++k) {
        fs::rename(folder.write("model.tmp", "next " + std::to_string(k)), file);
        CHECK(wait_for_change(watcher, patience) == Files{file});
        CHECK(wait_for_change(watcher, a_while).empty());
    }
}

FOR_BOTH_WATCHERS(
    "a file that is moved away and written anew is reported once, as editors with backups save") {
    const TemporaryFolder folder;
    const std::string file = folder.write("patch.toml", "one");
    TestType watcher;
    watcher.watch({file});
    fs::rename(file, folder.file("patch.toml~"));
    folder.write("patch.toml", "two");
    CHECK(wait_for_change(watcher, patience) == Files{file});
    CHECK(wait_for_change(watcher, a_while).empty());
}

FOR_BOTH_WATCHERS("a deleted file is not reported, one that comes back is") {
    const TemporaryFolder folder;
    const std::string file = folder.write("patch.toml", "one");
    TestType watcher;
    watcher.watch({file});
    fs::remove(file);
    CHECK(wait_for_change(watcher, a_while).empty());
    folder.write("patch.toml", "two");
    CHECK(wait_for_change(watcher, patience) == Files{file});
}

FOR_BOTH_WATCHERS(
    "a file that does not exist yet is reported when it does, even in a folder that comes later") {
    const TemporaryFolder folder;
    const std::string file = folder.file("models/new.safetensors");
    TestType watcher;
    watcher.watch({file});
    CHECK(wait_for_change(watcher, a_while).empty());
    fs::create_directory(folder.path() / "models");
    folder.write("models/new.safetensors", "one");
    CHECK(wait_for_change(watcher, patience) == Files{file});
    CHECK(wait_for_change(watcher, a_while).empty());
    folder.write("models/new.safetensors", "two, longer");
    CHECK(wait_for_change(watcher, patience) == Files{file});
}

FOR_BOTH_WATCHERS("a folder that is replaced as a whole brings its files") {
    const TemporaryFolder folder;
    fs::create_directory(folder.path() / "models");
    const std::string file = folder.write("models/a.safetensors", "one");
    TestType watcher;
    watcher.watch({file});
    fs::create_directory(folder.path() / "next");
    folder.write("next/a.safetensors", "two");
    CHECK(wait_for_change(watcher, a_while).empty());
    fs::rename(folder.path() / "models", folder.path() / "before");
    fs::rename(folder.path() / "next", folder.path() / "models");
    CHECK(wait_for_change(watcher, patience) == Files{file});
    folder.write("models/a.safetensors", "three, longer");
    CHECK(wait_for_change(watcher, patience) == Files{file});
}

FOR_BOTH_WATCHERS("a link is reported when its target is saved, and when it is made to point elsewhere") {
    const TemporaryFolder folder;
    fs::create_directory(folder.path() / "v1");
    fs::create_directory(folder.path() / "v2");
    folder.write("v1/a.safetensors", "one");
    folder.write("v2/a.safetensors", "two!");
    SECTION("a link to the file") {
        fs::create_symlink("v1/a.safetensors", folder.path() / "now.safetensors");
        const std::string file = folder.file("now.safetensors");
        TestType watcher;
        watcher.watch({file});
        folder.write("v1/a.safetensors", "one and more");
        CHECK(wait_for_change(watcher, patience) == Files{file});
        fs::create_symlink("v2/a.safetensors", folder.path() / "next");
        fs::rename(folder.path() / "next", file);
        CHECK(wait_for_change(watcher, patience) == Files{file});
        folder.write("v2/a.safetensors", "two and more");
        CHECK(wait_for_change(watcher, patience) == Files{file});
        CHECK(wait_for_change(watcher, a_while).empty());
    }
    SECTION("a link to the folder") {
        fs::create_directory_symlink("v1", folder.path() / "now");
        const std::string file = folder.file("now/a.safetensors");
        TestType watcher;
        watcher.watch({file});
        fs::remove(folder.path() / "now");
        fs::create_directory_symlink("v2", folder.path() / "now");
        CHECK(wait_for_change(watcher, patience) == Files{file});
        folder.write("v2/a.safetensors", "two and more");
        CHECK(wait_for_change(watcher, patience) == Files{file});
    }
}

FOR_BOTH_WATCHERS("several files are reported together, in the order they were named") {
    const TemporaryFolder folder;
    const std::string a = folder.write("a", "1"), b = folder.write("b", "1"), c = folder.write("c", "1");
    TestType watcher;
    watcher.watch({c, a, b, a});
    folder.write("a", "22");
    folder.write("c", "22");
    Files reported = wait_for_change(watcher, patience);
    if (reported.size() == 1)
        for (const std::string& more : wait_for_change(watcher, a_while))
            reported.push_back(more);  // the watcher looked between the two
    CHECK(reported == Files{c, a});
}

FOR_BOTH_WATCHERS("a file that is no longer watched is not reported, and one that still is loses nothing") {
    const TemporaryFolder folder;
    const std::string a = folder.write("a", "1"), b = folder.write("b", "1");
    TestType watcher;
    watcher.watch({a, b});
    folder.write("a", "22");
    folder.write("b", "22");
    watcher.watch({b});
    CHECK(wait_for_change(watcher, patience) == Files{b});
    CHECK(wait_for_change(watcher, a_while).empty());
}

FOR_BOTH_WATCHERS("a path relative to the present folder is watched as well") {
    const TemporaryFolder folder;
    const fs::path before = fs::current_path();
    fs::current_path(folder.path());
    folder.write("patch.toml", "one");
    TestType watcher;
    watcher.watch({"patch.toml"});
    folder.write("patch.toml", "two, longer");
    CHECK(wait_for_change(watcher, patience) == Files{"patch.toml"});
    fs::current_path(before);
}

TEST_CASE("the polling watcher does not report a file that is still being written") {
    const TemporaryFolder folder;
    const std::string file = folder.write("a", "");
    PollingWatcher watcher;
    watcher.watch({file});
    const int writer = open(file.c_str(), O_WRONLY);
    for (int k = 0; k < 6; ++k) {
        REQUIRE(write(writer, "x", 1) == 1);
        std::this_thread::sleep_for(PollingWatcher::interval);
        // Looks are an interval apart at least, so something was written between any two of them.
        CHECK(watcher.look().empty());
    }
    close(writer);
    CHECK(wait_for_change(watcher, patience) == Files{file});
}

#if defined(__linux__)

TEST_CASE("the system watcher does not report a file that is open for writing until it is closed") {
    const TemporaryFolder folder;
    const std::string file = folder.write("a", "one");
    InotifyWatcher watcher;
    watcher.watch({file});
    SECTION("written in place") {
        const int writer = open(file.c_str(), O_WRONLY | O_TRUNC);
        REQUIRE(write(writer, "half", 4) == 4);
        CHECK(wait_for_change(watcher, a_while).empty());
        close(writer);
    }
    SECTION("renamed before it is closed") {
        const int writer = open(folder.file("temporary").c_str(), O_WRONLY | O_CREAT, 0600);
        REQUIRE(write(writer, "half", 4) == 4);
        fs::rename(folder.file("temporary"), file);
        CHECK(wait_for_change(watcher, a_while).empty());
        close(writer);
    }
    SECTION("closed by one of two writers") {
        const int writer = open(file.c_str(), O_WRONLY);
        folder.write("a", "two");
        CHECK(wait_for_change(watcher, a_while).empty());
        close(writer);
    }
    CHECK(wait_for_change(watcher, patience) == Files{file});
    CHECK(wait_for_change(watcher, a_while).empty());
}

TEST_CASE("the watcher's descriptor wakes a poll(2), and the change is told when it has settled") {
    const TemporaryFolder folder;
    const std::string file = folder.write("a", "one");
    InotifyWatcher watcher;
    watcher.watch({file});
    CHECK_FALSE(watcher.next_look());
    pollfd waiting{.fd = watcher.fd(), .events = POLLIN, .revents = 0};
    CHECK(::poll(&waiting, 1, 0) == 0);
    folder.write("a", "two");
    CHECK(::poll(&waiting, 1, 20'000) == 1);
    const auto begin = std::chrono::steady_clock::now();
    CHECK(watcher.look().empty());
    CHECK(::poll(&waiting, 1, 0) == 0);  // nothing more has happened
    REQUIRE(watcher.next_look());
    CHECK(*watcher.next_look() - begin < 25ms);
    std::this_thread::sleep_until(*watcher.next_look());
    CHECK(watcher.look() == Files{file});
    CHECK_FALSE(watcher.next_look());
}

TEST_CASE("a file that is written by its other name is reported: a container mounts it alone") {
    const TemporaryFolder folder;
    fs::create_directory(folder.path() / "mounted");
    fs::create_directory(folder.path() / "host");
    const std::string file = folder.write("mounted/patch.toml", "one");
    fs::create_hard_link(file, folder.path() / "host/patch.toml");
    InotifyWatcher watcher;
    watcher.watch({file});
    for (const char* text : {"two", "three"}) {
        folder.write("host/patch.toml", text);
        CHECK(wait_for_change(watcher, patience) == Files{file});
        CHECK(wait_for_change(watcher, a_while).empty());
    }
    // Its own name gets another file; the other name is nothing to it any more.
    fs::rename(folder.write("next", "four"), file);
    CHECK(wait_for_change(watcher, patience) == Files{file});
    folder.write("host/patch.toml", "five");
    CHECK(wait_for_change(watcher, a_while).empty());
}

TEST_CASE("where the system doesn't tell of changes a file is looked at twice a second") {
    const TemporaryFolder folder;
    const std::string file = folder.write("patch.toml", "one");
    InotifyWatcher watcher([](const std::string&) { return false; });
    watcher.watch({file});
    REQUIRE(watcher.next_look());
    CHECK(*watcher.next_look() <= std::chrono::steady_clock::now() + 500ms);
    REQUIRE(truncate(file.c_str(), 2) == 0);  // nobody opens or closes the file, so nobody is told
    CHECK(wait_for_change(watcher, patience) == Files{file});
    CHECK(wait_for_change(watcher, 1'200ms).empty());
    folder.write("patch.toml", "three, of which the system tells");
    CHECK(wait_for_change(watcher, patience) == Files{file});
    CHECK(wait_for_change(watcher, 1'200ms).empty());  // and no second time
}

TEST_CASE("many saves while the watcher looks end with the last content") {
    const TemporaryFolder folder;
    const std::string file = folder.write("a", "start");
    InotifyWatcher watcher;
    watcher.watch({file});
    std::thread writer([&] {
        for (int k = 0; k < 300; ++k) folder.write("a", std::to_string(k));
    });
    std::string last;
    while (last != "299") {
        if (wait_for_change(watcher, patience).empty()) break;
        last = folder.read("a");
    }
    writer.join();
    while (!wait_for_change(watcher, a_while).empty()) last = folder.read("a");
    CHECK(last == "299");
}

TEST_CASE("many saves between two looks are one report") {
    const TemporaryFolder folder;
    const std::string file = folder.write("a", "start");
    InotifyWatcher watcher;
    watcher.watch({file});
    for (int k = 0; k < 300; ++k) folder.write("a", std::to_string(k));
    CHECK(wait_for_change(watcher, patience) == Files{file});
    CHECK(folder.read("a") == "299");
    CHECK(wait_for_change(watcher, a_while).empty());
}

#endif

}  // namespace gainstage::test::file_watcher_test
