#include "tests/support/reference.hpp"

#include <sys/wait.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iostream>

#include "runtime/io/sound_file.hpp"
#include "runtime/model/model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/places.hpp"
#include "tests/support/temporary_folder.hpp"

namespace gainstage::test {

namespace {

namespace fs = std::filesystem;

const fs::path source = source_dir();
const std::string python = "/usr/bin/python3 ";

std::string in_shell_quotes(const fs::path& path) {
    return "'" + path.string() + "'";
}

/// Reads a vector of float64 as numpy.save writes it: magic, version, length of a text header, the header,
/// data.
std::vector<double> read_npy(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    char start[10];
    in.read(start, sizeof start);
    REQUIRE(std::memcmp(start, "\x93NUMPY\x01", 7) == 0);
    std::uint16_t length = 0;
    std::memcpy(&length, start + 8, sizeof length);
    std::string header(length, ' ');
    in.read(header.data(), length);
    REQUIRE(header.find("'<f8'") != std::string::npos);
    std::vector<double> numbers((fs::file_size(file) - sizeof start - length) / sizeof(double));
    in.read(reinterpret_cast<char*>(numbers.data()),
            static_cast<std::streamsize>(numbers.size() * sizeof(double)));
    return numbers;
}

/// Takes the fixture's schedule of knobs: a list of [first sample, values in the order of the controls].
void take_schedule(Reference& reference) {
    for (const auto& entry : reference.fixture.at("conditioning").at("schedule")) {
        const int frame = entry.at(0).get<int>();
        const auto values = entry.at(1).get<std::vector<float>>();
        REQUIRE(values.size() == reference.model->controls.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            const std::string& knob = reference.model->controls[i].name;
            if (frame == 0)
                reference.start.emplace_back(knob, values[i]);
            else
                reference.moves.push_back({frame, knob, values[i], 0.f});
        }
    }
}

}  // namespace

Imported run_importer(const std::string& family, const std::string& checkpoint, const std::string& output,
                      const nlohmann::json& facts) {
    const TemporaryFolder folder;
    const std::string config = folder.write("facts.json", facts.dump());
    const int status =
        std::system((python + in_shell_quotes(source / "tools/import_model") + " " + family + " " +
                     in_shell_quotes(checkpoint) + " -o " + in_shell_quotes(output) + " --config " +
                     in_shell_quotes(config) + " >" + in_shell_quotes(folder.file("said")) + " 2>&1")
                        .c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, folder.read("said")};
}

std::optional<Reference> import_reference(const std::string& name, const std::string& family,
                                          const nlohmann::json& facts, const std::string& needs) {
    const fs::path folder = source / ".." / "shared" / "reference" / name;
    if (!fs::exists(folder)) {
        std::cout << "skipped: no reference at " << folder << '\n';
        return {};
    }
    if (std::system((python + "-c 'import " + needs + "' >/dev/null 2>&1").c_str()) != 0) {
        std::cout << "skipped: importing " << name << " needs Python's " << needs << '\n';
        return {};
    }
    Reference reference;
    reference.name = name;
    std::ifstream(folder / "fixture.json") >> reference.fixture;
    const TemporaryFolder out;
    const std::string checkpoint = (folder / reference.fixture.at("weights").at(0)).string();
    const Imported imported = run_importer(family, checkpoint, out.file("m.safetensors"), facts);
    INFO(imported.said);
    REQUIRE(imported.status == 0);
    reference.model = read_model_file(out.file("m.safetensors"));
    reference.input = read_sound_file((folder / "input.wav").string()).channels;
    reference.expected = read_npy(folder / "expected.npy");
    REQUIRE(reference.expected.size() == reference.input.at(0).size());
    reference.tolerance = reference.fixture.at("tolerance").at("suggested_max_abs");
    reference.latency_samples = reference.fixture.at("latency_samples");
    take_schedule(reference);
    return reference;
}

Parity parity_of(const NodeType& type, const Reference& reference, std::size_t valid_from) {
    Sound input = reference.input;  // then silence for the stream's latency
    input[0].resize(input[0].size() + static_cast<std::size_t>(reference.latency_samples), 0.f);
    const auto play = [&](int block) {
        NodeRunner runner(type, {.sample_rate_hz = reference.model->sample_rate_hz,
                                 .params = reference.start,
                                 .model = reference.model});
        CHECK(runner.node().latency_samples() == reference.latency_samples);
        return runner.run(input, {.size = block}, reference.moves);
    };
    Parity parity;
    const Sound out = play(512);
    for (const int block : {1, 16, 37, 64})
        if (const std::string difference = bit_difference(play(block), out);
            !difference.empty() && parity.broken.empty())
            parity.broken = "in blocks of " + std::to_string(block) + ": " + difference;
    double squares = 0.;
    for (std::size_t k = valid_from; k < reference.expected.size(); ++k) {
        const double error = std::abs(
            double{out[0][k + static_cast<std::size_t>(reference.latency_samples)]} - reference.expected[k]);
        if (!(error <= parity.max_error)) parity.max_error = error;
        squares += error * error;
    }
    parity.rms_error = std::sqrt(squares / static_cast<double>(reference.expected.size() - valid_from));
    return parity;
}

}  // namespace gainstage::test
