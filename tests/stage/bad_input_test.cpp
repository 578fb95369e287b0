/// Files that are no patches or models, given to a stream that plays. Each is reported once and clearly, and
/// nothing is heard of it.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/stage/program.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::bad_input_test {

namespace fs = std::filesystem;

namespace {

struct BadFile {
    std::string what;
    std::string content;
    std::string says;          ///< part of its one report
    std::uintmax_t bytes = 0;  ///< > 0: the file gets this size
};

std::string text_of(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string utf16(const std::string& text) {
    std::string wide = "\xff\xfe";
    for (const char letter : text) wide += {letter, '\0'};
    return wide;
}

std::string repeated(const std::string& text, int times) {
    std::string all;
    for (int k = 0; k < times; ++k) all += text;
    return all;
}

std::vector<BadFile> bad_patches(const std::string& good) {
    const std::string deep = repeated("[", 100'000);
    return {{"truncated", good.substr(0, good.find("-> out")), "song.toml:2:"},
            {"empty", "", "the file is empty"},
            {"binary",
             std::string("\x7f"
                         "ELF\2\1\1\0\0\0\0\0",
                         12),
             "a binary file"},
            {"100 MB long", good, "larger than 4 MiB; that is no patch", 100'000'000},
            {"deeply nested", "format = 1\nx = " + deep, "song.toml:2:29: nested too deeply"},
            {"UTF-16", utf16(good), "UTF-16 text; save the file as UTF-8"},
            {"Latin-1", "# \xe9l\xe9gie\n" + good, "not UTF-8 text; save the file as UTF-8"},
            {"of another program", "{\"patch\": 1}", "song.toml:1:1: not valid TOML"}};
}

ModelFile with(ModelFile parts, const std::string& tensor, const std::function<void(Tensor&)>& change) {
    change(tensor_of(parts, tensor));
    return parts;
}

std::string overlapping(const ModelFile& parts) {
    nlohmann::json header = parts.header();
    header["overlap"] = header.at("makeup.gain");
    return text_of(safetensors(header.dump(), parts.data()));
}

std::vector<BadFile> bad_models(const ModelFile& parts) {
    const std::string good = text_of(parts.bytes());
    std::string boundless = good;
    boundless.replace(0, 8, std::string("\0\0\0\0\0\1\0\0", 8));  // a terabyte of header
    const auto not_a_number = [](Tensor& tensor) { tensor.data[0] = std::nanf(""); };
    const auto longer = [](Tensor& tensor) {
        tensor.shape = {2};
        tensor.data.resize(2);
    };
    return {{"truncated in its header", good.substr(0, 700), "the file is cut short"},
            {"truncated in its weights", good.substr(0, good.size() - 4), "the file is cut short or damaged"},
            {"empty", "", "is empty; is it still being written?"},
            {"text", "weights, honestly\n", "text; expected a model (.safetensors)"},
            {"with an oversized header", boundless, "its header claims 1099511627776 bytes; at most"},
            {"with overlapping tensors", overlapping(parts), "its data overlaps that of another tensor"},
            {"carrying NaN", text_of(with(parts, "makeup.gain", not_a_number).bytes()),
             "tensor \"makeup.gain\": element 0 of 1 is nan; weights must be finite"},
            {"of a wrong shape", text_of(with(parts, "makeup.gain", longer).bytes()), "makeup.gain"},
            {"of 100 MB without a header", std::string(16, '\0'), "header", 100'000'000}};
}

/// A song and its model on disk, both good until a test spoils them.
class Song {
public:
    Song() {
        save(folder_, "box.safetensors", parts_);
        patch_ = patch(R"("in -> box -> out")", grey_box("box", model(), "peak_reduction = 70.0"));
        folder_.write("song.toml", patch_);
    }
    std::string file() const { return folder_.file("song.toml"); }
    std::string model() const { return folder_.file("box.safetensors"); }
    const std::string& text() const { return patch_; }
    const TemporaryFolder& folder() const { return folder_; }

    struct Mishap {
        std::string file;
        BadFile bad;
    };
    std::vector<Mishap> mishaps() const {
        std::vector<Mishap> all;
        for (const BadFile& bad : bad_patches(patch_)) all.push_back({file(), bad});
        for (const BadFile& bad : bad_models(parts_)) all.push_back({model(), bad});
        return all;
    }
    /// Replaces the file at once, as editors do that rename.
    void spoil(const Mishap& mishap) const { put(mishap.file, mishap.bad.content, mishap.bad.bytes); }
    void mend(const Mishap& mishap) const {
        put(mishap.file, mishap.file == file() ? patch_ : text_of(parts_.bytes()), 0);
    }

private:
    void put(const std::string& file, const std::string& content, std::uintmax_t bytes) const {
        const std::string beside = folder_.write("new", content);
        if (bytes > 0) fs::resize_file(beside, bytes);
        fs::rename(beside, file);
    }

    const TemporaryFolder folder_;
    const ModelFile parts_ = model_parts(source_dir() + "/models/opto-textbook.safetensors");
    std::string patch_;
};

/// Does what a rehearsal does after a file has changed; returns what it then reports.
std::vector<std::string> reload(EngineRig& rig, const std::string& file) {
    std::vector<std::string> said;
    rig.loader().forget("");
    Resolved resolved = rig.loader().load(file);
    for (const Problem& problem : resolved.problems) said.push_back(problem.text());
    if (!resolved.graph) return said;
    const std::size_t before = rig.news().size();
    rig.engine().play(std::move(*resolved.graph));
    rig.engine().tick();
    for (std::size_t k = before; k < rig.news().size(); ++k)
        if (rig.news()[k].kind == EngineNews::Kind::failed) said.push_back(rig.news()[k].text);
    return said;
}

/// All refusals of a live rehearsal, from reading the files and from building what they describe.
std::vector<std::string> refusals(const Program& live) {
    std::vector<std::string> texts;
    for (const char* kind : {"problem", "failed"})
        for (const auto& event : live.events(kind)) texts.push_back(event.at("text"));
    return texts;
}

int lines(const std::string& text) {
    return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("a bad file changes no bit of what sounds, and is reported once with its name and cause") {
    const Song song;
    const std::vector<Song::Mishap> mishaps = song.mishaps();
    constexpr int apart = 2'400;
    const int length = (static_cast<int>(mishaps.size()) + 2) * apart;
    const Sound input = mono(programme(length));
    EngineRig undisturbed(song.text()), disturbed(song.text());
    for (std::size_t k = 0; k < mishaps.size(); ++k)
        disturbed.at((k + 1) * apart, [&song, mishap = mishaps[k]](EngineRig& rig) {
            INFO(mishap.file << " " << mishap.bad.what);
            song.spoil(mishap);
            const std::vector<std::string> said = reload(rig, song.file());
            song.mend(mishap);
            REQUIRE(said.size() == 1);
            INFO(said[0]);
            CHECK(has(said[0], mishap.file));
            CHECK(has(said[0], mishap.bad.says));
            CHECK(said[0].size() < 400);
        });
    disturbed.at((mishaps.size() + 1) * apart, [&song](EngineRig& rig) {
        CHECK(reload(rig, song.file()).empty());  // good again
    });
    CHECK(bit_difference(disturbed.run(input), undisturbed.run(input)) == "");
    CHECK(disturbed.engine().counts().swaps + disturbed.engine().counts().edits == 0);
    CHECK(disturbed.count(EngineNews::Kind::unchanged) == 1);
}

TEST_CASE("check prints one line about a bad file, and exits with 65; with 66 if it is missing") {
    const Song song;
    const auto verdict = [&](const std::string& says) {
        Program check({"check", song.file()});
        const int status = check.wait();
        INFO(check.words());
        CHECK(check.standard_output().empty());
        CHECK(lines(check.standard_error()) == 1);
        CHECK(has(check.standard_error(), says));
        return status;
    };
    for (const Song::Mishap& mishap : song.mishaps()) {
        INFO(mishap.file << " " << mishap.bad.what);
        song.spoil(mishap);
        CHECK(verdict(mishap.bad.says) == 65);
        song.mend(mishap);
    }
    fs::remove(song.model());
    CHECK(verdict("box.safetensors: no such file") == 66);
    fs::remove(song.file());
    CHECK(verdict("song.toml: no such file") == 66);
}

TEST_CASE("a rehearsal reports each bad file once and plays on, and takes the good one again") {
    const Song song;
    Program live({"run", song.file(), "--null", "--json", "--rehearse"});
    REQUIRE(live.tells("playing"));
    std::size_t mishaps = 0;
    for (const Song::Mishap& mishap : song.mishaps()) {
        INFO(mishap.file << " " << mishap.bad.what);
        const std::vector<std::string> before = refusals(live);
        song.spoil(mishap);
        const auto end = std::chrono::steady_clock::now() + patience;
        while (refusals(live).size() == before.size() && std::chrono::steady_clock::now() < end)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        song.mend(mishap);
        REQUIRE(live.tells("unchanged", ++mishaps));
        std::vector<std::string> said = refusals(live);
        REQUIRE(said.size() == mishaps);
        for (const std::string& text : before) said.erase(std::find(said.begin(), said.end(), text));
        REQUIRE(said.size() == 1);
        CHECK(has(said[0], mishap.file));
        CHECK(has(said[0], mishap.bad.says));
    }
    live.signal(SIGINT);
    CHECK(live.wait() == 0);
    const auto summary = live.events("summary").at(0);
    CHECK(summary.at("swaps") == 0);
    CHECK(summary.at("edits") == 0);
    CHECK(summary.at("quarantines") == 0);
    CHECK(summary.at("device_lost") == false);
}

TEST_CASE("a byte order mark before a patch is no error") {
    const Song song;
    song.folder().write("song.toml", "\xef\xbb\xbf" + song.text());
    Program check({"check", song.file()});
    CHECK(check.wait() == 0);
}

TEST_CASE("of ten thousand errors in a file the first ten are printed, and a hundred are in the JSON") {
    const TemporaryFolder folder;
    std::string text = "format = 1\nlinks = []\n";
    for (int k = 0; k < 10'000; ++k) text += "key_" + std::to_string(k) + " = 1\n";
    Program check({"check", folder.write("song.toml", text)});
    CHECK(check.wait() == 65);
    const std::string said = check.standard_error();
    CHECK(lines(said) == 11);
    CHECK(has(said, "song.toml:3:1: key_0: unknown key"));
    CHECK_FALSE(has(said, "key_5000"));
    CHECK(has(said, "song.toml: and many more; gainstage check --json lists them"));
    Program json({"check", "--json", folder.file("song.toml")});
    CHECK(json.wait() == 65);
    const auto problems = nlohmann::json::parse(json.standard_output())[0]["problems"];
    CHECK(problems.size() == 101);
    CHECK(has(problems.dump(), "\"and 99"));
}

}  // namespace gainstage::test::bad_input_test
