/// Names and texts of strangers in every kind of message: no byte of them steers a terminal or begins a line.

#include <sys/stat.h>

#include <filesystem>

#include "runtime/io/sound_file.hpp"
#include "tests/stage/program.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::hostile_names_test {

namespace fs = std::filesystem;

namespace {

/// OSC, BEL, line ends, tab, DEL, C1, all marks of direction, and a byte that isn't UTF-8.
const std::string hostile =
    "n\x1b]0;owned\a\r\nFORGED line\n\t\x7f\xc2\x80\xc2\x9b"
    "31m\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8"
    "\xe2\x81\xa9\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c\xe9";

/// The same as a string of TOML, where a text must be UTF-8.
std::string toml_text() {
    std::string text = "\"";
    for (const char c : hostile.substr(0, hostile.size() - 1)) {
        const auto byte = static_cast<unsigned char>(c);
        text += byte < 0x20 || byte == 0x7f ? fmt::format("\\u{:04x}", byte) : std::string(1, c);
    }
    return text + "\"";
}

/// What a terminal would obey, or a line that isn't ours; empty: nothing.
std::string stray(const std::string& text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = [&](std::size_t k) {
            return at + k < text.size() ? static_cast<unsigned char>(text[at + k]) : 0u;
        };
        const unsigned lead = byte(0);
        const std::string where = fmt::format("byte {:#04x} at {}: ...{}", lead, at, text.substr(at, 40));
        if ((lead < 0x20 && lead != '\n') || lead == 0x7f) return "control, " + where;
        if (lead < 0x80) continue;
        const unsigned size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
        if (size == 0) return "no UTF-8, " + where;
        unsigned code = lead & (0xffu >> (size + 1));
        for (unsigned k = 1; k < size; ++k) {
            if ((byte(k) & 0xc0u) != 0x80u) return "no UTF-8, " + where;
            code = code << 6 | (byte(k) & 0x3fu);
        }
        if (code < 0xa0 || code == 0x61c || code == 0x200e || code == 0x200f ||
            (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069))
            return "steers, " + where;
        at += size - 1;
    }
    return text.starts_with("FORGED") || text.find("\nFORGED") != std::string::npos ? "a forged line" : "";
}

/// A folder of a hostile name, with good and bad files of hostile names and texts.
class Stage {
public:
    Stage() {
        fs::create_directories(place_);
        ModelFile parts = model_parts(source_dir() + "/models/opto-textbook.safetensors");
        save(folder_, hostile + "/good.safetensors", parts);
        const std::string text = hostile.substr(0, hostile.size() - 1);
        for (const char* key : {"author", "license", "source", "training", "x"}) parts.metadata[key] = text;
        parts.metadata[text] = text;
        save(folder_, hostile + "/told.safetensors", parts);
        ModelFile other = parts;
        other.metadata["architecture"] = text;
        save(folder_, hostile + "/architecture.safetensors", other);
        other = parts;
        configure(other, "mlp_activation", text);
        save(folder_, hostile + "/config.safetensors", other);
        other = parts;
        other.metadata["controls"] = "[{\"name\": " + json_text(text) + ", \"unit\": " + json_text(text) +
                                     ", \"min\": 0, \"max\": 1, \"default\": 0, \"to_model\": {\"scale\": 1, "
                                     "\"offset\": 0}}]";
        save(folder_, hostile + "/controls.safetensors", other);
        other = parts;
        other.tensors[0].name = text;
        save(folder_, hostile + "/tensor.safetensors", other);
        write("song.toml", patch(R"("in -> box -> out")", grey_box("box", "good.safetensors")));
        write("bad.toml", bad_patch());
        write("syntax.toml", "format = 1\nx = " + hostile);
        write("node.toml", patch("\"in -> out\"", "[nodes." + toml_text() + "]\ntype = \"gain\"\n"));
        write("name.toml", patch("\"in -> out\"", "", "name = " + toml_text() + "\n"));
        write("moves.csv", "0," + hostile + ",1\n" + hostile + "\n");
        write("song.mid", hostile);
        write("song.log", "{\"gainstage_log\":1,\"sample_rate_hz\":48000}\n" + hostile);
        write("noise.wav", hostile);
        const Channel sound(4'800, 0.1f);
        const float* const channel = sound.data();
        SoundWriter writer(file("in" + hostile + ".wav"), 1, 48'000);
        writer.write(&channel, 4'800);
        writer.finish();
    }

    std::string file(const std::string& name) const { return place_ + "/" + name; }

private:
    void write(const std::string& name, const std::string& content) const {
        folder_.write(hostile + "/" + name, content);
    }

    /// A hostile text in every place of a patch.
    static std::string bad_patch() {
        const std::string text = toml_text();
        std::string all =
            "format = 1\n" + text + " = 1\nlinks = [" + text + ", \"in -> out." +
            text.substr(1, text.size() - 2) + "\"]\n[nodes.in]\ntype = \"input\"\nchannels = [" + text +
            "]\n[nodes.a]\ntype = " + text + "\n[nodes.b]\ntype = \"gain\"\n" + text +
            " = 1\ngain_db = " + text + "\n[nodes.c]\ntype = \"grey_box\"\nmodel = " + text + "\n";
        int n = 0;
        for (const char* model : {"told", "architecture", "config", "controls", "tensor"})
            all += fmt::format("[nodes.m{}]\ntype = \"grey_box\"\nmodel = \"{}.safetensors\"\n", ++n, model);
        return all + "[[midi]]\ncc = " + text + "\nto = " + text + "\n";
    }

    const TemporaryFolder folder_;
    const std::string place_ = folder_.file(hostile);
};

}  // namespace

TEST_CASE("no name and no text of a stranger steers a terminal or forges a line, in any kind of message") {
    const Stage stage;
    const auto file = [&](const std::string& name) { return stage.file(name); };
    const std::string song = file("song.toml"), in = file("in" + hostile + ".wav"),
                      hello = source_dir() + "/patches/hello.toml";
    const std::vector<std::string> run{"run", song, "--null", "--seconds", "0.1"};
    const auto running = [&](const std::vector<std::string>& more) {
        std::vector<std::string> words = run;
        words.insert(words.end(), more.begin(), more.end());
        return words;
    };
    std::vector<std::vector<std::string>> trials{
        {hostile},
        {"--" + hostile},
        {"run", hello, "--" + hostile},
        {"run", hello, "--rate", hostile},
        {"run", hello, "--name", hostile + hostile},
        {"run", hello, "--api", hostile},
        {"run", hello, "--device", hostile},
        {"run", hello, "--null", "--midi", hostile},
        {"run", file("bad.toml"), "--null"},
        {"run", file("none" + hostile), "--null"},
        {"run", file("name.toml"), "--null", "--seconds", "0.1"},
        run,
        running({"--log", file("none/" + hostile)}),
        running({"--record", file("none/" + hostile)}),
        running({"--log", song}),
        running({"--log", file("take" + hostile + ".log"), "--record", file("take" + hostile + ".wav")}),
        running({"--log", file("take" + hostile + ".log"), "--record", file("take" + hostile + ".wav")}),
        {"nodes", hostile},
        {"bench", file("bad.toml")},
        {"bench", file("none" + hostile)},
        {"bench", song, "--seconds", "0.1"},
        {"render", song, in, "-o", file("out" + hostile + ".wav")},
        {"render", song, in, "-o", file("out" + hostile + ".mp3")},
        {"render", song, in, "-o", file("none/" + hostile)},
        {"render", song, in, "-o", in},
        {"render", song, in, in, "-o", file("folder" + hostile)},
        {"render", song, in, in, "-o", song},
        {"render", song, file("none" + hostile), "-o", file("out.wav")},
        {"render", song, file("noise.wav"), "-o", file("out.wav")},
        {"render", file("bad.toml"), in, "-o", file("out.wav")},
        {"render", song, in, "-o", file("out.wav"), "--automate", file("moves.csv")},
        {"render", song, in, "-o", file("out.wav"), "--automate", file("none" + hostile)},
        {"render", song, in, "-o", file("out.wav"), "--midi", file("song.mid")},
        {"render", song, in, "-o", file("out.wav"), "--events", file("song.log")},
        {"render", song, file("take" + hostile + ".wav"), "-o", file("again.wav"), "--events",
         file("take" + hostile + ".log")}};
    for (const char* name : {"song", "bad", "syntax", "node", "name"})
        trials.push_back({"check", file(std::string(name) + ".toml"), file("none" + hostile)});
    for (const char* name : {"good", "told", "architecture", "config", "controls", "tensor", "none"})
        trials.push_back({"info", file(std::string(name) + ".safetensors")});
    int told = 0;
    for (std::vector<std::string>& words : trials) {
        const bool has_json = words[0] == "check" || words[0] == "info" || words[0] == "run" ||
                              words[0] == "render" || words[0] == "bench";
        for (int form = 0; form < (has_json ? 2 : 1); ++form) {
            if (form == 1) words.emplace_back("--json");
            Program program(words);
            const int status = program.wait();
            std::string command;
            for (const std::string& word : words) command += word + " ";
            INFO(command << "\n" << program.words());
            CHECK(status >= 0);
            CHECK(stray(program.standard_output()) == "");
            CHECK(stray(program.standard_error()) == "");
            told += program.words().find("owned") != std::string::npos;
        }
    }
    CHECK(told > 50);  // the names are in the messages
}

TEST_CASE("the test above finds what it looks for") {
    for (const char* text : {"\x1b", "a\tb", "a\r", "\x7f", "\xc2\x9b", "\xe2\x80\xae", "\xd8\x9c", "\xe9",
                             "FORGED", "a\nFORGED"})
        CHECK(stray(text) != "");
    CHECK(stray("K\xc3\xbcrbis\nis \xe2\x96\x81 good\n") == "");
}

}  // namespace gainstage::test::hostile_names_test
