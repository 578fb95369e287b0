/// Through PipeWire, which serves JACK's calls.

#include <jack/jack.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <thread>

#include "tests/stage/delays.hpp"
#include "tests/stage/line.hpp"
#include "tests/stage/player.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/device_tries.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::pipewire_test {

using namespace std::chrono_literals;

namespace {

bool has_pipewire() {
    static const bool has =
        std::system(
            "for c in pipewire wireplumber pw-jack pw-link pw-metadata dbus-run-session; do "
            "command -v $c || exit 1; done >/dev/null 2>&1") == 0;
    if (!has)
        std::cout << "skipped: no PipeWire: pipewire, pipewire-jack and wireplumber are not installed"
                  << std::endl;
    return has;
}

/// The server's blocks, as every JACK client sees them. On a busy machine a command may be lost.
bool force_quantum(const Line& line, int frames) {
    const std::string command = "timeout -s KILL 5 pw-metadata -n settings 0 clock.force-quantum " +
                                std::to_string(frames) + " >/dev/null 2>&1";
    return becomes_true(
        [&] {
            if (jack_get_buffer_size(line.source()) == static_cast<jack_nframes_t>(frames)) return true;
            std::this_thread::sleep_for(std::system(command.c_str()) == 0 ? 200ms : 1s);
            return false;
        },
        30s);
}

struct Heard {
    Delays delays;
    int block_frames = 0;
    std::string words;
};

Heard play(const std::string& file, int quantum) {
    Line line;
    REQUIRE(force_quantum(line, quantum));
    Player player(file, {"--no-connect"});
    line.connect(player.name() + ":in_1", player.name() + ":out_1");
    constexpr int frames = 48'000;
    const Channel noise = white_noise(frames, 5, 0.3f);
    line.start(noise, frames);
    line.wait_for(frames);
    CHECK(player.end() == 0);
    return {{noise, line.recorded()},
            player.program().events("summary").at(0).at("block_frames").get<int>(),
            player.program().words()};
}

}  // namespace

TEST_CASE("through PipeWire's JACK the patch's latency is all that is between input and output") {
    if (!has_pipewire()) return;
    const std::string self = std::filesystem::read_symlink("/proc/self/exe");
    const TemporaryFolder folder;
    const std::string out = folder.file("out");
    const int status = std::system((source_dir() + "/tests/support/in_pipewire timeout -s KILL 120 " + self +
                                    " '[inside_pipewire]' >" + out + " 2>&1")
                                       .c_str());
    INFO(folder.read("out"));
    CHECK(status == 0);
}

TEST_CASE("inside PipeWire: the patch's latency is all that is between input and output",
          "[.inside_pipewire]") {
    const int quantum = GENERATE(32, 64, 128, 256);
    const TemporaryFolder folder;
    const std::string plain = folder.write("plain.toml", delayed(0.)),
                      late = folder.write("late.toml", delayed(5.));
    for (const std::string& file : {plain, late}) {
        const Heard heard = play(file, quantum);
        INFO(quantum << " frames, " << heard.delays.whole << " of " << heard.delays.all
                     << " stretches are whole\n"
                     << heard.words);
        CHECK(heard.block_frames == quantum);
        CHECK(heard.delays.found == std::set<int>{declared(file)});
    }
}

}  // namespace gainstage::test::pipewire_test
