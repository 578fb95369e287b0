/// The built binary, as a player or a script meets it: exit codes, and what is written where.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "nodes/all_nodes.hpp"
#include "runtime/io/sound_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/jack_server.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/sound_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/words.hpp"
#include "tests/tools/cli.hpp"

namespace gainstage::test::cli_test {

using Json = nlohmann::json;

// ------------------------ the whole

TEST_CASE("a wrong command line is told on stderr and exits with 64") {
    for (const std::string arguments :
         {"", "dance", "check", "check --loudly x.toml", "info", "nodes --json gain extra", "render a.toml",
          "run", "run a.toml --block many"}) {
        INFO(arguments);
        const Outcome outcome = gainstage_run(arguments);
        CHECK(outcome.exit_code == 64);
        CHECK(outcome.out.empty());
        CHECK_FALSE(outcome.err.empty());
    }
}

TEST_CASE("a slip in the name of a command or an option is answered with the nearest name") {
    struct Slip {
        const char *arguments, *answer;
    };
    for (const Slip& slip :
         {Slip{"rehearse patches/hello.toml",
               "there is no command \"rehearse\"; it is an option: gainstage run --rehearse"},
          Slip{"import model.pt",
               "it is a Python program in Gainstage's source: tools/import_model, or gainstage-import"},
          Slip{"train grey_box", "python3 -m gainstage_train (in tools/), or gainstage-train"},
          Slip{"rnder", "there is no command \"rnder\"; did you mean \"render\"?"},
          Slip{"chekc patches/hello.toml", "did you mean \"check\"?"},
          Slip{"run patches/hello.toml --recrod take.wav",
               "there is no option \"--recrod\"; did you mean \"--record\"?"},
          Slip{"run --secnds=3 patches/hello.toml", "did you mean \"--seconds\"?"},
          Slip{"render patches/hello.toml in.wav --otput out.wav", "did you mean \"--output\"?"},
          Slip{"nodes --jsno", "did you mean \"--json\"?"},
          Slip{"--verison", "did you mean \"--version\"?"}}) {
        INFO(slip.arguments);
        const Outcome outcome = gainstage_run(slip.arguments);
        INFO(outcome.err);
        CHECK(outcome.exit_code == 64);
        CHECK(has(outcome.err, slip.answer));
        CHECK(has(outcome.err, "--help"));
    }
    CHECK(has(lab_run("bnech --all").err, "did you mean \"bench\"?"));
}

TEST_CASE("numbers out of range are refused in words, and so is what is no number") {
    for (const std::string option : {"--seconds", "--rate"})
        for (const std::string value : {"-1", "nan", "-nan", "inf", "1e300", "many"}) {
            const std::string arguments = option == "--rate"
                                              ? "check patches/hello.toml --rate " + value
                                              : "run patches/hello.toml --null --seconds " + value;
            INFO(arguments);
            const Outcome outcome = gainstage_run(arguments);
            INFO(outcome.err);
            CHECK(outcome.exit_code == 64);
            CHECK(has(outcome.err, "expected a number of "));
            CHECK(outcome.err.size() < 300);
        }
    CHECK(gainstage_run("bench patches/hello.toml --seconds nan").exit_code == 64);
    CHECK(gainstage_run("bench patches/hello.toml --rate nan").exit_code == 64);
    CHECK(lab_run("bench --all --seconds nan").exit_code == 64);
}

TEST_CASE("a name that no audio server takes is refused before anything is opened") {
    const std::string name(70, 'n');
    for (const std::string& arguments :
         std::vector<std::string>{"--name " + name, "--name ''", "--midi virtual:" + name}) {
        const Outcome outcome = gainstage_run("run patches/hello.toml --null --seconds 0.1 " + arguments);
        INFO(arguments << ": " << outcome.err);
        CHECK(outcome.exit_code == 64);
        CHECK(has(outcome.err, "bytes; expected 1 to 63, as JACK wants it"));
    }
    CHECK(
        gainstage_run("run patches/hello.toml --null --seconds 0.1 --name " + name.substr(0, 63)).exit_code ==
        0);
}

TEST_CASE("several inputs and the name of a sound file are refused: they need a folder") {
    const std::string out = scratch().file("both.wav"), other = scratch().file("both.M4A");
    for (const std::string& name : {out, other, scratch().write("a-file", "content")}) {
        const Outcome outcome = gainstage_run("render patches/hello.toml a.wav b.wav -o " + name);
        INFO(outcome.err);
        CHECK(outcome.exit_code == 64);
        CHECK(has(outcome.err, "2 inputs need a folder"));
    }
    CHECK_FALSE(std::filesystem::exists(out));
    CHECK_FALSE(std::filesystem::exists(other));
    CHECK(scratch().read("a-file") == "content");
}

TEST_CASE("many faults of a patch are told in a few lines, all of them to --json") {
    std::string nodes = in_and_out;
    for (int k = 0; k < 60; ++k) nodes += "[nodes.wrong" + std::to_string(k) + "]\ntype = \"gian\"\n";
    const std::string file = patch_file("wrong.toml", nodes, "[\"in -> out\"]");
    for (const std::string command : {"check ", "run --null ", "bench "}) {
        const Outcome outcome = gainstage_run(command + file);
        INFO(outcome.err);
        CHECK(outcome.exit_code == 65);
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 11);
        CHECK(has(outcome.err, "and 50 more; gainstage check --json lists them"));
    }
    CHECK(Json::parse(gainstage_run("check --json " + file).out)[0]["problems"].size() == 60);
}

TEST_CASE("numbers for people have no exponents") {
    std::string nodes = in_and_out, links = "[\"in -> a\", \"in -> out\"";
    nodes += "[nodes.a]\ntype = \"limiter\"\n";
    for (int k = 0; k < 40; ++k) {
        nodes += "[nodes.late" + std::to_string(k) + "]\ntype = \"limiter\"\n";
        links += ", \"" + (k ? "late" + std::to_string(k - 1) : std::string("a")) + " -> late" +
                 std::to_string(k) + "\"";
    }
    const Outcome outcome =
        gainstage_run("check " + patch_file("late.toml", nodes, links + ", \"late39 -> out\"]"));
    INFO(outcome.out << outcome.err);
    REQUIRE(outcome.exit_code == 0);
    CHECK_FALSE(has(outcome.out, "e+"));
}

TEST_CASE("a folder or a circle of links in place of a file is told alike everywhere, and exits with 66") {
    const std::string circle = scratch().file("circle"), other = scratch().file("circle2");
    std::filesystem::create_symlink(other, circle);
    std::filesystem::create_symlink(circle, other);
    write_wav(scratch().file("a-sound.wav"), {Channel(100, 0.25f)});
    const std::string folder = scratch().path().string(), in = scratch().file("a-sound.wav"),
                      out = " -o " + scratch().file("never.wav");
    for (const auto& [path, told] : {std::pair(folder, "a folder; expected a"),
                                     std::pair(circle, "can't be opened: its links lead in a circle")})
        for (const std::string& command :
             {"check " + path, "run --null " + path, "info " + path, "bench " + path,
              "render " + path + " " + in + out, "render patches/hello.toml " + path + out,
              "render patches/hello.toml " + in + " --events " + path + out,
              "render patches/hello.toml " + in + " --midi " + path + out,
              "render patches/hello.toml " + in + " --automate " + path + out}) {
            const Outcome outcome = gainstage_run(command);
            INFO(command << ": " << outcome.err);
            CHECK(outcome.exit_code == 66);
            CHECK(has(outcome.err, told));
            CHECK(headings(outcome.err) == 1);
        }
}

TEST_CASE("files of another kind are named as what they are") {
    const std::string page = scratch().write("page.mid", "<!doctype html>\n<html>"),
                      sound = scratch().write("sound.safetensors", "RIFF" + std::string(4, '\0') +
                                                                       "WAVEfmt " + std::string(100, '\0')),
                      table = scratch().write("sound.csv", "fLaC" + std::string(100, '\0'));
    const Outcome midi = gainstage_run("render patches/hello.toml a.wav --midi " + page + " -o " +
                                       scratch().file("never.wav"));
    CHECK(has(midi.err,
              "this is no Standard MIDI File (.mid), but a web page, not the file itself; download the file "
              "again"));
    CHECK_FALSE(has(midi.err, "export"));
    const Outcome model = gainstage_run("info " + sound);
    CHECK(model.exit_code == 65);
    CHECK(has(model.err, "sound.safetensors: a sound file (WAV); expected a model (.safetensors)"));
    const Outcome moves = gainstage_run("render patches/hello.toml a.wav --automate " + table + " -o " +
                                        scratch().file("never.wav"));
    CHECK(has(moves.err, "a sound file (FLAC); expected a text file"));
}

TEST_CASE("a patch of many nodes is told in a few lines") {
    std::string nodes = in_and_out, links = "[\"in -> late0\"";
    for (int k = 0; k < 60; ++k) {
        const std::string id = "late" + std::to_string(k);
        nodes += "[nodes." + id + "]\ntype = \"limiter\"\n";
        nodes += "[nodes.alone" + std::to_string(k) + "]\ntype = \"gain\"\n";
        links += ", \"in -> alone" + std::to_string(k) + "\"";
        links += ", \"" + id + " -> " + (k < 59 ? "late" + std::to_string(k + 1) : std::string("out")) + "\"";
    }
    const std::string file = patch_file("many.toml", nodes, links + "]");
    const Outcome outcome = gainstage_run("check " + file);
    INFO(outcome.out << outcome.err);
    CHECK(outcome.exit_code == 0);
    CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 12);
    CHECK(has(outcome.out, "and 50 more; check --json lists them"));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 11);
    CHECK(has(outcome.err, "more; gainstage check --json lists them (note)"));
    const Json json = Json::parse(gainstage_run("check --json " + file).out);
    CHECK(json[0]["timing"].size() == 60);
    CHECK(json[0]["problems"].size() >= 60);
    const Outcome live = gainstage_run("run --null --seconds 0.1 " + file);
    INFO(live.err);
    CHECK(std::count(live.err.begin(), live.err.end(), '\n') < 30);
}

TEST_CASE("text from files can't steer the terminal") {
    const std::string file = patch_file(
        "steer.toml", in_and_out + "[nodes.\"a\\u001b[2Jb\"]\ntype = \"gain\"\n", "[\"in -> out\"]");
    const std::string name = scratch().write("a\x1b[31mb.toml", "format = 1\n");
    for (const std::string& arguments : {"check " + file, "check '" + name + "'"}) {
        const Outcome outcome = gainstage_run(arguments);
        CHECK_FALSE(outcome.err.empty());
        CHECK_FALSE(has(outcome.err + outcome.out, "\x1b"));
    }
    const Outcome bytes = gainstage_run("check '" + scratch().file("caf\xe9.toml") + "' --json");
    CHECK(bytes.exit_code == 66);
    CHECK(Json::parse(bytes.out).size() == 1);
}

TEST_CASE("help and version go to stdout and exit with 0") {
    CHECK(gainstage_run("--version").out.rfind("gainstage ", 0) == 0);
    const Outcome help = gainstage_run("--help");
    CHECK(help.exit_code == 0);
    CHECK(help.err.empty());
    CHECK(has(help.out, "Examples:\n  gainstage devices\n"));
    CHECK(has(help.out, "Exit codes:\n   0  done\n  64  wrong usage\n"));
    for (const std::string command :
         {"run", "render", "check", "devices", "latency", "nodes", "info", "bench"}) {
        CHECK(has(help.out, "  " + command));
        const Outcome one = gainstage_run(command + " --help");
        CHECK(one.exit_code == 0);
        CHECK(has(one.out, "Examples:\n  gainstage " + command));
        CHECK(has(one.out, "Exit codes:\n   0  done\n  64  wrong usage\n"));
    }
}

TEST_CASE("a level of instructions that there is not is told with those that there are") {
    setenv("GAINSTAGE_SIMD", "mmx", 1);
    const Outcome outcome = gainstage_run("nodes");
    unsetenv("GAINSTAGE_SIMD");
    CHECK(outcome.exit_code == 78);
    CHECK(has(outcome.err, "GAINSTAGE_SIMD is \"mmx\"; expected one of "));
}

// ------------------------ nodes

TEST_CASE("nodes lists every type on a line of its own, aligned") {
    const Outcome outcome = gainstage_run("nodes");
    CHECK(outcome.exit_code == 0);
    const std::size_t column = outcome.out.find("WHAT IT DOES");
    std::istringstream text(outcome.out);
    std::string line;
    std::getline(text, line);
    for (const NodeType& type : all_nodes()) {
        REQUIRE(std::getline(text, line));
        CHECK(line.rfind(type.name + " ", 0) == 0);
        CHECK(line.substr(column) == type.summary);
    }
}

TEST_CASE("nodes TYPE shows every port, knob, option and reading of the type") {
    for (const NodeType& type : all_nodes()) {
        const Outcome outcome = gainstage_run("nodes " + type.name);
        INFO(outcome.out);
        CHECK(outcome.exit_code == 0);
        CHECK(has(outcome.out, type.summary));
        for (const PortSpec& port : type.inputs) CHECK(has(outcome.out, "\n  " + port.name + " "));
        for (const ParamSpec& param : type.params) CHECK(has(outcome.out, "\n  " + param.name + " "));
        for (const OptionSpec& option : type.options) CHECK(has(outcome.out, "\n  " + option.name + " "));
        for (const ReadingSpec& reading : type.readings) CHECK(has(outcome.out, "\n  " + reading.name + " "));
    }
}

TEST_CASE("nodes of an unknown type names the nearest and exits with 64") {
    const Outcome outcome = gainstage_run("nodes compresor");
    CHECK(outcome.exit_code == 64);
    CHECK(has(outcome.err, "did you mean \"compressor\"?"));
}

TEST_CASE("nodes --json holds the specs, as a list or of one type") {
    const Json all = Json::parse(gainstage_run("nodes --json").out);
    REQUIRE(all.size() == all_nodes().size());
    const Json gain = Json::parse(gainstage_run("nodes gain --json").out);
    CHECK(gain["type"] == "gain");
    CHECK(gain["params"][0]["name"] == "gain_db");
    CHECK(gain["params"][0]["unit"] == "dB");
    CHECK(gain["params"][0]["min"] == -120.);
    CHECK(std::find(all.begin(), all.end(), gain) != all.end());
}

// ------------------------ info

TEST_CASE("info shows what a model file holds") {
    const Outcome outcome = gainstage_run("info models/opto-textbook.safetensors");
    INFO(outcome.out);
    CHECK(outcome.exit_code == 0);
    for (const std::string part :
         {"grey_box", "48000 Hz", "peak_reduction  0 .. 100", "detector.tau_s", "license"})
        CHECK(has(outcome.out, part));
    const Json json = Json::parse(gainstage_run("info --json models/opto-textbook.safetensors").out);
    CHECK(json["architecture"] == "grey_box");
    CHECK(json["sample_rate"] == 48'000.);
    CHECK(json["controls"][0]["name"] == "peak_reduction");
    CHECK(json["config"]["detector"] == "switching");
    CHECK(json["tensors"].size() == 5);
}

TEST_CASE("info of what is no model exits with 65, of what is not there with 66") {
    CHECK(gainstage_run("info patches/hello.toml").exit_code == 65);
    CHECK(gainstage_run("info nowhere.safetensors").exit_code == 66);
    CHECK(has(gainstage_run("info nowhere.safetensors").err, "nowhere.safetensors"));
}

// ------------------------ devices

TEST_CASE("devices lists what a JACK server has, audio and MIDI") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    const Json json = Json::parse(gainstage_run("devices --json").out);
    const Json system = json["audio"][0];
    CHECK(system["api"] == "jack");
    CHECK(system["name"] == "system");
    CHECK(system["in_channels"] == 2);
    CHECK(system["rates_hz"] == Json{48'000});
    const Outcome text = gainstage_run("devices");
    CHECK(text.exit_code == 0);
    CHECK(has(text.out, "jack  system        2   2    48000"));
}

TEST_CASE("devices without any device is no error: it says what to do, and the list is empty") {
    setenv("JACK_DEFAULT_SERVER", "gainstage-test-nobody", 1);
    const Outcome outcome = gainstage_run("devices --json");
    unsetenv("JACK_DEFAULT_SERVER");
    CHECK(outcome.exit_code == 0);
    const Json json = Json::parse(outcome.out);
    CHECK(json["audio"].is_array());
    CHECK(json["midi"].is_array());
    CHECK(outcome.err.empty());  // no noise from the libraries either
}

}  // namespace gainstage::test::cli_test
