/// What `run` and `render` do to files: nothing of the user's is lost, whatever names are given.

#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "runtime/io/sound_file.hpp"
#include "tests/stage/program.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::files_test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

const std::string hello = source_dir() + "/patches/hello.toml";

std::string write_noise(const std::string& file, std::uint32_t seed = 1, float gain = 0.1f) {
    Channel noise = white_noise(4'800, seed);
    for (float& sample : noise) sample *= gain;
    const float* const channel = noise.data();
    SoundWriter writer(file, 1, 48'000);
    writer.write(&channel, 4'800);
    writer.finish();
    return file;
}

std::string notes_of(const Program& program) {
    std::string all;
    for (const auto& note : program.events("note")) all += note.at("text").get<std::string>() + "\n";
    return all;
}

/// `run` without hardware.
std::vector<std::string> run_hello(const std::vector<std::string>& more) {
    std::vector<std::string> words{"run", hello, "--null", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

}  // namespace

TEST_CASE("render refuses an output that is one of its inputs, before anything is written") {
    const TemporaryFolder folder;
    fs::create_directory(folder.path() / "takes");
    const std::string a = write_noise(folder.file("takes/a.wav")),
                      b = write_noise(folder.file("takes/b.wav"), 2);
    const std::string patch = folder.file("p.toml"), csv = folder.write("moves.csv", "0,even.ratio,2\n");
    fs::copy(hello, patch);
    const std::string model = folder.file("m.safetensors");
    fs::copy(source_dir() + "/models/opto-textbook.safetensors", model);
    const std::string with_model =
        folder.write("model.toml", test::patch(R"("in -> box -> out")", grey_box("box", "m.safetensors")));
    fs::create_symlink("takes", folder.path() / "link");
    fs::create_hard_link(a, folder.path() / "hard.wav");
    const std::string before = folder.read("takes/a.wav"), model_before = folder.read("m.safetensors");
    const std::vector<std::vector<std::string>> wrong = {
        {"render", patch, a, b, "-o", folder.file("takes")},
        {"render", patch, a, b, "-o", folder.file("link")},
        {"render", patch, a, "-o", a},
        {"render", patch, a, "-o", folder.file("hard.wav")},
        {"render", patch, a, "-o", folder.file("link/a.wav")},
        {"render", patch, a, "-o", patch},
        {"render", patch, a, "-o", csv, "--automate", csv},
        {"render", with_model, a, "-o", model},
    };
    const int entries = folder.size();
    for (const auto& words : wrong) {
        Program render(words);
        CHECK(render.wait() == 73);
        INFO(words.back() << ": " << render.words());
        CHECK(has(render.standard_error(), "it is read as well, as "));
    }
    CHECK(folder.read("takes/a.wav") == before);
    CHECK(folder.read("m.safetensors") == model_before);
    CHECK(folder.size() == entries);
}

TEST_CASE("render refuses to write onto the patch or a model of the take that it repeats") {
    const TemporaryFolder folder;
    const std::string model = folder.file("m.safetensors");
    fs::copy(source_dir() + "/models/opto-textbook.safetensors", model);
    const std::string patch =
        folder.write("model.toml", test::patch(R"("in -> box -> out")", grey_box("box", "m.safetensors")));
    const std::string log = folder.file("take.log"), in = folder.file("take.wav");
    Program live({"run", patch, "--null", "--seconds", "0.3", "--log", log, "--record", in});
    REQUIRE(live.wait() == 0);
    const std::string model_before = folder.read("m.safetensors"), patch_before = folder.read("model.toml");
    for (const std::string& out : {model, patch}) {
        Program render({"render", hello, in, "--events", log, "-o", out});
        CHECK(render.wait() == 73);
        CHECK(has(render.standard_error(), "it is read as well, as "));
    }
    CHECK(folder.read("m.safetensors") == model_before);
    CHECK(folder.read("model.toml") == patch_before);
}

TEST_CASE("render writes FLAC where the name says so, and refuses names of what it can't write") {
    const TemporaryFolder folder;
    const std::string in = write_noise(folder.file("in.wav"));
    run_to_end({"render", hello, in, "-o", folder.file("out.wav")});
    run_to_end({"render", hello, in, "-o", folder.file("out.flac")});
    CHECK(folder.read("out.flac").substr(0, 4) == "fLaC");
    const Sound wav = read_sound_file(folder.file("out.wav")).channels;
    const Sound flac = read_sound_file(folder.file("out.flac")).channels;
    REQUIRE(flac.size() == wav.size());
    REQUIRE(flac[0].size() == wav[0].size());
    float farthest = 0.f;
    for (std::size_t k = 0; k < wav[0].size(); ++k)
        farthest = std::max(farthest, std::abs(wav[0][k] - flac[0][k]));
    CHECK(farthest <= 1.f / (1 << 23));
    Program mp3({"render", hello, in, "-o", folder.file("out.mp3")});
    CHECK(mp3.wait() == 73);
    CHECK(has(mp3.standard_error(), "out.mp3: files of this format can't be written; name it .wav or .flac"));
}

TEST_CASE("render writes through a link to a file that isn't there yet") {
    const TemporaryFolder folder;
    const std::string in = write_noise(folder.file("in.wav"));
    fs::create_symlink("monday.wav", folder.path() / "latest.wav");
    run_to_end({"render", hello, in, "-o", folder.file("latest.wav")});
    CHECK(fs::is_symlink(folder.path() / "latest.wav"));
    CHECK(read_sound_file(folder.file("monday.wav")).channels[0].size() == 4'800);
}

TEST_CASE("run gives a take a number where an earlier one has its name, and replaces it if it is told to") {
    const TemporaryFolder folder;
    folder.write("take.wav", "the sound of last night");
    folder.write("take.log", "the moves of last night");
    const std::vector<std::string> words = run_hello(
        {"--seconds", "0.2", "--record", folder.file("take.wav"), "--log", folder.file("take.log")});
    {
        Program live(words);
        REQUIRE(live.wait() == 0);
        INFO(live.words());
        CHECK(has(notes_of(live),
                  "this one is " + folder.file("take-2.wav") + " and " + folder.file("take-2.log")));
    }
    CHECK(folder.read("take.wav") == "the sound of last night");
    CHECK(folder.read("take.log") == "the moves of last night");
    run_to_end({"render", hello, folder.file("take-2.wav"), "--events", folder.file("take-2.log"), "-o",
                folder.file("again.wav")});
    auto overwriting = words;
    overwriting.push_back("--overwrite");
    Program live(overwriting);
    REQUIRE(live.wait() == 0);
    INFO(live.words());
    CHECK(folder.read("take.wav").substr(0, 4) == "RIFF");
    CHECK(folder.read("take.log").substr(0, 17) == "{\"gainstage_log\":");
    CHECK_FALSE(fs::exists(folder.file("take-3.wav")));
}

TEST_CASE("a run that never plays touches nothing of an earlier take, and leaves nothing") {
    const TemporaryFolder folder;
    folder.write("take.wav", "the sound of last night");
    folder.write("take.log", "the moves of last night");
    auto words = run_hello({"--record", folder.file("take.wav"), "--log", folder.file("take.log"), "--midi",
                            "nanoKONTROL of nobody", "--overwrite"});
    Program live(words);
    CHECK(live.wait() == 69);
    INFO(live.words());
    CHECK(folder.read("take.wav") == "the sound of last night");
    CHECK(folder.read("take.log") == "the moves of last night");
    CHECK(folder.size() == 2);
}

TEST_CASE("a take whose program is killed lies under a name of its own, plays to its end, and is told of") {
    const TemporaryFolder folder;
    const std::vector<std::string> words =
        run_hello({"--record", folder.file("take.wav"), "--log", folder.file("take.log")});
    {
        Program live(words);
        REQUIRE(live.tells("status", 2));
        std::this_thread::sleep_for(500ms);
        live.signal(SIGKILL);
        REQUIRE(live.wait() == Program::killed);
    }
    const std::string left = folder.file("take.unfinished.wav");
    REQUIRE(fs::exists(left));
    const auto bytes = static_cast<double>(fs::file_size(left));
    const std::size_t frames = read_sound_file(left).channels[0].size();
    INFO(frames << " frames in " << bytes << " bytes");
    CHECK(frames >= 48'000);                                   // it played for a second and a half
    CHECK(bytes - 4. * static_cast<double>(frames) < 4'096.);  // to the end: the rest is the header
    run_to_end({"render", hello, left, "--events", folder.file("take.unfinished.log"), "-o",
                folder.file("again.wav")});
    CHECK(read_sound_file(folder.file("again.wav")).channels[0].size() == frames);
    auto next_words = words;
    next_words.insert(next_words.end(), {"--seconds", "0.1"});
    Program next(next_words);
    REQUIRE(next.wait() == 0);
    CHECK(has(notes_of(next), left + ": an earlier take that was never finished lies here"));
    CHECK(fs::exists(folder.file("take.wav")));
    CHECK(read_sound_file(left).channels[0].size() == frames);
}

TEST_CASE("a recording whose name is taken by a folder meanwhile is kept, and its place is told") {
    const TemporaryFolder folder;
    Program live(run_hello({"--record", folder.file("take.wav")}));
    REQUIRE(live.tells("status"));
    fs::create_directory(folder.path() / "take.wav");
    live.signal(SIGTERM);
    CHECK(live.wait() == 73);
    INFO(live.words());
    REQUIRE(live.events("problem").size() == 1);
    CHECK(has(live.events("problem")[0].at("text"),
              "what was made is kept as " + folder.file("take.unfinished.wav")));
    CHECK(read_sound_file(folder.file("take.unfinished.wav")).channels[0].size() > 1'000);
}

TEST_CASE("a take that somebody deletes while it grows is told of while it plays") {
    const TemporaryFolder folder;
    const std::string log = folder.file("take.log");
    const bool records = GENERATE(true, false);
    auto words = run_hello({"--log", log});
    if (records) words.insert(words.end(), {"--record", folder.file("take.wav")});
    Program live(words);
    REQUIRE(live.tells("status"));
    for (const char* growing : {"take.unfinished.log", "take.unfinished.wav"})
        fs::remove(folder.path() / growing);
    REQUIRE(live.tells("problem", records ? 2 : 1));
    INFO(live.words());
    CHECK(live.is_running());
    for (const auto& problem : live.events("problem"))
        CHECK(has(problem.at("text"), "somebody has deleted it while it grew"));
    live.signal(SIGTERM);
    CHECK(live.wait() == 73);
}

TEST_CASE("a patch behind links finds its models beside itself, then beside each link; a replay does too") {
    const TemporaryFolder folder;
    fs::create_directory(folder.path() / "songs");
    fs::create_directory(folder.path() / "set");
    fs::create_directory(folder.path() / "band");
    const std::string shipped = source_dir() + "/models/opto-textbook.safetensors";
    fs::copy(shipped, folder.file("songs/a.safetensors"));
    fs::copy(shipped, folder.file("band/b.safetensors"));
    fs::copy(shipped, folder.file("set/c.safetensors"));
    folder.write("songs/song.toml", patch(R"("in -> a -> b -> c -> out")",
                                          grey_box("a", "a.safetensors") + grey_box("b", "b.safetensors") +
                                              grey_box("c", "c.safetensors")));
    fs::create_symlink("../songs/song.toml", folder.path() / "band/opener.toml");
    fs::create_symlink(folder.path() / "band/opener.toml", folder.path() / "set/1.toml");
    const std::string song = folder.file("set/1.toml");
    run_to_end({"check", song});
    Program wrong({"check", folder.file("songs/song.toml")});  // b and c are beside links only
    CHECK(wrong.wait() == 66);

    Program live({"run", song, "--null", "--json", "--rehearse", "--record", folder.file("take.wav"), "--log",
                  folder.file("take.log")});
    REQUIRE(live.tells("playing"));
    // Now b is beside the patch too, where it is looked for first.
    fs::copy(source_dir() + "/models/bus-textbook.safetensors", folder.file("new"));
    fs::rename(folder.path() / "new", folder.path() / "songs/b.safetensors");
    CHECK(live.tells("playing", 2));
    live.signal(SIGTERM);
    CHECK(live.wait() == 0);
    INFO(live.words());
    run_to_end({"render", song, folder.file("take.wav"), "--events", folder.file("take.log"), "-o",
                folder.file("again.wav")});
}

}  // namespace gainstage::test::files_test
