/// `gainstage render --events`: the log of a take, and the sound that belongs to it.

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "runtime/engine/sound_print.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/sound_files.hpp"
#include "tests/support/words.hpp"
#include "tests/tools/cli_sounds.hpp"

namespace gainstage::test::replay_command_test {

using Json = nlohmann::json;

namespace {

/// A log's line that begins the take with this patch.
std::string play_line(const std::string& patch) {
    const Json play{{"file", patch},
                    {"text", scratch().read(std::filesystem::path(patch).filename())},
                    {"models", Json::object()}};
    return Json{{"at", 0}, {"play", play}}.dump();
}

}  // namespace

TEST_CASE("a take needs no patch, and an input as long as itself") {
    const std::string patch = level_patch(), in = sine_file("a.wav"), out = scratch().file("no-patch.wav");
    const std::string head = R"({"gainstage_log":1,"sample_rate_hz":48000})", play = play_line(patch);
    const std::string log = scratch().write("whole.log", head + "\n" + play + "\n" +
                                                             R"({"at":20000,"panic":true})"
                                                             "\n");
    const Outcome alone = gainstage_run("render " + in + " --events " + log + " -o " + out);
    CHECK(alone.exit_code == 0);
    CHECK(alone.err.empty());
    const std::string bits = scratch().read("no-patch.wav");
    const Outcome named = gainstage_run("render " + patch + " " + in + " --events " + log + " -o " + out);
    CHECK(named.exit_code == 0);
    CHECK(has(named.err, "level.toml: not played, for "));
    CHECK(scratch().read("no-patch.wav") == bits);

    const std::string other = sine_file("short.wav", 12'000);
    const Outcome refused = gainstage_run("render " + other + " --events " + log + " -o " + out);
    CHECK(refused.exit_code == 65);
    CHECK(has(refused.err,
              "short.wav: is 0.25 s long, but the take goes on to 0.42 s; expected the recording of"));
    CHECK(gainstage_run("render " + other + " --events " + log + " --incomplete -o " + out).exit_code == 0);
}

TEST_CASE("a log knows its recording, and says so if another sound is played") {
    const std::string patch = level_patch(), in = sine_file("a.wav"), out = scratch().file("known.wav");
    const auto recording = read_sound_file(in);
    SoundPrint print;
    const float* const channel = recording.channels[0].data();
    print.add(&channel, 1, 24'000);
    const std::string play = Json{
        {"at", 0},
        {"play",
         {{"file", patch},
          {"text", scratch().read(std::filesystem::path(patch).filename())},
          {"models",
           Json::object()}}}}.dump();
    const auto log = [&](const std::string& end) {
        return scratch().write("known.log", R"({"gainstage_log":1,"sample_rate_hz":48000})"
                                            "\n" +
                                                play + "\n" + end);
    };
    const auto recorded = [](const std::string& digits) {
        return R"({"recorded":{"frames":24000,"channels":1,"fnv1a64":")" + digits + "\"}}\n";
    };
    const std::string known = log(recorded(fmt::format("{:016x}", print.value()))),
                      render = " --events " + known + " -o " + out;
    const Outcome same = gainstage_run("render " + in + render);
    CHECK(same.exit_code == 0);
    CHECK(same.err.empty());

    const std::string quieter = sine_file("quieter.wav", 24'000, 0.4f),
                      longer = sine_file("longer.wav", 25'000);
    const Outcome other = gainstage_run("render " + quieter + render);
    CHECK(other.exit_code == 0);
    CHECK(has(other.err,
              "quieter.wav: is not the recording of this take: it has other samples; what happened"));
    CHECK(has(gainstage_run("render " + longer + render).err,
              "longer.wav: is not the recording of this take: it is 0.521 s long, the recording 0.500 s;"));
    const Outcome strict = gainstage_run("render --strict " + quieter + render);
    CHECK(strict.exit_code == 65);
    CHECK(has(strict.err, "it has other samples; refused, as --strict asks"));

    log("");  // cut off, or older
    CHECK(gainstage_run("render " + quieter + render).err.empty());
    log(recorded("12"));
    const Outcome damaged = gainstage_run("render " + in + render);
    CHECK(damaged.exit_code == 65);
    CHECK(has(damaged.err, "known.log:3: fnv1a64: expected 16 hexadecimal digits"));
}

TEST_CASE("a take whose log lacks something is refused, and repeated with --incomplete") {
    const std::string patch = level_patch(), in = sine_file("a.wav"),
                      out = scratch().file("incomplete-out.wav");
    const std::string render = "render " + patch + " " + in + " -o " + out + " --events ";
    const std::string head = R"({"gainstage_log":1,"sample_rate_hz":48000)", play = play_line(patch) + "\n",
                      lost = R"("lost":{"from":960,"to":48000,"lines":12343})";
    const auto log = [&](const std::string& text) { return scratch().write("incomplete.log", text); };
    for (const std::string& text :
         {head + "}\n" + play + R"({"at":960,)" + lost + "}\n", head + "," + lost + "}   \n" + play}) {
        const Outcome refused = gainstage_run(render + log(text));
        CHECK(refused.exit_code == 65);
        CHECK(has(refused.err,
                  "incomplete.log: the take is not whole: 12343 line(s) of the log are missing, from "
                  "0.02 s to 1.00 s; --incomplete repeats what there is of it"));
        CHECK_FALSE(std::filesystem::exists(out));
        const Outcome insisted = gainstage_run(render + log(text) + " --incomplete");
        CHECK(insisted.exit_code == 0);
        CHECK(has(insisted.err, "12343 line(s) of the log are missing, from 0.02 s to 1.00 s (note)"));
        CHECK(std::filesystem::remove(out));
    }
    const Outcome whole = gainstage_run(render + log(head + "}\n" + play));
    CHECK(whole.exit_code == 0);
    CHECK(whole.err.find("missing") == std::string::npos);
}

}  // namespace gainstage::test::replay_command_test
