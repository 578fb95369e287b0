/// A take with everything in it: its replay from the log is what was heard.

#include <fmt/format.h>

#include "runtime/io/sound_file.hpp"
#include "tests/stage/performance.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::take_test {

namespace {

constexpr int rate_hz = 48'000, period = 256;

std::string chain(const std::string& model, const std::string& links, const std::string& more = "") {
    return patch(links,
                 gain("push", 0.) + grey_box("box", model) + node("tone", "filter", "cutoff_hz = 8000.0") +
                     node("safety", "limiter") + more +
                     "[[midi]]\nchannel = 1\ncc = 21\ntarget = \"push.gain_db\"\nmin = -12.0\nmax = 12.0\n"
                     "takeover = \"jump\"\n"
                     "[[midi]]\nchannel = \"omni\"\ncc = 1\ntarget = \"tone.cutoff_hz\"\nmin = 200.0\n"
                     "max = 15000.0\ncurve = \"log\"\ntakeover = \"jump\"\nsmooth_ms = 40.0\n"
                     "[[midi]]\nchannel = 1\ncc = 22\ntarget = \"box.peak_reduction\"\nmin = 20.0\n"
                     "max = 80.0\ntakeover = \"jump\"\n");
}

/// Three knobs that turn up and down all the time, at frames without a particular rhythm.
std::vector<TapeMidi> turning_knobs(int from, int to) {
    std::vector<TapeMidi> midi;
    for (int at = from, k = 0; at < to; at += 331, ++k) {
        const int up_and_down = std::abs(k * 3 % 256 - 128);
        const std::uint8_t cc = k % 3 == 0 ? 21 : k % 3 == 1 ? 1 : 22;
        midi.push_back({.at = static_cast<std::uint64_t>(at),
                        .bytes = {0xb0, cc, static_cast<std::uint8_t>(std::min(up_and_down, 127))}});
    }
    return midi;
}

/// Other weights of the same shape.
ModelFile retrained(ModelFile parts) {
    for (gainstage::Tensor& tensor : parts.tensors)
        for (float& value : tensor.data) value *= 0.93f;
    return parts;
}

/// Saves as a careful trainer or editor does: beside the file, then by renaming.
void replace(const TemporaryFolder& folder, const std::string& name, const std::string& content) {
    std::filesystem::rename(folder.write(name + ".new", content), folder.file(name));
}

std::string bytes_of(const ModelFile& parts) {
    const Bytes bytes = parts.bytes();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("a take with a controller sweep, a weight swap and an edit is repeated from its log bit for bit") {
    if (!JackServer::is_available()) return;
    const JackServer server({.rate_hz = rate_hz, .period_frames = period});
    const TemporaryFolder folder;
    const ModelFile trained = model_parts(source_dir() + "/tests/data/grey_box-rnn-gru-hard.safetensors");
    save(folder, "box.safetensors", trained);
    const std::string file = folder.write(
        "take.toml", chain("box.safetensors", R"("in -> push -> box -> tone -> safety -> out")"));
    const std::string log = folder.file("take.jsonl");

    Performance live(server, file,
                     {.outputs = 1,
                      .more = {"--midi", "virtual:knobs", "--rehearse", "--log", log},
                      .midi_port = "knobs"});
    constexpr int length = 20 * rate_hz;  // longer than needed, even on a loaded machine
    live.tape().start(mono(programme(length)), length, turning_knobs(rate_hz / 4, length));
    live.tape().wait_for(rate_hz);
    INFO(live.program().words());

    REQUIRE(live.program().tells("playing", 1));
    replace(folder, "box.safetensors", bytes_of(retrained(trained)));
    REQUIRE(live.program().tells("playing", 2));
    live.tape().wait_for(live.tape().frames() + rate_hz / 4);
    replace(folder, "take.toml",
            chain("box.safetensors", R"("in -> push -> box -> echo -> tone -> safety -> out", "box -> tone")",
                  node("echo", "delay", "delay_ms = 30.0")));
    REQUIRE(live.program().tells("playing", 3));
    live.tape().wait_for(live.tape().frames() + rate_hz / 4);
    CHECK(live.end() == 0);

    const auto summary = live.program().events("summary").at(0);
    CHECK(summary.at("swaps") == 1);
    CHECK(summary.at("edits") == 1);
    CHECK(summary.at("midi_messages").get<int>() > 200);
    CHECK(summary.at("midi_dropped") == 0);
    CHECK(summary.at("reports_lost") == 0);
    const Sound heard = live.tape().recorded();
    CHECK(rms_db(heard[0]) > -40.);
    CHECK(tape_difference(heard, live.rendered(file, {"--events", log}), period) == "");

    // The log matters: without it the same input sounds different.
    CHECK(tape_difference(heard, live.rendered(file), period) != "");
}

}  // namespace gainstage::test::take_test
