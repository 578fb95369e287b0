#include "nodes/models/grey_box/grey_box.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "runtime/model/model.hpp"
#include "tests/nodes/contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/places.hpp"
#include "tests/support/safetensors_writer.hpp"

namespace gainstage::test::grey_box_test {

namespace {

namespace fs = std::filesystem;

const fs::path source = source_dir();

template <class Number>
std::vector<Number> read_numbers(const fs::path& file) {
    std::vector<Number> numbers(fs::file_size(file) / sizeof(Number));
    std::ifstream(file, std::ios::binary)
        .read(reinterpret_cast<char*>(numbers.data()),
              static_cast<std::streamsize>(numbers.size() * sizeof(Number)));
    return numbers;
}

/// Largest |a[k] - b[k]|.
template <class Number>
double farthest(const Channel& a, const std::vector<Number>& b) {
    REQUIRE(a.size() == b.size());
    double farthest = 0.;
    for (std::size_t k = 0; k < a.size(); ++k)
        farthest = std::max(farthest, std::abs(double{a[k]} - double{b[k]}));
    return farthest;
}

/// Weights, knob moves and expected output from tests/data/make_fixtures.py.
struct Fixture {
    std::shared_ptr<const Model> model;
    Channel input, expected;
    std::uint64_t start = 0;
    std::vector<Move> moves;

    explicit Fixture(const std::string& name) {
        const fs::path data = source / "tests/data";
        model = read_model_file((data / ("grey_box-" + name + ".safetensors")).string());
        input = read_numbers<float>(data / "grey_box-input.f32");
        expected = read_numbers<float>(data / ("grey_box-" + name + ".expected.f32"));
        const auto said = nlohmann::json::parse(std::ifstream(data / ("grey_box-" + name + ".json")));
        start = said["start"];
        for (const auto& move : said["moves"])
            moves.push_back(
                {move[0].get<int>(), move[1].get<std::string>(), move[2].get<float>(), move[3].get<float>()});
    }
    NodeConfig config() const { return {.model = model, .start_time = start}; }
};

const char* const fixture_names[] = {"switching-soft", "rnn-gru-hard", "gru-rnn-two-knobs"};

std::shared_ptr<const Model> textbook(const std::string& name) {
    return read_model_file((source / "models" / (name + "-textbook.safetensors")).string());
}

/// A copy of a model that a test may change.
std::shared_ptr<Model> spoilable(const std::string& fixture) {
    return std::make_shared<Model>(*Fixture(fixture).model);
}

Tensor& tensor_of(Model& model, const std::string& name) {
    for (Tensor& tensor : model.tensors)
        if (tensor.name == name) return tensor;
    throw std::logic_error("no tensor " + name);
}

/// The message of the error that building a node from the model throws; "" if it throws none.
template <class Error = ModelError>
std::string complaint(const std::shared_ptr<const Model>& model, double sample_rate_hz = 48'000.) {
    try {
        const NodeConfig config{.sample_rate_hz = sample_rate_hz, .model = model};
        prepared_of(GreyBox::type(), config)
            ->make(setup_of(GreyBox::type(), config, params_of(GreyBox::type(), model.get())));
        return "";
    } catch (const Error& error) {
        return error.what();
    }
}

std::vector<std::string> notes_on(const Model& model) {
    return GreyBox::type().prepare(model, model.sample_rate_hz)->facts().notes;
}

bool has(const std::string& text, const std::string& part) {
    INFO(text << " should say: " << part);
    CHECK(text.find(part) != std::string::npos);
    return true;
}

}  // namespace

TEST_CASE("grey_box: its output matches the formulas while knobs step, glide and turn back") {
    for (const char* name : fixture_names) {
        const Fixture fixture(name);
        NodeRunner runner(GreyBox::type(), fixture.config());
        const Sound out = runner.run(mono(fixture.input), {}, fixture.moves);
        INFO(name);
        // float32 maths of a few dozen operations on numbers below 1; measured: 1.2e-7
        CHECK(farthest(out[0], fixture.expected) < 1e-6);
    }
}

TEST_CASE("grey_box: it keeps the promises of a node") {
    for (const char* name : fixture_names) {
        const Fixture fixture(name);
        INFO(name);
        CHECK(broken_promise(GreyBox::type(), fixture.config(), {mono(fixture.input)}, fixture.moves) == "");
        NodeConfig wide = fixture.config();
        wide.channels = 2;
        const Sound both =
            stereo(fixture.input, white_noise(static_cast<int>(fixture.input.size()), 3, 0.3f));
        CHECK(broken_promise(GreyBox::type(), wide, {both}, fixture.moves) == "");
        wide.options = {{"link", false}};
        CHECK(broken_promise(GreyBox::type(), wide, {both}, fixture.moves) == "");
        CHECK(not_finite(GreyBox::type(), wide, {both}) == "");
    }
}

// -------- the published layout

namespace {

/// Fixtures in the authors' own layout, if they lie beside the repository.
const fs::path references = source / ".." / "shared" / "reference" / "greybox";

/// Runs a command. True if it succeeded.
bool ran(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

std::string in_shell_quotes(const fs::path& path) {
    return "'" + path.string() + "'";
}

struct TemporaryFolder {
    fs::path path = fs::temp_directory_path() / ("gainstage-grey-box-test-" + std::to_string(getpid()));
    TemporaryFolder() { fs::create_directories(path); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() { fs::remove_all(path); }
};

/// Imports the checkpoint of `reference` and unpacks its expected output into `folder`.
void import(const fs::path& reference, const fs::path& folder) {
    const std::string python = "/usr/bin/python3 ";
    REQUIRE(ran(python + in_shell_quotes(source / "tools/import_model") + " grey_box " +
                in_shell_quotes(reference / "model.pt") + " -o " +
                in_shell_quotes(folder / "m.safetensors")));
    REQUIRE(ran(python + in_shell_quotes(source / "tests/data/unpack_reference.py") + " " +
                in_shell_quotes(reference) + " " + in_shell_quotes(folder)));
}

}  // namespace

TEST_CASE("grey_box: imported checkpoints in the published layout play like their reference") {
    if (!fs::exists(references)) {
        std::cout << "skipped: no reference fixtures at " << references << '\n';
        return;
    }
    if (!ran("/usr/bin/python3 -c 'import torch'")) {
        std::cout << "skipped: importing checkpoints needs PyTorch (Debian: apt install python3-torch)\n";
        return;
    }
    for (const char* name : {"1-hard-onepole-static", "2-hard-switching-static", "5-hard-switching-gru"}) {
        const TemporaryFolder folder;
        import(references / name, folder.path);
        float peak_reduction = -1.f;
        std::ifstream(folder.path / "knobs.txt") >> peak_reduction;
        const auto model = read_model_file((folder.path / "m.safetensors").string());
        const Sound input = mono(read_numbers<float>(folder.path / "input.f32"));
        const auto expected = read_numbers<double>(folder.path / "expected.f64");
        const auto play = [&](int block) {
            NodeRunner runner(
                GreyBox::type(),
                {.sample_rate_hz = 44'100., .params = {{"peak_reduction", peak_reduction}}, .model = model});
            return runner.run(input, {.size = block});
        };
        const Sound out = play(512);
        INFO(name);
        // the fixture allows 5e-5; measured: 1e-7
        CHECK(farthest(out[0], expected) < 1e-6);
        for (const int block : {1, 16, 37, 64}) CHECK(bit_difference(play(block), out) == "");
    }
}

// -------- sample rates

TEST_CASE("grey_box: a one-pole or switching detector takes the same time at every sample rate") {
    for (const char* name : {"opto", "bus"}) {
        // A loud step for 20 ms, then a soft one. The gain is compared at these milliseconds.
        const auto gain_after = [&](double rate_hz, double ms) {
            const auto frames = [&](double t) { return static_cast<int>(std::lround(t * rate_hz / 1000.)); };
            NodeRunner runner(GreyBox::type(), {.sample_rate_hz = rate_hz, .model = textbook(name)});
            Channel in = constant(frames(20.), 0.9f);
            in.resize(static_cast<std::size_t>(frames(60.)), 0.001f);
            const auto last = static_cast<std::size_t>(frames(ms) - 1);
            return runner.run(mono(in))[0][last] / in[last];
        };
        for (const double ms : {10., 20., 60.}) {  // whole samples at all these rates
            const double at_48k = gain_after(48'000., ms);
            CHECK(at_48k < 0.95);
            // coefficients are computed from tau in double, so only the rounding of the output is left
            for (const double rate_hz : {44'100., 88'200., 96'000.})
                CHECK(gain_after(rate_hz, ms) == Approx(at_48k).margin(1e-6));
        }
    }
}

TEST_CASE("grey_box: a recurrent part is refused at another rate without a resampler around it") {
    has(complaint<SetupError>(Fixture("rnn-gru-hard").model, 44'100.),
        "its weights are for 48000 Hz and don't run at 44100 Hz; run the device at 48000 Hz");
    CHECK(complaint<SetupError>(Fixture("rnn-gru-hard").model, 48'000.).empty());
    auto makeup_only = spoilable("switching-soft");
    const auto other = Fixture("rnn-gru-hard").model;
    for (const Tensor& tensor : other->tensors)
        if (tensor.name.rfind("makeup.", 0) == 0) makeup_only->tensors.push_back(tensor);
    makeup_only->config = ModelConfig("{\"mlp_activation\": \"relu\"}", "config");
    has(complaint<SetupError>(makeup_only, 96'000.), "don't run at 96000 Hz");
}

TEST_CASE("grey_box: after its memory nothing is left of its earlier state") {
    for (const char* name : {"opto", "bus"})
        for (const double rate_hz : {44'100., 96'000.}) {
            const NodeConfig config{.sample_rate_hz = rate_hz, .model = textbook(name)};
            NodeRunner loud(GreyBox::type(), config), fresh(GreyBox::type(), config);
            loud.run(mono(constant(static_cast<int>(2. * rate_hz), 1.f)), {.size = 8192});
            const auto memory = static_cast<int>(loud.node().memory_samples());
            CHECK(memory > static_cast<int>(rate_hz));
            CHECK(memory <= static_cast<int>(10. * rate_hz));
            const Sound quiet = mono(constant(memory, 0.001f));
            const float a = loud.run(quiet, {.size = 8192})[0].back();
            const float b = fresh.run(quiet, {.size = 8192})[0].back();
            CHECK(a == Approx(b).epsilon(1e-4));  // -80 dB
        }
}

// -------- what a player hears

TEST_CASE("grey_box: linked stereo turns down both channels alike, unlinked each one by itself") {
    const Channel loud = sine(9600, 500., 48'000., 0.9), soft = sine(9600, 500., 48'000., 0.009);
    const auto gains = [&](bool link) {
        NodeRunner runner(GreyBox::type(),
                          {.channels = 2, .options = {{"link", link}}, .model = textbook("opto")});
        const Sound out = runner.run(stereo(loud, soft));
        return std::pair{rms_db(part(out[0], 4800)) - rms_db(part(loud, 4800)),
                         rms_db(part(out[1], 4800)) - rms_db(part(soft, 4800))};
    };
    const auto [left, right] = gains(true);
    CHECK(left < -10.);
    CHECK(right == Approx(left).margin(1e-3));
    const auto [left_alone, right_alone] = gains(false);
    CHECK(left_alone == Approx(left).margin(1e-3));
    CHECK(right_alone == Approx(0.).margin(1e-3));
    // the louder side leads, whichever it is
    NodeRunner swapped(GreyBox::type(), {.channels = 2, .model = textbook("opto")}),
        mono_loud(GreyBox::type(), {.model = textbook("opto")});
    CHECK(swapped.run(stereo(soft, loud))[1] == mono_loud.run(mono(loud))[0]);
}

TEST_CASE("grey_box: a steady level is reduced as the textbook curve says") {
    // opto at 50: threshold -30 dB, ratio 3, knee 10 dB. A constant has one level, unlike a tone.
    for (const double level_db : {-60., -36., -30., -27., -10., 0.}) {
        const double over = level_db + 30.;
        const double reduction = over <= -5.  ? 0.
                                 : over >= 5. ? over * 2. / 3.
                                              : 2. / 3. * (over + 5.) * (over + 5.) / 20.;
        NodeRunner runner(GreyBox::type(), {.model = textbook("opto")});
        const auto x = static_cast<float>(std::pow(10., level_db / 20.));
        const Channel out = runner.run(mono(constant(48'000, x)))[0];
        CHECK(to_db(double{out.back()} / double{x}) == Approx(-reduction).margin(1e-3));
        CHECK(double{runner.reading("gain_reduction_db")} == Approx(reduction).margin(1e-3));
    }
}

TEST_CASE("grey_box: knobs in their own units reach the curve") {
    // bus: 12 dB over the threshold at ratio 4 is 9 dB of reduction
    NodeRunner bus(GreyBox::type(),
                   {.params = {{"threshold_db", -12.f}, {"ratio", 4.f}}, .model = textbook("bus")});
    CHECK(to_db(double{bus.run(mono(constant(96'000, 1.f)))[0].back()}) == Approx(-9.).margin(1e-3));
}

TEST_CASE("grey_box: a step of a knob takes effect at its very sample, on the control grid or off it") {
    for (const int at : {1600, 1607}) {
        const Sound in = mono(constant(3000, 0.5f));
        NodeRunner stays(GreyBox::type(), {.model = textbook("opto")}),
            steps(GreyBox::type(), {.model = textbook("opto")});
        const Channel a = stays.run(in)[0];
        const Channel b = steps.run(in, {}, {{at, "peak_reduction", 100.f, 0.f}})[0];
        CHECK(std::equal(a.begin(), a.begin() + at, b.begin()));
        CHECK(b[at] < a[at]);
    }
}

TEST_CASE("grey_box: a turning knob leaves no staircase in the sound") {
    // 16-sample straight lines under a ramp stay well within the bound for nodes with per-sample ramps
    CHECK(staircase_left(GreyBox::type(), {.model = textbook("opto")}, "peak_reduction", 40.f, 80.f) < 0.1);
}

TEST_CASE("grey_box: after the music the reduction returns to zero") {
    NodeRunner runner(GreyBox::type(), {.model = textbook("opto")});
    runner.run(mono(sine(48'000, 200., 48'000.)));
    CHECK(runner.reading("gain_reduction_db") > 10.f);
    const Channel out = runner.run(mono(silence(12 * 48'000)), {.size = 4096})[0];
    CHECK(runner.reading("gain_reduction_db") < 1e-6f);
    CHECK(peak(out) == 0.);
}

// -------- files that don't fit

TEST_CASE("grey_box: a tensor that is missing or misshapen is refused by name") {
    for (const char* name :
         {"mlp.0.weight", "mlp.1.bias", "detector.weight_ih", "detector.out.weight", "makeup.bias_hh"}) {
        auto model = spoilable("rnn-gru-hard");
        tensor_of(*model, name).name = "elsewhere";
        has(complaint(model), std::string("tensor \"") + name + "\" is missing");
        model = spoilable("rnn-gru-hard");
        tensor_of(*model, name).shape.push_back(1);
        has(complaint(model), std::string("tensor \"") + name + "\" has shape");
    }
    auto model = spoilable("rnn-gru-hard");
    tensor_of(*model, "detector.weight_hh").shape = {8, 2};
    has(complaint(model),
        "\"detector.weight_hh\" has shape (8, 2); expected (units, units) for an Elman cell");
    model = spoilable("switching-soft");
    tensor_of(*model, "detector.tau_s") = {"detector.tau_s", {3}, {1.f, 1.f, 1.f}};
    has(complaint(model), "\"detector.tau_s\" has 3 elements; expected 1 (one-pole) or 2");
    tensor_of(*model, "detector.tau_s") = {"detector.tau_s", {2}, {0.1f, -0.1f}};
    has(complaint(model), "holds -0.1; expected seconds above 0");
    model = spoilable("switching-soft");
    model->controls.clear();
    has(complaint(model), "\"mlp.0.weight\" has shape (8, 1); expected (any, 0)");
    model = spoilable("switching-soft");
    tensor_of(*model, "mlp.2.weight").name = "mlp.9.weight";
    has(complaint(model), "\"mlp.1.weight\" has 8 outputs; expected 2 (threshold, ratio) or 3");
}

TEST_CASE("grey_box: a config that contradicts the tensors is refused") {
    const auto with = [](const char* config) {
        auto model = spoilable("switching-soft");
        model->config = ModelConfig(config, "config");
        return complaint(model);
    };
    CHECK(with(R"({"mlp_activation": "relu"})").empty());
    has(with(R"({"knee": "hard"})"), "config.knee is \"hard\", but the tensors make it \"soft\"");
    has(with(R"({"detector": "one_pole"})"), "config.detector is \"one_pole\"");
    has(with(R"({"makeup": "gru"})"), "config.makeup is \"gru\"");
    has(with(R"({"mlp_activation": "gelu"})"), "expected \"tanh\" or \"relu\"");
    has(with(R"({"curve_output": 3})"), "config.curve_output: expected a string");
}

TEST_CASE("grey_box: unknown tensors are noted, not refused") {
    auto model = spoilable("switching-soft");
    CHECK(notes_on(*model).empty());
    model->tensors.push_back({"optimizer.step", {1}, {3.f}});
    CHECK(complaint(model).empty());
    REQUIRE(notes_on(*model).size() == 1);
    has(notes_on(*model)[0], "\"optimizer.step\" (1)");
}

}  // namespace gainstage::test::grey_box_test
