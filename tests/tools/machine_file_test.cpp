/// The machine file: what it says counts where the command line says nothing.

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/words.hpp"
#include "tests/tools/cli.hpp"

namespace gainstage::test::machine_file_test {

using Json = nlohmann::json;

namespace {

/// $XDG_CONFIG_HOME is a folder of the test's for as long as it lives.
class Machine {
public:
    Machine() {
        std::filesystem::create_directory(folder_.path() / "gainstage");
        setenv("XDG_CONFIG_HOME", folder_.path().c_str(), 1);
    }
    ~Machine() { unsetenv("XDG_CONFIG_HOME"); }
    std::string says(const std::string& text) const { return folder_.write("gainstage/machine.toml", text); }

private:
    const TemporaryFolder folder_;
};

Json check(const std::string& arguments) {
    const Outcome told = gainstage_run("check patches/hello.toml --json " + arguments);
    INFO(told.err);
    REQUIRE(told.exit_code == 0);
    return Json::parse(told.out)[0];
}

}  // namespace

TEST_CASE(
    "rate and block of the machine file count, the command line wins key by key, and check says where from") {
    const Machine machine;
    const std::string file = machine.says("rate = 44100\nblock = 96\n");
    CHECK(check("")["rate_hz"] == 44'100.);
    CHECK(check("")["machine_file"] == file);
    CHECK(check("")["latency_ms"]["period"].get<double>() == Approx(96. / 44.1));
    CHECK(check("--rate 48000")["rate_hz"] == 48'000.);
    CHECK(check("--rate 48000")["latency_ms"]["period"].get<double>() == Approx(96. / 48.));
    CHECK_FALSE(check("--rate 48000 --block 64").contains("machine_file"));
    const Outcome told = gainstage_run("check patches/hello.toml --rate 48000");
    CHECK(told.exit_code == 0);
    CHECK(has(told.err, "blocks of 96 frames from " + file + ", unless the command line says otherwise."));
}

TEST_CASE("run takes rate, block and ports of the machine file, and the command line wins") {
    const Machine machine;
    machine.says("rate = 44100\nblock = 96\nmidi = [\"no such port anywhere\"]\n");
    Outcome told = gainstage_run("run patches/hello.toml --null --seconds 0.2");
    CHECK(told.exit_code == 69);
    CHECK(has(told.err, "no such port anywhere"));
    CHECK(has(told.err, "machine.toml says: "));
    machine.says("rate = 44100\nblock = 96\n");
    told = gainstage_run("run patches/hello.toml --null --seconds 0.2");
    CHECK(told.exit_code == 0);
    CHECK(has(told.err, "44100 Hz, 96 frames"));
    told = gainstage_run("run patches/hello.toml --null --seconds 0.2 --block 64");
    CHECK(has(told.err, "44100 Hz, 64 frames"));
}

TEST_CASE("devices lists what run takes of the machine file") {
    const Machine machine;
    const std::string file = machine.says("device = \"USB\"\napi = \"jack\"\nmidi = [\"nano\", \"keys\"]\n");
    const Json told = Json::parse(gainstage_run("devices --json").out);
    CHECK(told["machine"] ==
          Json{{"file", file}, {"device", "USB"}, {"api", "jack"}, {"midi", {"nano", "keys"}}});
    CHECK(has(gainstage_run("devices").err,
              "run takes device \"USB\", API \"jack\", MIDI from \"nano\", MIDI from \"keys\" from " + file));
}

TEST_CASE(
    "a machine file that is wrong is named with line, column and remedy, and no key does nothing silently") {
    const Machine machine;
    const struct {
        const char *text, *says;
    } cases[] = {
        {"devcie = \"USB\"\n",
         "machine.toml:1:1: devcie: unknown key; did you mean \"device\"? (keys: device, api, "
         "rate, block, midi)"},
        {"rate = 44100\n\nblock = 0\n",
         "machine.toml:3:1: block: 0 is out of range; expected a whole number"},
        {"rate = \"44100\"\n", "machine.toml:1:1: rate: a text; expected a whole number"},
        {"device = 3\n", "expected a text in quotation marks"},
        {"device = \"\"\n", "an empty name"},
        {"midi = [\"a\", 3]\n", "expected a list of names of ports"},
        {"rate = \n", "machine.toml:1:"},
        {"budget_percent = 80\n",
         "budget_percent: this version of Gainstage does nothing with it; take it out"},
        {"interface_dbu = 18.0\n", "does nothing with it"},
        {"model_folders = [\"x\"]\n", "does nothing with it"},
        {"[channels]\nin.voice = 1\n", "channels: this version of Gainstage does nothing with it"},
    };
    for (const auto& one : cases) {
        machine.says(one.text);
        for (const char* const command :
             {"check patches/hello.toml", "run patches/hello.toml --null --seconds 0.1"}) {
            const Outcome told = gainstage_run(command);
            INFO(one.text << command << told.err);
            CHECK(told.exit_code == 65);
            CHECK(has(told.err, one.says));
        }
    }
    machine.says("");
    CHECK(gainstage_run("check patches/hello.toml").exit_code == 0);
}

TEST_CASE("without a machine file nothing is said of it") {
    const Machine machine;
    CHECK_FALSE(check("").contains("machine_file"));
    CHECK_FALSE(Json::parse(gainstage_run("devices --json").out).contains("machine"));
    CHECK_FALSE(has(gainstage_run("check patches/hello.toml").err, "machine.toml"));
}

}  // namespace gainstage::test::machine_file_test
