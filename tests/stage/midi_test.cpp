/// Controllers, from the MIDI port of another program to the sound.

#include <cmath>
#include <fstream>

#include "tests/stage/performance.hpp"
#include "tests/stage/wheel.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::midi_test {

namespace {

struct Logged {
    std::uint64_t at = 0;
    int value = 0;
};

std::vector<Logged> logged_bends(const std::string& log) {
    std::vector<Logged> bends;
    std::ifstream lines(log);
    for (std::string text; std::getline(lines, text);) {
        const nlohmann::json line = nlohmann::json::parse(text);
        if (!line.contains("midi")) continue;
        const auto bytes = line["midi"].get<std::vector<int>>();
        REQUIRE(bytes.size() == 3);
        CHECK(bytes[0] == 0xe2);
        bends.push_back({line["at"].get<std::uint64_t>(), bytes[1] | bytes[2] << 7});
    }
    return bends;
}

}  // namespace

TEST_CASE(
    "fifteen hundred messages through JACK all arrive, in order, and each one changes the sound from its "
    "sample on") {
    if (!JackServer::is_available()) return;
    const JackServer server({.rate_hz = 48'000, .period_frames = 256});
    const TemporaryFolder folder;
    const std::string file =
        folder.write("wheel.toml", patch(R"("in -> trim -> out")", gain("trim", 0.) + wheel));
    const std::string log = folder.file("take.jsonl");
    Performance live(server, file,
                     {.outputs = 1, .more = {"--midi", "virtual:wheel", "--log", log}, .midi_port = "wheel"});

    constexpr int messages = 1'500, first = 9'600, apart = 64, length = first + messages * apart + 4'800;
    std::vector<TapeMidi> midi;
    std::vector<int> sent;
    for (int k = 0; k < messages; ++k) {
        sent.push_back((k * 4'099 + 17) % 16'384);  // no two alike
        midi.push_back(bend(first + k * apart, sent.back()));
    }
    live.tape().start(mono(constant(length, 0.5f)), length, midi);
    live.tape().wait_for(length);
    INFO(live.program().standard_error());
    REQUIRE(live.end() == 0);
    CHECK(live.program().events("summary").at(0).at("midi_messages") == messages);
    CHECK(live.program().events("summary").at(0).at("midi_dropped") == 0);

    const std::vector<Logged> bends = logged_bends(log);
    std::vector<int> received;
    for (const Logged& line : bends) received.push_back(line.value);
    REQUIRE(received == sent);

    // The samples of the stream are those of the tape, some periods later. The tape was 0.5 throughout, so
    // the output shows the wheel.
    const Channel heard = live.tape().recorded()[0];
    const Sound replayed = live.rendered(file, {"--events", log});
    REQUIRE(tape_difference(mono(heard), replayed, 256) == "");
    int wrong = 0, seen = 0;
    // One step of the wheel is 0.03 %; a third of that distinguishes neighbours.
    for (std::size_t k = 0; k + 1 < bends.size(); ++k) {
        const double expected = 0.5 * std::pow(10., (40. * position(bends[k].value) - 40.) / 20.);
        for (std::uint64_t at = bends[k].at; at < bends[k + 1].at; ++at, ++seen)
            wrong += std::abs(replayed[0][at] / expected - 1.) > 1e-4;
    }
    CHECK(wrong == 0);
    CHECK(seen > messages * apart / 2);
}

}  // namespace gainstage::test::midi_test
