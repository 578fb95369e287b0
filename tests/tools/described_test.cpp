/// The man page, the completions and an installation, held against what --help says.

#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "nodes/all_nodes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/places.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/words.hpp"
#include "tests/tools/cli.hpp"

namespace gainstage::test::described_test {

namespace fs = std::filesystem;
using Words = std::set<std::string>;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

/// The commands that --help lists.
Words commands() {
    Words found;
    bool is_list = false;
    for (const std::string& line : lines_of(gainstage_run("--help").out)) {
        if (is_list && line.empty()) break;
        if (is_list) found.insert(line.substr(2, line.find(' ', 2) - 2));
        if (line.rfind("Subcommands:", 0) == 0 || line.rfind("SUBCOMMANDS:", 0) == 0) is_list = true;
    }
    return found;
}

/// The options of "  -o,--output TEXT" and "  -o,     --output TEXT": CLI11 2.3 and 2.5 write them so.
Words options_in(const std::string& line) {
    Words found;
    std::istringstream stream(line);
    for (std::string word; stream >> word && word[0] == '-';) {
        std::istringstream names(word);
        for (std::string name; std::getline(names, name, ',');) found.insert(name);
    }
    return found;
}

/// The options that `COMMAND --help` lists.
Words options_of(const std::string& command) {
    Words found;
    for (const std::string& line : lines_of(gainstage_run(command + " --help").out))
        if (line.rfind("  ", 0) == 0 && line.find_first_not_of(' ') < 8) found.merge(options_in(line));
    return found;
}

/// The text without roff's requests for fonts.
std::string plain(std::string text) {
    for (const std::string mark : {"\\&", "\\fB", "\\fI", "\\fR"})
        for (std::size_t at; (at = text.find(mark)) != std::string::npos;) text.erase(at, mark.size());
    for (std::size_t at; (at = text.find("\\-")) != std::string::npos;) text.erase(at, 1);
    return text;
}

/// Of the man page: the options of each command.
std::map<std::string, Words> manual() {
    std::map<std::string, Words> found;
    std::string command;
    bool is_item = false;
    for (const std::string& line : lines_of(plain(gainstage_run("__manual").out))) {
        if (line.rfind(".SS ", 0) == 0) found[command = line.substr(4)];
        if (is_item) found[command].merge(options_in(line));
        is_item = line == ".TP";
    }
    return found;
}

/// What the program offers for the last word.
Words offers(const std::string& words) {
    Words found;
    const Outcome told = gainstage_run("__complete " + words);
    CHECK(told.exit_code == 0);
    const auto lines = lines_of(told.out);
    for (std::size_t k = 1; k < lines.size(); ++k) found.insert(lines[k].substr(0, lines[k].find('\t')));
    return found;
}

/// What bash offers once TAB is pressed at the end of this line.
Words offers_of_bash(const std::string& line) {
    const std::string script =
        scratch().write("complete.sh", "source tools/install/gainstage.bash\nCOMP_LINE=" + line +
                                           "\nCOMP_POINT=${#COMP_LINE}\n_gainstage " + program_path() +
                                           "\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
    const Outcome outcome = run("bash", script);
    INFO(outcome.err);
    CHECK(outcome.err.empty());
    Words found;
    for (const std::string& reply : lines_of(outcome.out))
        if (!reply.empty()) found.insert(reply);
    return found;
}

/// The checkout's patches.
Words patches() {
    Words names;
    for (const auto& entry : fs::directory_iterator(source_dir() + "/patches"))
        if (entry.path().extension() == ".toml") names.insert(entry.path().stem().string());
    return names;
}

}  // namespace

TEST_CASE("the man page and the completions know every command and option of --help, and no other") {
    const auto pages = manual();
    REQUIRE(commands().size() >= 7);
    CHECK(offers("''") == commands());
    CHECK(pages.size() == commands().size());
    for (const std::string& command : commands()) {
        INFO(command);
        const Words options = options_of(command);
        REQUIRE(options.count("--help") == 1);
        REQUIRE(pages.count(command) == 1);
        CHECK(pages.at(command) == options);
        Words long_ones;
        for (const std::string& option : options)
            if (option.rfind("--", 0) == 0) long_ones.insert(option);
        CHECK(offers(command + " -") == long_ones);
    }
}

TEST_CASE("each argument is completed with what it takes") {
    const std::set<std::string> free_texts{"--name"}, of_the_patch{"--scene"};
    int asked = 0;
    for (const std::string& command : commands())
        for (const std::string& line : lines_of(gainstage_run(command + " --help").out)) {
            if (!has(line, " TEXT")) continue;
            std::string option;
            for (const std::string& name : options_in(line))
                if (name.rfind("--", 0) == 0) option = name;
            if (option.empty() || free_texts.count(option) || of_the_patch.count(option)) continue;
            // No device need be here; then nothing is offered for it.
            if (has(option, "device")) continue;
            INFO(command << " " << option);
            const Outcome told = gainstage_run("__complete " + command + " " + option + " ''");
            CHECK(told.exit_code == 0);
            CHECK(told.out.size() > 1);
            ++asked;
        }
    CHECK(asked > 0);
    CHECK(offers("run ''") == patches());
    CHECK(offers("check hello ''") == patches());  // takes several
    CHECK(offers("info hello ''").empty());        // takes one
    CHECK(offers("info opto-s4") == Words{"opto-s4d"});
    CHECK(offers("bench ech") == Words{"echo"});
    CHECK(offers("run --null --seconds 3 ech") == Words{"echo"});
    CHECK(offers("run hello --seconds ''").empty());
    CHECK(offers("run hello --midi virt") == Words{"virtual:"});
    CHECK(offers("render vocal in.wav --scene ''") == Words{"verse", "chorus", "talk"});
    CHECK(offers("render patches/vocal.toml --scene=t") == Words{"--scene=talk"});
    CHECK(offers("render hello --scene ''").empty());
    CHECK(offers("render --scene ''").empty());
    CHECK(offers("run --midi=virt") == Words{"--midi=virtual:"});
    Words types;
    for (const NodeType& type : all_nodes()) types.insert(type.name);
    CHECK(offers("nodes ''") == types);
    CHECK(offers("nodes compressor.thr") == Words{"compressor.threshold_db"});
    CHECK(offers("dance ''").empty());
}

TEST_CASE("bash completes names, files beside them, and words in quotes or with colons") {
    CHECK(offers_of_bash("'gainstage ru'") == Words{"run"});
    CHECK(offers_of_bash("'gainstage run hel'") == Words{"hello"});
    CHECK(offers_of_bash("'gainstage run \"hel'") == Words{"hello"});
    CHECK(offers_of_bash("'gainstage run patches/hel'") == Words{"patches/hello.toml"});
    CHECK(offers_of_bash("'gainstage info models/opto-s4'") == Words{"models/opto-s4d.safetensors"});
    CHECK(offers_of_bash("'gainstage run hello --midi=virt'") == Words{"virtual:"});
    CHECK(offers_of_bash("'gainstage run --device \"USB Audio\" --recor'") == Words{"--record"});
}

TEST_CASE("nodes shows one knob or option of a type, and names the nearest") {
    CHECK(has(gainstage_run("nodes compressor.ratio").out, "dB at the input for one dB more at the output"));
    CHECK(has(gainstage_run("nodes compressor.ratio --json").out, "\"name\": \"ratio\""));
    CHECK(has(gainstage_run("nodes saturate.shape").out, "tanh"));
    const Outcome outcome = gainstage_run("nodes compressor.treshold_db");
    CHECK(outcome.exit_code == 64);
    CHECK(has(outcome.err,
              "there is no knob or option of compressor \"treshold_db\"; did you mean \"threshold_db\"?"));
}

TEST_CASE("an installation has all its parts, and they name one another's places") {
    const TemporaryFolder folder;
    const std::string prefix = folder.path().string();
    const std::string build = fs::path(program_path()).parent_path().string();
    const Outcome installed = run("cmake", "--install " + build + " --prefix " + prefix);
    INFO(installed.err);
    REQUIRE(installed.exit_code == 0);
    for (const std::string part :
         {"bin/gainstage", "share/gainstage/patches/vocal.toml",
          "share/gainstage/models/opto-s4d.safetensors", "share/gainstage/models/opto-s4d.md",
          "share/bash-completion/completions/gainstage", "share/fish/vendor_completions.d/gainstage.fish",
          "share/man/man5/gainstage-patch.5"}) {
        INFO(part);
        CHECK(fs::is_regular_file(folder.path() / part));
    }
    const std::string page = folder.read("share/man/man1/gainstage.1");
    CHECK(has(page, prefix + "/share/gainstage/patches"));
    CHECK(has(page, ".SS \\&render"));
    CHECK_FALSE(has(page, "@data@"));
    if (std::system("command -v groff >/dev/null") == 0) {
        const Outcome formatted =
            run("groff", "-man -Tutf8 -ww -z " + prefix + "/share/man/man1/gainstage.1");
        CHECK(formatted.exit_code == 0);
        CHECK(formatted.err.empty());
    } else {
        std::cout << "skipped: formatting the man page needs groff\n";
    }
    int units = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
        if (entry.path().filename() != "gainstage@.service") continue;
        ++units;
        const std::string unit = folder.read(fs::relative(entry.path(), folder.path()).string());
        CHECK(has(unit, "ExecStart=\"" + prefix + "/bin/gainstage\" run %i "));
        // What a new start can't mend is what the program says is wrong with its orders or this machine.
        CHECK(has(unit, "RestartPreventExitStatus=64 65 66 73 78\n"));
        if (std::system("command -v systemd-analyze >/dev/null") != 0) {
            std::cout << "skipped: verifying the unit needs systemd-analyze\n";
            continue;
        }
        const Outcome verified = run("env XDG_RUNTIME_DIR=" + prefix + " systemd-analyze",
                                     "--user verify " + entry.path().string());
        CHECK_FALSE(has(verified.err, "gainstage@.service:"));  // a line of it that systemd doesn't take
    }
    CHECK(units == 1);
    const Outcome checked =
        run("env -C / " + prefix + "/bin/gainstage", "check --json vocal two-chains stereo-master");
    CHECK(checked.exit_code == 0);
    CHECK(has(checked.err, prefix + "/share/gainstage/patches/vocal.toml"));
}

}  // namespace gainstage::test::described_test
