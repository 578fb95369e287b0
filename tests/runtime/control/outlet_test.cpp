#include "runtime/control/outlet.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/catch.hpp"
#include "tests/support/full_disk.hpp"
#include "tests/support/temporary_folder.hpp"

namespace gainstage::test::outlet_test {

namespace {

struct Pipe {
    Pipe() { REQUIRE(pipe(ends) == 0); }
    ~Pipe() {
        close(ends[0]);
        close(ends[1]);
    }
    int ends[2];
};

int made(const TemporaryFolder& folder, const std::string& name) {
    return open(folder.file(name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

}  // namespace

TEST_CASE("an outlet writes through a descriptor of its own") {
    const TemporaryFolder folder;
    const int file = made(folder, "out");
    Outlet outlet(file);
    CHECK(outlet.descriptor() != file);
    CHECK(outlet.descriptor() > 2);
    close(file);
    CHECK(outlet.write("heard\n"));
    CHECK(outlet.finish());
    CHECK(folder.read("out") == "heard\n");
    CHECK(outlet.error() == 0);
    CHECK(outlet.lost() == 0);
}

TEST_CASE("what can't be written is lost and counted, with the first reason") {
    if (!std::filesystem::exists("/dev/full")) return;
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    Outlet outlet(full);
    close(full);
    CHECK_FALSE(outlet.write("a"));
    CHECK_FALSE(outlet.write("b"));
    CHECK_FALSE(outlet.finish());
    CHECK(outlet.error() == ENOSPC);
    CHECK(outlet.lost() == 2);
}

TEST_CASE("a reader that goes away is an error of writing") {
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    Pipe pipe;
    Outlet outlet(pipe.ends[1]);
    close(std::exchange(pipe.ends[0], -1));
    CHECK_FALSE(outlet.write("a"));
    CHECK(outlet.error() == EPIPE);
    std::signal(SIGPIPE, before);
}

TEST_CASE("a text that was cut does not run into the next one") {
    const TemporaryFolder folder;
    const int file = made(folder, "out");
    Outlet outlet(file);
    close(file);
    {
        const FullDisk disk(4);
        CHECK_FALSE(outlet.write("{\"event\": 1}\n"));
        CHECK_FALSE(outlet.write("{\"event\": 2}\n"));
    }
    CHECK(outlet.write("{\"event\": 3}\n"));
    CHECK(folder.read("out") == "{\"ev\n{\"event\": 3}\n");
    CHECK(outlet.lost() == 2);
}

TEST_CASE("an outlet that somebody else made non-blocking waits for its reader, and loses nothing") {
    const Pipe pipe;
    fcntl(pipe.ends[1], F_SETFL, O_NONBLOCK);
    Outlet outlet(pipe.ends[1]);
    const std::string text(1'000'000, 'x');
    std::size_t read_in_all = 0;
    std::thread reader([&] {
        char bytes[4096];
        while (read_in_all < text.size()) {
            const ssize_t count = ::read(pipe.ends[0], bytes, sizeof bytes);
            if (count <= 0) return;
            read_in_all += static_cast<std::size_t>(count);
        }
    });
    CHECK(outlet.write(text));
    reader.join();
    CHECK(read_in_all == text.size());
}

TEST_CASE("an outlet says whether its reader is paused") {
    const Pipe pipe;
    fcntl(pipe.ends[1], F_SETFL, O_NONBLOCK);
    const Outlet outlet(pipe.ends[1]);
    CHECK(outlet.is_ready());
    const std::string junk(4'096, 'x');
    while (::write(pipe.ends[1], junk.data(), junk.size()) > 0) {
    }
    CHECK_FALSE(outlet.is_ready());
}

TEST_CASE("a descriptor that is not open is an error of writing too") {
    Outlet outlet(1'000);
    CHECK_FALSE(outlet.write("a"));
    CHECK(outlet.error() == EBADF);
}

}  // namespace gainstage::test::outlet_test
