/// What the program makes of files that it can't read, or whose names are odd.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "runtime/io/sound_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/safetensors_writer.hpp"
#include "tests/support/sound_files.hpp"
#include "tests/support/words.hpp"
#include "tests/tools/cli_sounds.hpp"

namespace gainstage::test::cli_files_test {

using Json = nlohmann::json;

namespace {

std::string in_single_quotes(const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

}  // namespace

TEST_CASE("render does the rest of a batch when a file of it can't be read, and exits with the first fault") {
    const std::string patch = level_patch(), a = sine_file("a.wav"), b = sine_file("b.wav");
    const std::string no_sound = scratch().write("page.wav", "<!DOCTYPE html><html></html>"),
                      out = scratch().file("batch");
    const Outcome outcome =
        gainstage_run("render " + patch + " " + a + " nosuch.wav " + no_sound + " " + b + " -o " + out);
    CHECK(outcome.exit_code == 66);
    CHECK(has(outcome.err, "gainstage: nosuch.wav: there is no such file"));
    CHECK(has(outcome.err, "page.wav: not a sound file that can be read: a web page"));
    CHECK(has(outcome.out, out + "/a.wav"));
    CHECK(has(outcome.out, out + "/b.wav"));
    CHECK(read_sound_file(out + "/b.wav").channels[0].size() == 24'000);
    CHECK_FALSE(std::filesystem::exists(out + "/page.wav"));
    // A fault of the patch is told once, not for every file.
    const std::string bad = patch_file("bad.toml", in_and_out, "[\"in -> nowhere -> out\"]");
    const Outcome refused = gainstage_run("render " + bad + " " + a + " " + b + " -o " + out);
    CHECK(refused.exit_code == 65);
    CHECK(refused.err == gainstage_run("render " + bad + " " + a + " -o " + out).err);
}

TEST_CASE("render tells what it could not read, keeps the length, and refuses with --strict") {
    const std::string patch = level_patch(), whole = sine_file("whole.wav"),
                      out = scratch().file("cut-out.wav");
    const std::string bytes = scratch().read("whole.wav");
    const std::string cut = scratch().write("cut.wav", bytes.substr(0, bytes.size() - 4 * 12'000));
    const Outcome outcome = gainstage_run("render " + patch + " " + cut + " -o " + out + " --json");
    REQUIRE(outcome.exit_code == 0);
    const Json json = Json::parse(outcome.out);
    CHECK(json["seconds"] == 0.5);
    CHECK(json["unreadable_s"] == 0.25);
    REQUIRE(json["news"].size() == 1);
    CHECK(json["news"][0] == cut + ": 0.250 to 0.500 s can't be read (the file ends there); silence instead");
    const SoundData played = read_sound_file(out);
    REQUIRE(played.channels[0].size() == 24'000);
    CHECK(played.channels[0][11'999] != 0.f);
    CHECK(played.channels[0][23'999] == 0.f);
    scratch().write("cut-out.wav", "an earlier take");
    const Outcome strict = gainstage_run("render " + patch + " " + cut + " -o " + out + " --strict");
    CHECK(strict.exit_code == 65);
    CHECK(strict.err ==
          "gainstage: " + cut +
              ": 0.250 to 0.500 s can't be read (the file ends there); refused, as --strict asks\n");
    CHECK(scratch().read("cut-out.wav") == "an earlier take");
    CHECK(gainstage_run("render " + patch + " " + whole + " -o " + out + " --strict").exit_code == 0);
}

TEST_CASE("render obeys the guard of the output and says what it did; guard = off writes all") {
    const std::string in = sine_file("hot.wav"), out = scratch().file("hot-out.wav");
    const auto louder = [](const std::string& name, const std::string& guard) {
        return scratch().write(name,
                               "format = 1\nlinks = [\"in -> vol -> out\"]\n[nodes]\n"
                               "in = { type = \"input\", channels = [1] }\n"
                               "vol = { type = \"gain\", gain_db = 12.0 }\n"
                               "out = { type = \"output\", channels = [1]" +
                                   guard + " }\n");
    };
    const auto peak_of = [&] {
        const auto sound = read_sound_file(out);
        float peak = 0.f;
        for (const float x : sound.channels[0]) peak = std::max(peak, std::abs(x));
        return peak;
    };
    const Outcome held = gainstage_run("render " + louder("hot.toml", "") + " " + in + " -o " + out);
    CHECK(held.exit_code == 0);
    CHECK(has(held.err + held.out, "out: rose to 6.0 dB above 0 dBFS, first at "));
    CHECK(peak_of() == 1.f);
    const Outcome off =
        gainstage_run("render " + louder("off.toml", ", guard = \"off\"") + " " + in + " -o " + out);
    CHECK(off.exit_code == 0);
    CHECK_FALSE(has(off.err + off.out, "above 0 dBFS"));
    CHECK(peak_of() > 1.9f);
    const Outcome unknown = gainstage_run("check " + louder("limiter.toml", ", guard = \"limiter\""));
    CHECK(unknown.exit_code == 65);
    CHECK(has(unknown.err, "\"limiter\" is not known here"));
}

TEST_CASE("check says the memory; what takes more than --memory is refused, with what takes most") {
    const std::string patch = level_patch();
    const Outcome fine = gainstage_run("check " + patch);
    CHECK(has(fine.out, "ok (3 nodes, no latency); memory "));
    const Outcome json = gainstage_run("check --json " + patch);
    const Json checked = Json::parse(json.out).at(0);
    CHECK(checked.at("memory_bytes").get<std::size_t>() > 1'000'000);
    CHECK(checked.at("memory").at(0).at("what") == "past of device channels");
    CHECK(std::any_of(checked.at("memory").begin(), checked.at("memory").end(), [](const Json& share) {
        return share.at("what") == "sound between nodes" && share.at("bytes") > 512 * 4;
    }));
    for (const std::string& command :
         {"check " + patch,
          "render " + patch + " " + sine_file("small.wav") + " -o " + scratch().file("m.wav"),
          "run " + patch + " --null --seconds 1"}) {
        const Outcome refused = gainstage_run(command + " --memory 1");
        INFO(command << "\n" << refused.err);
        CHECK(refused.exit_code == 78);
        CHECK(
            has(refused.err, "takes more memory than 1.0 MB; what takes most: past of device channels: 1."));
    }
}

TEST_CASE("render plays what comes through a pipe to its end") {
    const std::string patch = level_patch(), whole = sine_file("piped.wav", 240'000),
                      out = scratch().file("piped-out.wav");
    const std::string command = "cat " + whole + " | timeout -s KILL 60 " + program_path() + " render " +
                                patch + " /dev/stdin -o " + out + " >/dev/null 2>" + scratch().file("err");
    REQUIRE(std::system(command.c_str()) == 0);
    CHECK(read_sound_file(out).channels == read_sound_file(whole).channels);
    CHECK(scratch().read("err").empty());
}

TEST_CASE("integers in floats are refused in one line; peaks of bad samples are numbers") {
    const std::string patch = level_patch(), out = scratch().file("odd-out.wav");
    const Outcome integers =
        gainstage_run("render " + patch + " " + sine_file("int.wav", 24'000, 16'384.f) + " -o " + out);
    CHECK(integers.exit_code == 65);
    CHECK(headings(integers.err) == 1);
    CHECK(has(integers.err, "int.wav: holds integers as floating-point numbers"));
    std::vector<float> sound(24'000, 0.25f);
    sound[12'000] = std::nanf("");
    sound[12'001] = INFINITY;
    const float* channel = sound.data();
    SoundWriter writer(scratch().file("nan.wav"), 1, 48'000);
    writer.write(&channel, 24'000);
    writer.finish();
    const Outcome outcome =
        gainstage_run("render " + patch + " " + scratch().file("nan.wav") + " -o " + out + " --json");
    REQUIRE(outcome.exit_code == 0);
    const Json json = Json::parse(outcome.out);
    for (const std::string key : {"in_peak_dbfs", "in_rms_dbfs", "out_peak_dbfs", "out_rms_dbfs"})
        CHECK(json[key].is_number());
    CHECK(json["in_peak_dbfs"].get<double>() == Approx(-12.04).margin(0.01));
    REQUIRE(json["news"].size() == 1);  // no node is blamed for it
    CHECK(has(outcome.out,
              "2 samples are no numbers (NaN or infinite), the first at 0.250 s; silence instead"));
    const SoundData played = read_sound_file(out);
    CHECK(played.channels[0][11'999] == 0.25f);
    CHECK(played.channels[0][12'000] == 0.f);
    CHECK(played.channels[0][12'002] == 0.25f);
    const Outcome strict =
        gainstage_run("render " + patch + " " + scratch().file("nan.wav") + " -o " + out + " --strict");
    CHECK(strict.exit_code == 65);
    const Outcome garbage =
        gainstage_run("render " + patch + " " + sine_file("garbage.wav", 24'000, 1e38f) + " -o " + out);
    CHECK(garbage.exit_code == 65);
    CHECK(headings(garbage.err) == 1);
    CHECK(has(garbage.err, "garbage.wav: holds numbers up to +760 dBFS, which are no sound"));
}

TEST_CASE("lists of moves that are not there exit with 66; those that move nothing say so") {
    const std::string patch = level_patch(), in = sine_file("a.wav"), out = scratch().file("lists-out.wav");
    const std::string render = "render " + patch + " " + in + " -o " + out + " ";
    for (const std::string option : {"--events", "--automate", "--midi"}) {
        const Outcome outcome = gainstage_run(render + option + " nosuch.file");
        CHECK(outcome.exit_code == 66);
        CHECK(has(outcome.err, "nosuch.file: no such file"));
    }
    const Outcome empty = gainstage_run(render + "--automate " +
                                        scratch().write("empty.csv", "seconds,node.parameter,value\n"));
    CHECK(empty.exit_code == 0);
    CHECK(has(empty.err, "empty.csv: holds no line of seconds,node.parameter,value: it moves nothing"));
    const Outcome late =
        gainstage_run(render + "--automate " + scratch().write("late.csv", "0,5;vol.gain_db;-10\n"));
    CHECK(late.exit_code == 0);
    CHECK(has(late.err, "late.csv: begins at 0.500 s, after the end of "));
    const Outcome silent = gainstage_run(
        render + "--midi " +
        scratch().write("silent.mid", std::string("MThd\0\0\0\6\0\0\0\2\0\x60MTrk\0\0\0\4\0\xff\x2f\0", 26)));
    CHECK(silent.exit_code == 0);
    CHECK(has(silent.err, "silent.mid: its header counts 2 tracks, 1 are there: played all 1 (note)"));
    CHECK(has(silent.err, "silent.mid: holds no message of a MIDI channel: it moves nothing"));
    const Outcome moved =
        gainstage_run(render + "--json --automate " + scratch().write("cr.csv", "0,25;vol.gain_db;-10\r"));
    CHECK(Json::parse(moved.out)["news"].empty());
    CHECK(Json::parse(moved.out)["out_rms_dbfs"].get<double>() <
          Json::parse(moved.out)["in_rms_dbfs"].get<double>() - 2.);
}

TEST_CASE("render begins with a scene, and lists and MIDI files choose others on the way") {
    const std::string scenes =
        "[scenes.low]\nvol = { gain_db = -12.0 }\n[scenes.\"the end\"]\nmorph_ms = 0\nvol = { mute = true }\n"
        "[[midi]]\nprogram = true\ntarget = \"scene\"\n";
    const std::string patch =
                          patch_file("scenes.toml", in_and_out + "[nodes.vol]\ntype = \"gain\"\n" + scenes,
                                     "[\"in -> vol -> out\"]"),
                      in = sine_file("a.wav"), out = scratch().file("scene.wav");
    const auto heard = [&](const std::string& options) {
        const Outcome outcome = gainstage_run("render " + patch + " " + in + " -o " + out + " " + options);
        INFO(outcome.err);
        REQUIRE(outcome.exit_code == 0);
        return read_sound_file(out).channels[0];
    };
    const auto peak_of = [](const std::vector<float>& sound, int from, int to) {
        float peak = 0.f;
        for (int k = from; k < to; ++k) peak = std::max(peak, std::abs(sound[k]));
        return peak;
    };
    CHECK(peak_of(heard(""), 0, 24'000) == Approx(0.5f).epsilon(1e-3));
    const auto low = heard("--scene low");
    CHECK(peak_of(low, 0, 24'000) == Approx(0.5 * std::pow(10., -0.6)).epsilon(1e-3));
    CHECK(heard("--scene 1") == low);
    const std::string list =
        scratch().write("scenes.csv", "0.1,scene,2\n0.25,scene,\"low\"\n0.3,scene,next\n");
    const auto moved = heard("--automate " + list);
    CHECK(peak_of(moved, 4'700, 4'800) > 0.45f);
    CHECK(peak_of(moved, 6'000, 12'000) == 0.f);
    CHECK(peak_of(moved, 13'200, 14'300) > 0.1f);
    CHECK(peak_of(moved, 15'400, 24'000) == 0.f);
    // Program 0, 96 ticks of 5.2 ms later program 1.
    const std::string midi = scratch().write(
        "scenes.mid",
        std::string("MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\12\0\xC0\0\x30\xC0\1\0\xff\x2f\0", 32));
    const auto played = heard("--midi " + midi);
    CHECK(peak_of(played, 2'000, 11'900) == Approx(0.5 * std::pow(10., -0.6)).epsilon(1e-3));
    CHECK(peak_of(played, 13'000, 24'000) == 0.f);

    const auto refused = [&](const std::string& options, int code, const std::string& words) {
        const Outcome outcome = gainstage_run("render " + patch + " " + in + " -o " + out + " " + options);
        INFO(options + ": " + outcome.err);
        CHECK(outcome.exit_code == code);
        CHECK(has(outcome.err, words));
    };
    refused("--scene lou", 65, "scenes.toml: scene: there is no scene \"lou\"; did you mean \"low\"?");
    refused("--scene 3", 65, "there is no scene 3; expected 1 to 2");
    refused("--scene next", 65, "a render begins with a scene of its name or its number");
    refused("--scene ''", 64, "an empty name");
    refused("--scene low --events take.log", 64, "a take begins as it began");
    refused("--automate " + scratch().write("s.csv", "1,scene,lou\n"), 65,
            "s.csv:1:3: scene: there is no scene");
    refused("--automate " + scratch().write("e.csv", "1,scene,\n"), 65,
            "expected the name of a scene, found nothing");
}

TEST_CASE("render plays two files at once, each in its channel") {
    const std::string duo =
        patch_file("duo.toml",
                   "[nodes.voice]\ntype = \"input\"\nchannels = [1]\n[nodes.guitar]\ntype = "
                   "\"input\"\nchannels = [2]\n[nodes.left]\ntype = \"output\"\nchannels = "
                   "[1]\n[nodes.right]\ntype = \"output\"\nchannels = [2]\n",
                   "[\"voice -> left\", \"guitar -> right\"]");
    const std::string voice = sine_file("voice.wav", 24'000, 0.5f),
                      guitar = sine_file("guitar.wav", 12'000, 0.25f), out = scratch().file("duo.wav");
    const Outcome both =
        gainstage_run("render " + duo + " --in 2=" + guitar + " --in 1=" + voice + " -o " + out);
    INFO(both.err);
    REQUIRE(both.exit_code == 0);
    const SoundData heard = read_sound_file(out);
    REQUIRE(heard.channels.size() == 2);
    CHECK(heard.channels[0] == read_sound_file(voice).channels[0]);
    CHECK(std::vector<float>(heard.channels[1].begin(), heard.channels[1].begin() + 12'000) ==
          read_sound_file(guitar).channels[0]);
    CHECK(heard.channels[1].size() == 24'000);

    struct Wrong {
        std::string arguments, answer;
    };
    for (const auto& [arguments, answer] :
         {Wrong{duo + " " + voice + " " + guitar + " -o " + out,
                "2 inputs need a folder, for each is rendered by itself, and that is a file; name a folder. "
                "Two players "
                "at once are named by their channels: --in 1=" +
                    voice + " --in 2=" + guitar},
          Wrong{duo + " --in " + voice + " -o " + out, "expected CHANNEL=FILE, such as 1=voice.wav"},
          Wrong{duo + " " + voice + " --in 2=" + guitar + " -o " + out, "has no channel beside --in"},
          Wrong{duo + " -o " + out, "there is no sound file to play"}}) {
        const Outcome refused = gainstage_run("render " + arguments);
        INFO(arguments << refused.err);
        CHECK(refused.exit_code == 64);
        CHECK(has(refused.err, answer));
    }
    CHECK(gainstage_run("render " + duo + " --in 1=" + voice + " -o " + voice).exit_code ==
          73);  // its own input
}

TEST_CASE("render tells the readings of every node") {
    const std::string patch = patch_file("metered.toml", in_and_out + "[nodes.level]\ntype = \"meter\"\n",
                                         "[\"in -> level -> out\"]");
    const std::string render =
        "render " + patch + " " + sine_file("m.wav") + " -o " + scratch().file("metered.wav");
    CHECK(has(gainstage_run(render).out, "\n  level peak up to -6.0 dBFS; level rms up to -9."));
    const Json readings = Json::parse(gainstage_run(render + " --json").out)["readings"];
    REQUIRE(readings.size() == 3);
    CHECK(readings[0]["node"] == "level");
    CHECK(readings[0]["name"] == "peak_dbfs");
    CHECK(readings[0]["most"].get<double>() == Approx(-6.02).margin(0.05));
}

TEST_CASE("names that are not UTF-8 break nothing, and a take with such names is repeated") {
    const std::string folder = scratch().file("caf\xe9");
    std::filesystem::create_directories(folder);
    std::filesystem::copy_file(source_dir() + "/models/opto-textbook.safetensors",
                               folder + "/opto \xff.safetensors",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::copy_file(source_dir() + "/models/opto-textbook.safetensors",
                               folder + "/opto.safetensors",
                               std::filesystem::copy_options::overwrite_existing);
    const std::string patch = patch_file(
        "caf\xe9/p.toml", in_and_out + "[nodes.opto]\ntype = \"grey_box\"\nmodel = \"opto.safetensors\"\n",
        "[\"in -> opto -> out\"]");
    const std::string in = sine_file("caf\xe9/in.wav"), out = folder + "/out.wav", log = folder + "/take.log",
                      quoted = in_single_quotes(patch);
    const std::string render =
        "render " + quoted + " " + in_single_quotes(in) + " -o " + in_single_quotes(out);
    const Outcome rendered = gainstage_run(render + " --json");
    CHECK(rendered.exit_code == 0);
    CHECK(Json::parse(rendered.out)["in"] == scratch().file("caf\ufffd/in.wav"));
    CHECK(gainstage_run(render).exit_code == 0);
    CHECK(Json::parse(gainstage_run("check --json " + quoted).out)[0]["ok"] == true);
    CHECK(gainstage_run("info --json --no-probe " + in_single_quotes(folder + "/opto \xff.safetensors"))
              .exit_code == 0);
    CHECK(gainstage_run("bench --json --seconds 0.1 " + quoted).exit_code == 0);
    const std::string take = folder + "/take.wav";
    const Outcome live = gainstage_run("run " + quoted + " --null --seconds 0.3 --json --log " +
                                       in_single_quotes(log) + " --record " + in_single_quotes(take));
    CHECK(live.exit_code == 0);
    const Outcome repeated = gainstage_run("render " + quoted + " " + in_single_quotes(take) + " -o " +
                                           in_single_quotes(out) + " --events " + in_single_quotes(log));
    INFO(repeated.err);
    CHECK(repeated.exit_code == 0);
}

TEST_CASE("an empty name is no name of a file, and is not passed over") {
    for (const char* arguments :
         {"run patches/hello.toml --null --seconds 0.1 --log ''",
          "run patches/hello.toml --null --seconds 0.1 --record ''",
          "render patches/hello.toml a.wav -o b.wav --events ''",
          "render patches/hello.toml a.wav -o b.wav --midi ''",
          "render patches/hello.toml a.wav -o b.wav --automate ''", "render patches/hello.toml a.wav -o ''",
          "check ''", "check patches/hello.toml ''", "info ''", "bench ''"}) {
        const Outcome outcome = gainstage_run(arguments);
        INFO(arguments << ": " << outcome.err);
        CHECK(outcome.exit_code == 64);
        CHECK(has(outcome.err, "an empty name"));
    }
}

TEST_CASE("a model may have any name, and is measured all the same") {
    const TemporaryFolder folder;
    for (const char* name :
         {"it's.safetensors", "both'\".safetensors", "mod\xe9.safetensors", "two\nlines.safetensors"}) {
        std::filesystem::copy_file(source_dir() + "/models/opto-textbook.safetensors", folder.file(name));
        const Outcome outcome = gainstage_run("info " + in_single_quotes(folder.file(name)));
        INFO(name << ": " << outcome.err);
        CHECK(outcome.exit_code == 0);
    }
}

TEST_CASE("a hostile model is refused in a sentence, with any address space") {
    const auto model = [](const std::string& name, const std::string& header) {
        const auto bytes = safetensors(header, {});
        return scratch().write(name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    };
    const auto repeated = [](const std::string& text, int times) {
        std::string all;
        for (int k = 0; k < times; ++k) all += text;
        return all;
    };
    std::string keys = "{\"__metadata__\":{\"\":\"\"", tensors = "{\"__metadata__\":{\"config\":\"{}\"}";
    for (int k = 0; k < 600'000; ++k) keys += ",\"" + std::to_string(k) + "\":\"\"";
    for (int k = 0; k < 65'000; ++k)
        tensors += ",\"" + std::to_string(k) + R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
    struct Hostile {
        std::string file, says;
    };
    const Hostile files[] = {
        {model("many_keys.safetensors", keys + "}}"), "holds more than 65536 values"},
        {model("many_tensors.safetensors", tensors + "}"), "gainstage.format: missing"},
        {model("deep.safetensors", "{\"__metadata__\":{\"author\":\"" + repeated("[", 2'000'000) + "\"}}"),
         "a string of more than 1048576 bytes"},
        {model("brackets.safetensors", "{\"a\":" + repeated("[", 2'000'000)), "nests deeper than 16 levels"}};
    for (const Hostile& hostile : files) {
        const Outcome outcome = gainstage_run("info " + hostile.file);
        CHECK(outcome.exit_code == 65);
        CHECK(has(outcome.err, hostile.says));
        for (int kib = 20'000; kib <= 400'000; kib += 38'000) {
            const Outcome tight = run("sh", "-c 'ulimit -v " + std::to_string(kib) + "; exec " +
                                                program_path() + " info " + hostile.file + "'");
            INFO(hostile.file << " in " << kib << " KiB: " << tight.exit_code << " " << tight.err);
            // 127: the loader has no room for the libraries
            CHECK((tight.exit_code == 65 || tight.exit_code == 78 || tight.exit_code == 127));
            CHECK_FALSE(tight.err.empty());
        }
    }
}

TEST_CASE("of the notes on a large patch the first ten are shown") {
    std::string nodes = in_and_out;
    for (int k = 0; k < 5'000; ++k)
        nodes += "[nodes.n" + std::to_string(k) + "]\ntype = \"input\"\nchannels = [1]\n";
    const Outcome outcome = gainstage_run("check " + patch_file("alone.toml", nodes, "[\"in -> out\"]"));
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.err.size() < 4'000);
    CHECK(has(outcome.err, "and 4990 more; gainstage check --json lists them"));
}

}  // namespace gainstage::test::cli_files_test
