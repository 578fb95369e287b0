/// Models and patches that change while the music plays.

#include "tests/stage/performance.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::rehearsal_test {

namespace {

constexpr int rate_hz = 48'000, period = 256;
constexpr double tone_hz = 100.;
constexpr int cycle = 480;  // frames of one period of the tone

std::string chain(double cut_db, const std::string& more = "") {
    return patch(R"("in -> box -> cut -> trim -> out")",
                 grey_box("box", "box.safetensors", "peak_reduction = 40.0") +
                     // slow, because the corners of a 20 ms ramp bend the tone more than a fade may
                     gain("cut", cut_db) + "smooth_ms = 1000.0\n" + gain("trim", 0.) + more +
                     "[[midi]]\nchannel = 1\ncc = 7\ntarget = \"trim.gain_db\"\nmin = -1.0\nmax = 0.0\n"
                     "takeover = \"jump\"\n");
}

/// A fader that goes down slowly all the time.
std::vector<TapeMidi> slow_fader(int from, int to) {
    std::vector<TapeMidi> midi;
    for (int at = from; at < to; at += 1'000) {
        const int value = 127 - 127 * (at - from) / (to - from);
        midi.push_back(
            {.at = static_cast<std::uint64_t>(at), .bytes = {0xb0, 7, static_cast<std::uint8_t>(value)}});
    }
    return midi;
}

std::string bytes_of(const ModelFile& parts) {
    const Bytes bytes = parts.bytes();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A rehearsal, and the stretches without a change: there the tone is as steady as it gets.
class Rehearsal {
public:
    Rehearsal(const JackServer& server, const TemporaryFolder& folder)
        : live_(server, folder.file("song.toml"),
                {.outputs = 1, .more = {"--rehearse", "--midi", "virtual:fader"}, .midi_port = "fader"}) {
        constexpr int length = 60 * rate_hz;  // longer than a loaded machine needs
        live_.tape().start(mono(sine(length, tone_hz, rate_hz, 0.3)), length,
                           slow_fader(rate_hz / 2, length));
        live_.tape().wait_for(3 * rate_hz / 2);  // the compressor has settled
        begin_ = live_.tape().frames();
        leave_alone();
    }

    Program& program() { return live_.program(); }
    void leave_alone() {
        const int from = live_.tape().frames();
        live_.tape().wait_for(from + rate_hz / 5);
        steady_.emplace_back(from, from + rate_hz / 5);
    }
    /// Waits until the next change is complete.
    [[nodiscard]] bool changes() {
        if (!program().tells("playing", ++playing_)) return false;
        leave_alone();
        return true;
    }
    /// Waits for a refusal. True if its text contains `part`.
    [[nodiscard]] bool refuses(const std::string& part) {
        if (!program().tells("problem", refused_ + 1)) return false;
        leave_alone();
        bool said = false;
        const auto problems = program().events("problem");
        for (; refused_ < problems.size(); ++refused_)
            said = said || problems[refused_].at("text").get<std::string>().find(part) != std::string::npos;
        return said;
    }
    bool has_new_problems() { return program().events("problem").size() > refused_; }

    /// Ends the rehearsal. Returns the sound from the moment when the tone was steady.
    Channel end(int& status) {
        const Channel heard = live_.tape().recorded()[0];
        status = live_.end();
        for (const auto& [from, to] : steady_)
            steady_bend_ = std::max(steady_bend_, max_second_difference(part(heard, from, to)));
        return {heard.begin() + begin_, heard.end()};
    }
    double steady_bend() const { return steady_bend_; }

private:
    Performance live_;
    std::size_t playing_ = 1, refused_ = 0;
    int begin_ = 0;
    std::vector<std::pair<int, int>> steady_;
    double steady_bend_ = 0.;
};

/// Level of the softest period of the tone.
double softest_db(const Channel& heard) {
    double softest = 0.;
    for (int k = 0; k + cycle <= static_cast<int>(heard.size()); k += cycle)
        softest = std::min(softest, rms_db(part(heard, k, k + cycle)));
    return softest;
}

/// The limit for a change; tests/support/clicks.hpp gives the reason.
constexpr double bend_of_a_fade = 1.1;

}  // namespace

TEST_CASE(
    "models and patches change on a sounding stream without a dropout or a click; bad ones not at all") {
    if (!JackServer::is_available()) return;
    const JackServer server({.rate_hz = rate_hz, .period_frames = period});
    const TemporaryFolder folder;
    const ModelFile trained = model_parts(source_dir() + "/models/opto-textbook.safetensors");
    const auto replace = [&](const std::string& name, const std::string& content) {
        std::filesystem::rename(folder.write("new", content), folder.file(name));
    };
    save(folder, "box.safetensors", trained);
    folder.write("song.toml", chain(0.));
    Rehearsal rehearsal(server, folder);
    INFO(rehearsal.program().standard_error());

    replace("box.safetensors", bytes_of(louder(trained, 1.5)));
    REQUIRE(rehearsal.changes());
    folder.write("song.toml", chain(-1.5));  // in place, as some editors do
    REQUIRE(rehearsal.changes());

    replace("box.safetensors", bytes_of(trained).substr(0, 700));
    CHECK(rehearsal.refuses("box.safetensors"));
    save(folder, "box.safetensors", trained);
    REQUIRE(rehearsal.changes());
    replace("song.toml", chain(-1.5, "[nodes.oops]\ntype = \"gian\"\n"));
    CHECK(rehearsal.refuses("gian"));
    replace("song.toml", "format = 1\nlinks = [");
    CHECK(rehearsal.refuses("song.toml:"));
    replace("song.toml", chain(0.));
    REQUIRE(rehearsal.changes());
    std::filesystem::remove(folder.file("box.safetensors"));
    rehearsal.leave_alone();
    CHECK_FALSE(rehearsal.has_new_problems());

    int status = -1;
    const Channel heard = rehearsal.end(status);
    CHECK(status == 0);
    const auto summary = rehearsal.program().events("summary").at(0);
    CHECK(summary.at("swaps") == 2);
    CHECK(summary.at("edits") == 2);
    CHECK(summary.at("quarantines") == 0);
    CHECK(summary.at("midi_messages").get<int>() > 50);
    CHECK(summary.at("midi_dropped") == 0);

    // Only 1.5 dB of the edit, 1 dB of the fader and 1.5 dB of the model ever change the level.
    CHECK(softest_db(heard) > rms_db(part(heard, 0, cycle)) - 3.);
    CHECK(max_second_difference(heard) <= bend_of_a_fade * rehearsal.steady_bend());

    // The same search finds a missing sample, and a switch without a fade.
    Channel missing = heard;
    missing.erase(missing.begin() + static_cast<std::ptrdiff_t>(missing.size() / 2) + 17);
    CHECK(max_second_difference(missing) > bend_of_a_fade * rehearsal.steady_bend());
    Channel switched = heard;
    for (std::size_t k = switched.size() / 2; k < switched.size(); ++k) switched[k] *= 0.9f;
    CHECK(max_second_difference(switched) > bend_of_a_fade * rehearsal.steady_bend());
}

}  // namespace gainstage::test::rehearsal_test
