#include "runtime/model/model.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/support/catch.hpp"
#include "tests/support/safetensors_writer.hpp"

namespace gainstage::test::model_test {

namespace {

/// The error of reading `bytes`; "" if there is none.
std::string complaint(const Bytes& bytes) {
    try {
        read_model_bytes(bytes, "test.safetensors");
        return "";
    } catch (const ModelError& error) {
        CHECK(error.exit_code == 65);
        CHECK(std::string(error.what()).rfind("test.safetensors: ", 0) == 0);
        return error.what();
    }
}

std::string complaint(const ModelFile& file) {
    return complaint(file.bytes());
}

/// The error of a good file with one metadata key changed.
std::string complaint_of(const std::string& key, const std::string& text) {
    ModelFile file;
    file.metadata[key] = text;
    return complaint(file);
}

/// The error of a good file whose header was changed.
std::string complaint_after(const std::function<void(nlohmann::json&)>& change) {
    const ModelFile file;
    nlohmann::json header = file.header();
    change(header);
    return complaint(safetensors(header.dump(), file.data()));
}

bool has(const std::string& text, const std::string& part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
    return text.find(part) != std::string::npos;
}

std::string knob(const std::string& changes) {
    nlohmann::json control = {{"name", "drive"}, {"unit", "dB"}, {"min", 0},
                              {"max", 10},       {"default", 5}, {"to_model", {{"scale", 1}, {"offset", 0}}}};
    control.merge_patch(nlohmann::json::parse(changes));
    return nlohmann::json::array({control}).dump();
}

/// A file for one test, removed at its end.
struct TemporaryFile {
    std::string path = (std::filesystem::temp_directory_path() /
                        ("gainstage-model-test-" + std::to_string(std::random_device{}()) + ".safetensors"))
                           .string();
    TemporaryFile() = default;
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() { std::filesystem::remove_all(path); }

    void write(const Bytes& bytes) const {
        std::ofstream(path, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
};

int exit_code_of(const std::string& path) {
    try {
        read_model_file(path);
        return 0;
    } catch (const ModelError& error) {
        return error.exit_code;
    }
}

}  // namespace

TEST_CASE("model: a good file arrives whole") {
    const auto model = ModelFile{}.read();
    CHECK(model->architecture == "grey_box");
    CHECK(model->sample_rate_hz == 44100.);
    REQUIRE(model->controls.size() == 1);
    CHECK(model->controls[0].name == "peak_reduction");
    CHECK(model->controls[0].max == 100.f);
    CHECK(model->controls[0].start == 50.f);
    CHECK(model->controls[0].scale == 0.02f);
    CHECK(model->controls[0].offset == -1.f);
    CHECK(model->receptive_field == 12);
    CHECK(model->memory_samples == 4410);
    CHECK(model->text("mlp_activation", "tanh") == "relu");
    CHECK(model->text("absent", "tanh") == "tanh");
    CHECK(model->number("size", 0.) == 3.);
    CHECK(model->flag("deep", false));
    CHECK_THROWS_AS(model->number("mlp_activation", 0.), ModelError);
    REQUIRE(model->metadata.size() == 1);
    CHECK(model->metadata[0].first == "license");
    REQUIRE(model->find("w"));
    CHECK(model->find("w")->shape == std::vector<std::int64_t>{2, 3});
    CHECK(model->find("w")->data == std::vector<float>{1.f, 2.f, 3.f, 4.f, 5.f, 6.f});
    CHECK(model->notes.empty());
}

TEST_CASE("model: doubles are read as floats, and a scalar and an empty tensor have their shapes") {
    const double values[] = {0.1, -2.5};
    std::vector<float> raw(4);
    std::memcpy(raw.data(), values, sizeof values);
    raw.push_back(7.f);
    nlohmann::json header{{"__metadata__", ModelFile{}.metadata}};
    header["d"] = {{"dtype", "F64"}, {"shape", {2}}, {"data_offsets", {0, 16}}};
    header["s"] = {{"dtype", "F32"}, {"shape", nlohmann::json::array()}, {"data_offsets", {16, 20}}};
    header["e"] = {{"dtype", "F32"}, {"shape", {3, 0}}, {"data_offsets", {20, 20}}};
    const auto model = read_model_bytes(safetensors(header.dump(), raw), "test");
    CHECK(model->find("d")->data == std::vector<float>{0.1f, -2.5f});
    CHECK(model->find("s")->data == std::vector<float>{7.f});
    CHECK(model->find("s")->shape.empty());
    CHECK(model->find("e")->data.empty());
    CHECK(model->find("e")->shape == std::vector<std::int64_t>{3, 0});
}

TEST_CASE("model: a tensor is found by name and shape, and refused with both shapes") {
    const auto model = ModelFile{}.read();
    const std::array<std::int64_t, 2> any_rows{-1, 3}, wrong{3, -1};
    CHECK(&model->tensor("w", any_rows) == model->find("w"));
    try {
        model->tensor("w", wrong);
        FAIL("a wrong shape was let through");
    } catch (const ModelError& error) {
        has(error.what(), "\"w\" has shape (2, 3); expected (3, any)");
    }
    try {
        model->tensor("v", wrong);
        FAIL("a missing tensor was let through");
    } catch (const ModelError& error) {
        has(error.what(), "tensor \"v\" is missing; expected shape (3, any)");
    }
    const std::string known[] = {"x"};
    REQUIRE(model->notes_on_extra(known).size() == 1);
    CHECK(model->notes_on_extra(known)[0] == "extra tensor ignored: \"w\" (2, 3)");
}

TEST_CASE("model: a file cut short anywhere is refused") {
    const Bytes good = ModelFile{}.bytes();
    for (std::size_t length = 0; length < good.size(); ++length)
        REQUIRE(!complaint(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length))).empty());
    Bytes longer = good;
    longer.push_back(std::byte{0});
    has(complaint(longer), "belong to no tensor");
}

TEST_CASE("model: a wrong header length is refused before memory is reserved") {
    const ModelFile file;
    const std::string header = file.header().dump();
    has(complaint(safetensors(header, file.data(), ~std::uint64_t{0})), "header claims");
    has(complaint(safetensors(header, file.data(), std::uint64_t{17} << 20)), "at most 16777216");
    has(complaint(safetensors(header, file.data(), header.size() + 25)), "cut short");
    has(complaint(safetensors(header, file.data(), header.size() - 1)), "not valid JSON");
    has(complaint(safetensors(header, file.data(), 0)), "not valid JSON");
    has(complaint(safetensors("[1, 2]", {})), "no JSON object");
}

TEST_CASE("model: a tensor's offsets and shape must fit the data and each other") {
    using Json = nlohmann::json;
    const auto with = [](const char* key, Json value) {
        return complaint_after([&](Json& header) { header["w"][key] = value; });
    };
    has(with("data_offsets", {0, 28}), "lie outside the 24 bytes");
    has(with("data_offsets", {24, 0}), "lie outside");
    has(with("data_offsets", {0, std::numeric_limits<std::uint64_t>::max()}), "lie outside");
    has(with("data_offsets", {-4, 20}), "whole numbers from 0 up");
    has(with("data_offsets", {0., 24.}), "whole numbers");
    has(with("data_offsets", {0}), "expected dtype, shape and two data_offsets");
    has(with("data_offsets", {0, 20}), "needs 24 bytes, but its data_offsets hold 20");
    has(with("shape", {2, 2}), "needs 16 bytes");
    has(with("shape", {-2, -3}), "whole numbers from 0 up");
    has(with("shape", {1e30}), "whole numbers");
    // products that wrap around to 6 elements, or to few
    has(with("shape", {std::uint64_t{1} << 63, 2, 3}), "holds more numbers");
    has(with("shape", {std::uint64_t{1} << 32, std::uint64_t{1} << 32}), "holds more numbers");
    has(with("shape", {6, 1, 1, 1, 1, 1, 1, 1, 1}), "9 dimensions");
    has(with("dtype", "BF16"), "expected F32 or F64");
    has(with("dtype", 7), "expected dtype");
}

TEST_CASE("model: tensors may neither overlap nor leave gaps") {
    ModelFile file;
    file.tensors.push_back({"v", {2}, {7.f, 8.f}});
    nlohmann::json header = file.header();
    header["v"]["data_offsets"] = {20, 28};
    has(complaint(safetensors(header.dump(), file.data())), "\"v\": its data overlaps");
    header["v"]["data_offsets"] = {0, 8};
    has(complaint(safetensors(header.dump(), file.data())), "overlaps");
    header.erase("v");
    has(complaint(safetensors(header.dump(), file.data())), "belong to no tensor");
    header = file.header();
    header.erase("w");
    has(complaint(safetensors(header.dump(), file.data())), "bytes 0 to 24 of the data belong to no tensor");
}

TEST_CASE("model: weights that are not finite are refused by tensor and place") {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
        ModelFile file;
        file.tensors[0].data[4] = bad;
        has(complaint(file), "tensor \"w\": element 4 of 6 is");
    }
    const double too_large = 1e300;
    std::vector<float> raw(2);
    std::memcpy(raw.data(), &too_large, sizeof too_large);
    nlohmann::json header{{"__metadata__", ModelFile{}.metadata},
                          {"d", {{"dtype", "F64"}, {"shape", {1}}, {"data_offsets", {0, 8}}}}};
    has(complaint(safetensors(header.dump(), raw)), "tensor \"d\": element 0 of 1 is");
}

TEST_CASE("model: JSON with a key twice or without end of nesting is refused") {
    const ModelFile file;
    std::string twice = file.header().dump();
    twice.insert(1, R"("w": {"dtype": "F32", "shape": [6], "data_offsets": [0, 24]}, )");
    has(complaint(safetensors(twice, file.data())), "\"w\" is there twice");
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    has(complaint(safetensors(R"({"a": )" + deep + "}", {})), "nests deeper than 16");
    has(complaint_of("config", R"({"a": )" + deep + "}"), "config: nests deeper than 16");
    has(complaint_of("config", std::string(100'000, '{')), "config: ");
    has(complaint_of("config", R"({"a": 1, "a": 2})"), "is there twice");
    std::string no_text = file.header().dump();
    no_text[2] = '\xff';
    has(complaint(safetensors(no_text, file.data())), "not valid JSON");
}

TEST_CASE("model: every key of the metadata is checked, and the error says what was expected") {
    for (const char* key : {"gainstage.format", "architecture", "config", "sample_rate", "controls"}) {
        ModelFile file;
        file.metadata.erase(key);
        has(complaint(file), std::string(key) + ": missing; expected ");
    }
    has(complaint_after([](nlohmann::json& header) { header.erase("__metadata__"); }), "tools/import_model");
    has(complaint_after([](nlohmann::json& header) { header["__metadata__"]["sample_rate"] = 44100; }),
        "\"sample_rate\": expected a string, found number");
    has(complaint_after([](nlohmann::json& header) { header["__metadata__"] = 3; }), "expected an object");
    has(complaint_of("gainstage.format", "2"), "found \"2\"; this version reads \"1\"");
    has(complaint_of("architecture", "Grey Box"), "expected a model type");
    has(complaint_of("config", "[]"), "config: expected a JSON object");
    has(complaint_of("config", "{"), "not valid JSON");
    for (const char* rate : {"", "fast", "44100 Hz", "-44100", "0", "1e9", "nan", "inf", " 44100"})
        has(complaint_of("sample_rate", rate), "expected a number of Hz");
    for (const char* count : {"", "-1", "1.5", "441001", "99999999999999999999", "1 "})
        has(complaint_of("memory_samples", count), "expected a whole number of samples");
    has(complaint_of("latency_samples", "441001"), "expected a whole number");
    has(complaint_of("training", "yesterday"), "training: not valid JSON");
    CHECK(complaint_of("remarks", "kept as written").empty());
}

TEST_CASE("model: every key of a control is checked") {
    CHECK(complaint_of("controls", "[]").empty());
    CHECK(complaint_of("controls", knob("{}")).empty());
    CHECK(complaint_of("controls", knob(R"({"steps": 2})")).empty());
    has(complaint_of("controls", "{}"), "controls: expected an array");
    has(complaint_of("controls", "[3]"), "controls[0]: expected an object");
    for (const char* key : {"name", "unit"})
        has(complaint_of("controls", knob(std::string("{\"") + key + "\": null}")), "expected a string");
    for (const char* key : {"min", "max", "default"})
        has(complaint_of("controls", knob(std::string("{\"") + key + "\": \"7\"}")), "expected a number");
    has(complaint_of("controls", knob(R"({"max": 1e300})")), "out of range");
    has(complaint_of("controls", knob(R"({"min": 20})")), "expected min < max");
    has(complaint_of("controls", knob(R"({"default": 11})")), "a default between them");
    has(complaint_of("controls", knob(R"({"to_model": null})")), "to_model: expected an object");
    has(complaint_of("controls", knob(R"({"to_model": {"scale": null}})")), "scale: expected a number");
    has(complaint_of("controls", knob(R"({"to_model": {"scale": 3e38}})")), "no finite number");
    for (const char* steps : {"1", "-2", "2.5", "1e9", "\"2\""})
        has(complaint_of("controls", knob(std::string("{\"steps\": ") + steps + "}")), "steps: expected");
    for (const char* name : {"", "Drive", "a b", "1st", "smooth_ms", "bypass"})
        has(complaint_of("controls", knob(std::string("{\"name\": \"") + name + "\"}")), "name \"");
    const std::string one = knob("{}");
    has(complaint_of("controls", "[" + one.substr(1, one.size() - 2) + "," + one.substr(1)), "there twice");

    ModelFile noted;
    noted.metadata["controls"] = knob(R"({"colour": "red"})");
    REQUIRE(noted.read()->notes.size() == 1);
    CHECK(noted.read()->notes[0] == "controls[0]: unknown key \"colour\" ignored");
}

TEST_CASE("model: the content hash tells files apart, the meaning hash tells sounds apart") {
    const auto base = ModelFile{}.read();
    CHECK(ModelFile{}.read()->content_hash == base->content_hash);

    ModelFile said_otherwise;
    said_otherwise.metadata["license"] = "CC0-1.0";
    said_otherwise.metadata["config"] = R"({"deep":true,"mlp_activation":"relu","size":3})";
    CHECK(said_otherwise.read()->content_hash != base->content_hash);
    CHECK(said_otherwise.read()->meaning_hash == base->meaning_hash);

    const auto differs = [&](auto change) {
        ModelFile file;
        change(file);
        return file.read()->meaning_hash != base->meaning_hash;
    };
    CHECK(differs([](ModelFile& f) { f.tensors[0].data[5] = std::nextafter(6.f, 7.f); }));
    CHECK(differs([](ModelFile& f) { f.tensors[0].shape = {3, 2}; }));
    CHECK(differs([](ModelFile& f) { f.tensors[0].name = "v"; }));
    CHECK(differs([](ModelFile& f) { f.metadata["config"] = "{}"; }));
    CHECK(differs([](ModelFile& f) { f.metadata["sample_rate"] = "48000"; }));
    CHECK(differs([](ModelFile& f) { f.metadata["memory_samples"] = "4411"; }));
    CHECK(differs([](ModelFile& f) { f.metadata["controls"] = "[]"; }));
}

TEST_CASE("model: damage anywhere in a file gives a model or a ModelError, nothing worse") {
    const Bytes good = ModelFile{}.bytes();
    std::mt19937 random(5);
    const auto below = [&](std::size_t n) { return random() % n; };
    int read = 0, refused = 0;
    for (int round = 0; round < 20'000; ++round) {
        Bytes bytes = good;
        for (std::size_t change = 0; change <= below(4); ++change) {
            const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size()));
            switch (below(5)) {
                case 0:
                    *at = static_cast<std::byte>(random());
                    break;
                case 1:
                    *at ^= static_cast<std::byte>(1u << below(8));
                    break;
                case 2:
                    bytes.erase(at);
                    break;
                case 3:
                    bytes.insert(at, static_cast<std::byte>("{}[],:\"0-9e"[below(11)]));
                    break;
                case 4:
                    std::rotate(bytes.begin(), at, bytes.end());
                    break;
            }
        }
        try {
            read_model_bytes(bytes, "test.safetensors");
            ++read;
        } catch (const ModelError&) {
            ++refused;
        }
    }
    CHECK(refused > 10'000);
    CHECK(read > 10);  // else the changes would miss all code behind the first checks
}

TEST_CASE("model: files that are missing, not files, empty or half written are refused by name") {
    const TemporaryFile file;
    CHECK(exit_code_of(file.path) == 66);
    CHECK(exit_code_of(std::filesystem::temp_directory_path().string()) == 66);
    CHECK(exit_code_of("/dev/zero") == 66);
    file.write({});
    CHECK(exit_code_of(file.path) == 65);
    const Bytes good = ModelFile{}.bytes();
    file.write(Bytes(good.begin(), good.begin() + 100));
    CHECK(exit_code_of(file.path) == 65);
    file.write(good);
    const auto model = read_model_file(file.path);
    CHECK(model->file == file.path);
    CHECK(model->meaning_hash == ModelFile{}.read()->meaning_hash);
    std::filesystem::resize_file(file.path, (std::uintmax_t{512} << 20) + 1);  // sparse: uses no space
    CHECK(exit_code_of(file.path) == 65);
}

TEST_CASE("what only has the name of a model is named, with the way to a model") {
    const auto named = [](const std::string& text, const std::string& part) {
        const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
        has(complaint(Bytes(bytes, bytes + text.size())), "test.safetensors: " + part);
    };
    named("<!DOCTYPE html><html></html>", "a web page, not the file itself");
    named("version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a Git LFS pointer");
    named(std::string("\0\5\x16\7\0\2\0\0Mac OS X        ", 24), "a macOS companion file");
    named("{\"version\": \"0.5.4\", \"architecture\": \"WaveNet\", \"config\": {}, \"weights\": []}",
          "a capture of Neural Amp Modeler (.nam), which isn't played yet; play");
    named("{\"model_data\": {}, \"state_dict\": {}}",
          "a model of GuitarML or Proteus (.json); convert it with");
    named("format = 1\nname = \"x\"\n", "a patch, not a model; gainstage check");
    named("          \n  ", "nothing but blanks");
    named("Dear diary, today I played.", "text; expected a model (.safetensors)");
    named("  {\"layers\": []}", "JSON text, as other programs write models");
    named("PK\3\4                ",
          "a PyTorch checkpoint, or another ZIP archive; convert it with tools/import_model");
    named("\x89HDF\r\n\x1a\n        ", "a Keras model (HDF5)");
}

}  // namespace gainstage::test::model_test
