/// Patches and models that come with the program, by name: from a build folder, from an installation, and
/// beside files of the player's own.

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/places.hpp"
#include "tests/support/sound_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/words.hpp"
#include "tests/tools/cli.hpp"

namespace gainstage::test::shipped_test {

namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

/// Runs the program in another folder than the checkout.
Outcome run_in(const TemporaryFolder& folder, const std::string& arguments,
               const std::string& program = program_path()) {
    return run("env -C " + folder.path().string() + " " + program, arguments);
}

const std::string own_patch = "format = 1\nname = \"My own\"\nlinks = [\"in -> out\"]\n" + in_and_out;

int times(const std::string& text, const std::string& part) {
    int count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

std::string name_of_checked(const Outcome& outcome) {
    return Json::parse(outcome.out).at(0).value("name", "");
}

}  // namespace

TEST_CASE(
    "every command takes shipped patches and models by name, with or without the ending, and says so once") {
    const TemporaryFolder folder;
    const std::string hello = fs::canonical(source_dir() + "/patches/hello.toml").string();
    const std::string model = fs::canonical(source_dir() + "/models/opto-textbook.safetensors").string();
    write_wav(folder.file("in.wav"), Sound(1, Channel(4'800)));
    struct Call {
        std::string arguments, said;
    };
    for (const Call& call :
         {Call{"check hello", "hello: this is " + hello},
          Call{"check hello.toml", "hello.toml: this is " + hello},
          Call{"run hello --null --seconds 0.1", "hello: this is " + hello},
          Call{"render hello in.wav -o out.wav", "hello: this is " + hello},
          Call{"bench hello --seconds 0.1", "hello: this is " + hello},
          Call{"bench opto-textbook --seconds 0.1", "opto-textbook: this is " + model},
          Call{"info opto-textbook --no-probe", "opto-textbook: this is " + model},
          Call{"info opto-textbook.safetensors --no-probe", "opto-textbook.safetensors: this is " + model}}) {
        const Outcome outcome = run_in(folder, call.arguments);
        INFO(call.arguments << ": " << outcome.err);
        CHECK(outcome.exit_code == 0);
        CHECK(times(outcome.err, ": this is ") == 1);
        CHECK(has(outcome.err, call.said + ", which comes with Gainstage (note)\n"));
    }
}

TEST_CASE("every shipped patch plays by its name from anywhere, with its models") {
    const TemporaryFolder folder;
    std::string names;
    for (const auto& entry : fs::directory_iterator(source_dir() + "/patches"))
        if (entry.path().extension() == ".toml") names += " " + entry.path().stem().string();
    const Outcome outcome = run_in(folder, "check" + names);
    INFO(outcome.err);
    CHECK(outcome.exit_code == 0);
}

TEST_CASE("a file that is here wins over a shipped one, and a folder of that name does not") {
    const TemporaryFolder folder;
    fs::create_directory(folder.path() / "hello");
    CHECK(name_of_checked(run_in(folder, "check --json hello")) == "Hello");
    folder.write("hello.toml", own_patch);
    const Outcome short_name = run_in(folder, "check --json hello");
    CHECK(name_of_checked(short_name) == "My own");
    CHECK(short_name.err == "hello: this is hello.toml in the present folder (note)\n");
    const Outcome whole_name = run_in(folder, "check --json hello.toml");
    CHECK(name_of_checked(whole_name) == "My own");
    CHECK(whole_name.err.empty());
    fs::remove(folder.path() / "hello");
    folder.write("hello", "no patch");
    CHECK(run_in(folder, "check hello").exit_code == 65);
}

TEST_CASE("a name with a folder, and a folder, stand for themselves") {
    const TemporaryFolder folder;
    CHECK(run_in(folder, "check ./hello.toml").exit_code == 66);
    CHECK(run_in(folder, "check songs/hello.toml").exit_code == 66);
    fs::create_directory(folder.path() / "songs");
    const Outcome outcome = run_in(folder, "check songs");
    CHECK(outcome.exit_code == 66);
    CHECK_FALSE(has(outcome.err, "comes with Gainstage"));
}

TEST_CASE("a name that nobody knows is answered with the nearest one, shipped or here") {
    const TemporaryFolder folder;
    folder.write("encore.toml", own_patch);
    struct Slip {
        const char *arguments, *answer;
    };
    for (const Slip& slip :
         {Slip{"check vocla",
               "vocla: there is no such file here, and no patch of this name comes with Gainstage; "
               "did you mean \"vocal\"? (known: "},
          Slip{"run --null ecnore.toml", "did you mean \"encore.toml\"?"},
          Slip{"render helo in.wav -o out.wav",
               "no patch of this name comes with Gainstage; did you mean \"hello\"?"},
          Slip{"info opto-s4", "no model of this name comes with Gainstage; did you mean \"opto-s4d\"?"},
          Slip{"bench opto-gur.safetensors",
               "no patch or model of this name comes with Gainstage; did you mean "
               "\"opto-gru.safetensors\"?"}}) {
        const Outcome outcome = run_in(folder, slip.arguments);
        INFO(slip.arguments << ": " << outcome.err);
        CHECK(outcome.exit_code == 66);
        CHECK(has(outcome.err, slip.answer));
    }
    CHECK(Json::parse(run_in(folder, "check --json vocla hello").out).at(1)["ok"] == true);
}

TEST_CASE("an installation that was moved as a whole finds its own patches and models") {
    const TemporaryFolder folder;
    const fs::path prefix = folder.path() / "opt";
    fs::create_directories(prefix / "bin");
    fs::copy(program_path(), prefix / "bin/gainstage");
    for (const std::string part : {"patches", "models"}) {
        fs::create_directories(prefix / "share/gainstage" / part);
        fs::copy(source_dir() + "/" + part, prefix / "share/gainstage" / part);
    }
    fs::create_directory(folder.path() / "bin");
    fs::create_symlink(prefix / "bin/gainstage", folder.path() / "bin/gainstage");
    for (const fs::path& program : {prefix / "bin/gainstage", folder.path() / "bin/gainstage"}) {
        const Outcome outcome = run_in(folder, "check vocal", program.string());
        INFO(outcome.err);
        CHECK(outcome.exit_code == 0);
        CHECK(has(outcome.err, (prefix / "share/gainstage/patches/vocal.toml").string()));
    }
}

}  // namespace gainstage::test::shipped_test
