/// The sound on stage is that of `render` for the same input, to the last bit.

#include <fmt/format.h>

#include "tests/stage/performance.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::same_sound_test {

namespace {

const std::string source = source_dir();

std::string fixture(const std::string& name) {
    return source + "/tests/data/" + name + ".safetensors";
}

std::string limited() {
    return patch(R"("in -> push -> safety -> out")",
                 gain("push", 12.) + node("safety", "limiter", "ceiling_dbfs = -3.0\nlookahead_ms = 5.0"));
}
std::string with_gru_makeup() {
    return patch(R"("in -> box -> out")", grey_box("box", fixture("grey_box-rnn-gru-hard")));
}
std::string with_gru_detector() {
    return patch(R"("in -> box -> out")",
                 grey_box("box", fixture("grey_box-gru-rnn-two-knobs"), "drive = 0.5"));
}
/// A comb filter: a loop shorter than any block.
std::string with_short_loop() {
    return patch(R"("in -> blend.in1", "blend -> echo -> feedback -> blend.in2", "blend -> safety -> out")",
                 node("blend", "mix") + node("echo", "delay", "delay_samples = 7") + gain("feedback", -3.) +
                     node("safety", "limiter"));
}
std::string with_all_of_it() {
    return patch(
        R"("in -> push -> box -> blend.in1", "blend -> echo -> feedback -> blend.in2",
           "blend -> safety -> out")",
        gain("push", 6.) + grey_box("box", fixture("grey_box-rnn-gru-hard")) + node("blend", "mix") +
            node("echo", "delay", "delay_ms = 50.0") + gain("feedback", -6.) + node("safety", "limiter"));
}

struct Comparison {
    std::string difference;
    int status = 0, xruns = 0;
    double loudness_db = 0.;
};

/// Plays `input` through the patch live, then renders the engine's recorded input offline.
Comparison compare(const JackServer& server, int period, const std::string& patch, const Sound& input,
                   const Performance::Config& config, bool freewheel) {
    Performance live(server, patch, config);
    INFO(patch);
    const int frames = static_cast<int>(input[0].size()) + 4'800;
    // In freewheel first: a cycle of the server's own time does not wait for a program that is late, and the
    // tape would begin with what the port held before.
    if (freewheel) live.tape().freewheel(true);
    live.tape().start(input, frames);
    live.tape().wait_for(frames);
    if (freewheel) live.tape().freewheel(false);
    Comparison found;
    found.status = live.end();
    INFO(live.program().words());
    found.difference = tape_difference(live.tape().recorded(), live.rendered(patch), period);
    found.xruns = live.tape().xruns();
    found.loudness_db = rms_db(live.tape().recorded()[0]);
    return found;
}

void check(const Comparison& found) {
    INFO(found.xruns << " xruns");
    CHECK(found.status == 0);
    CHECK(found.difference == "");
    CHECK(found.loudness_db > -40.);  // the compared sound was not silence
}

}  // namespace

TEST_CASE("freewheeling JACK: the stream is bit for bit what render makes of the recorded input") {
    if (!JackServer::is_available()) return;
    const JackServer server({.rate_hz = 48'000, .period_frames = 256});
    const TemporaryFolder folder;
    const Channel sound = programme(4 * 48'000);
    const auto one = [&](const std::string& name, const std::string& text) {
        INFO(name);
        check(compare(server, 256, folder.write(name, text), mono(sound), {.outputs = 1}, true));
    };
    one("limiter.toml", limited());
    one("gru-makeup.toml", with_gru_makeup());
    one("gru-detector.toml", with_gru_detector());
    one("short-loop.toml", with_short_loop());
    INFO("shipped patches");
    check(compare(server, 256, source + "/patches/stereo-master.toml",
                  stereo(sound, programme(4 * 48'000, 9)), {.inputs = 2, .outputs = 2}, true));
    check(
        compare(server, 256, source + "/patches/echo.toml", mono(sound), {.inputs = 1, .outputs = 2}, true));
}

TEST_CASE("JACK in its own time: 256 frames, sample-exact") {
    if (!JackServer::is_available()) return;
    const JackServer server({.rate_hz = 48'000, .period_frames = 256});
    const TemporaryFolder folder;
    const std::string patch = folder.write("all.toml", with_all_of_it());
    // An xrun of a busy machine drops frames on the way to the engine or back, which nobody can compare.
    Comparison found;
    int tries = 0;
    do found = compare(server, 256, patch, mono(programme(2 * 48'000)), {.outputs = 1}, false);
    while (found.xruns > 0 && found.difference != "" && ++tries < 5);
    INFO(tries << " takes with xruns");
    check(found);
}

TEST_CASE("JACK at 44.1 kHz: models without a rate of their own play at it, sample-exact") {
    if (!JackServer::is_available()) return;
    const JackServer server({.rate_hz = 44'100, .period_frames = 128});
    const Channel sound = programme(2 * 44'100);
    check(compare(server, 128, source + "/patches/stereo-master.toml", stereo(sound, sound),
                  {.inputs = 2, .outputs = 2}, true));
}

}  // namespace gainstage::test::same_sound_test
