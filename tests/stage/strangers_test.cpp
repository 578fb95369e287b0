/// Folders that others may write to, and files that are none.

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>

#include "runtime/io/sound_file.hpp"
#include "tests/stage/program.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/strangers.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::strangers_test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

/// A song with a model, a sound, and a folder where everybody may write.
class Place {
public:
    Place() {
        fs::copy_file(source_dir() + "/models/opto-textbook.safetensors", mine.file("box.safetensors"));
        mine.write("song.toml", patch(R"("in -> box -> out")", grey_box("box", "box.safetensors")));
        mine.write("precious", "old");
        const Channel sound(4'800, 0.1f);
        const float* const channel = sound.data();
        SoundWriter writer(mine.file("in.wav"), 1, 48'000);
        writer.write(&channel, 4'800);
        writer.finish();
        REQUIRE(chmod(shared.path().c_str(), 01777) == 0);
    }

    /// Another user's link.
    void plant(const fs::path& target, const std::string& name) const {
        plant_link(target, shared.path() / name);
    }

    std::vector<std::string> run(const std::vector<std::string>& more) const {
        std::vector<std::string> words{"run", mine.file("song.toml"), "--null", "--json", "--seconds",
                                       "0.1", "--overwrite"};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }
    std::vector<std::string> render(const std::vector<std::string>& more) const {
        std::vector<std::string> words{"render", mine.file("song.toml"), mine.file("in.wav")};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }

    const TemporaryFolder mine, shared;
};

mode_t mode_of(const std::string& file) {
    struct stat found {};
    REQUIRE(stat(file.c_str(), &found) == 0);
    return found.st_mode & 07777;
}

}  // namespace

TEST_CASE("no planted link leads a render, a recording, a log or a kept model elsewhere") {
    if (!can_play_strangers()) return;
    const Place place;
    const fs::path precious = place.mine.path() / "precious";
    for (const char* name : {"out.wav", "take.wav", "take.log"}) place.plant(precious, name);
    const auto is_refused = [&](const std::vector<std::string>& words) {
        Program program(words);
        const int status = program.wait();
        INFO(program.words());
        CHECK(status == 73);
        CHECK(
            has(program.standard_error(), "is a link that another user (65534) has put into a folder where"));
        CHECK(place.mine.read("precious") == "old");
    };
    is_refused(place.render({"-o", place.shared.file("out.wav")}));
    is_refused(place.run({"--record", place.shared.file("take.wav")}));
    is_refused(place.run({"--log", place.shared.file("take.log")}));
    SECTION("nor the folder of kept models") {
        fs::create_directory(place.mine.path() / "kept");
        place.plant(place.mine.path() / "kept", "other.log.files");
        Program program(place.run({"--log", place.shared.file("other.log")}));
        CHECK(program.wait() == 73);
        INFO(program.words());
        CHECK(fs::is_empty(place.mine.path() / "kept"));
    }
    SECTION("nor a folder of renders") {
        place.plant(place.mine.path(), "renders");
        is_refused(place.render({place.mine.file("in.wav"), "-o", place.shared.file("renders/new")}));
        CHECK_FALSE(fs::exists(place.mine.path() / "new"));
    }
    SECTION("nor a reader") {
        place.plant(place.mine.path() / "song.toml", "song.toml");
        Program program({"check", place.shared.file("song.toml")});
        CHECK(program.wait() == 66);
        CHECK(has(program.standard_error(), "song.toml is a link that another user"));
    }
}

TEST_CASE("a folder where others may replace files is told of once, and is used all the same") {
    const Place place;
    REQUIRE(chmod(place.shared.path().c_str(), 0777) == 0);
    Program program(place.run(
        {"--log", place.shared.file("take.log"), "--record", place.shared.file("take.wav"), "--overwrite"}));
    CHECK(program.wait() == 0);
    INFO(program.words());
    int notes = 0;
    for (const auto& note : program.events("note"))
        notes += has(note.at("text"), "other users may write to this folder");
    CHECK(notes == 1);
    Program render(place.render({"-o", place.shared.file("out.wav")}));
    CHECK(render.wait() == 0);
    CHECK(has(render.standard_error(), "other users may write to this folder"));
    REQUIRE(chmod(place.shared.path().c_str(), 01777) == 0);
    Program sticky(place.render({"-o", place.shared.file("out.wav")}));
    CHECK(sticky.wait() == 0);
    CHECK(sticky.standard_error() == "");
}

TEST_CASE("the models that a log keeps are nobody else's to read") {
    const Place place;
    Program program(place.run({"--log", place.mine.file("take.log")}));
    REQUIRE(program.wait() == 0);
    int kept = 0;
    for (const auto& model : fs::directory_iterator(place.mine.path() / "take.log.files")) {
        CHECK(mode_of(model.path().string()) == 0600);
        ++kept;
    }
    CHECK(kept == 1);
}

TEST_CASE("a pipe or a device where a file is meant is refused at once, whatever it is meant for") {
    const Place place;
    const std::string pipe = place.mine.file("pipe");
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    std::vector<std::vector<std::string>> trials{place.render({"-o", pipe}), place.run({"--log", pipe}),
                                                 place.run({"--record", pipe})};
    for (const std::string& thing : {pipe, std::string("/dev/zero")}) {
        for (const char* option : {"--events", "--midi", "--automate"})
            trials.push_back(place.render({"-o", place.mine.file("out.wav"), option, thing}));
        trials.push_back({"check", thing});
        trials.push_back({"info", thing});
        trials.push_back({"run", thing, "--null"});
        trials.push_back(
            {"check", place.mine.write("odd.toml", patch(R"("in -> box -> out")", grey_box("box", thing)))});
    }
    trials.push_back({"render", place.mine.file("song.toml"), "/dev/zero", "-o", place.mine.file("out.wav")});
    for (const std::vector<std::string>& words : trials) {
        std::string command;
        for (const std::string& word : words) command += word + " ";
        const auto begin = std::chrono::steady_clock::now();
        Program program(words);
        const int status = program.wait();
        INFO(command << "\n" << program.words());
        const bool is_refused = status == 65 || status == 66 || status == 73;
        CHECK(is_refused);
        CHECK_FALSE(program.words().empty());
        CHECK(std::chrono::steady_clock::now() - begin < 5s);
    }
    SECTION("a kept model that is a pipe, too") {
        Program take(
            place.run({"--log", place.mine.file("take.log"), "--record", place.mine.file("take.wav")}));
        REQUIRE(take.wait() == 0);
        for (const auto& model : fs::directory_iterator(place.mine.path() / "take.log.files")) {
            const std::string file = model.path().string();
            fs::remove(file);
            REQUIRE(mkfifo(file.c_str(), 0600) == 0);
        }
        Program again({"render", place.mine.file("song.toml"), place.mine.file("take.wav"), "-o",
                       place.mine.file("out.wav"), "--events", place.mine.file("take.log")});
        CHECK(again.wait() == 65);
        CHECK(has(again.standard_error(), "keep the folder"));
        // A new take of the same models can't write there, and says so.
        Program next(place.run({"--log", place.mine.file("take.log")}));
        CHECK(next.wait() == 73);
    }
}

}  // namespace gainstage::test::strangers_test
