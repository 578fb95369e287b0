/// One table of every published checkpoint at hand and every fixture in the tree, with each node's distance
/// from the formulas. `test_models "[parity]"` prints it.

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "nodes/all_nodes.hpp"
#include "runtime/model/model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/places.hpp"
#include "tests/support/reference.hpp"
#include "tests/support/type_playing.hpp"

namespace gainstage::test::parity_test {

namespace {

void print_heading() {
    fmt::print("{:<44} {:>9} {:>9} {:>9} {:>8} {:>9} {:>10}\n", "model", "max error", "RMS", "allowed",
               "latency", "weights", "op/sample");
}

void print_row(const std::string& name, const Model& model, const Parity& parity, double allowed,
               int latency) {
    std::size_t weights = 0;
    for (const Tensor& tensor : model.tensors) weights += tensor.data.size();
    fmt::print("{:<44} {:>9.1e} {:>9.1e} {:>9.0e} {:>8} {:>9} {:>10.0f}\n", name, parity.max_error,
               parity.rms_error, allowed, latency, weights,
               type_playing(model).prepare(model, model.sample_rate_hz)->facts().operations);
}

struct Published {
    std::string name, family;
    std::string needs = "torch";
    bool speaks_of_itself = true;  ///< false: the importer needs its fixture's options as facts
};

/// The options of a fixture, which the importer takes as facts.
nlohmann::json facts_of(const std::string& name) {
    std::ifstream file(std::filesystem::path(source_dir()) / ".." / "shared" / "reference" / name /
                       "fixture.json");
    return file ? nlohmann::json::parse(file).at("options") : nlohmann::json::object();
}

/// Plays a fixture of the tree in one partition after another.
Parity parity_of(const Fixture& fixture) {
    Parity parity;
    NodeRunner runner(type_playing(*fixture.model), fixture.config());
    const Sound out = runner.run(mono(fixture.input), {}, fixture.moves);
    double squares = 0.;
    for (std::size_t k = 0; k < fixture.expected.size(); ++k) {
        const double error = std::abs(double{out[0][k]} - double{fixture.expected[k]});
        parity.max_error = std::max(parity.max_error, error);
        squares += error * error;
    }
    parity.rms_error = std::sqrt(squares / static_cast<double>(fixture.expected.size()));
    return parity;
}

}  // namespace

TEST_CASE("parity: published checkpoints match their formulas", "[parity]") {
    const std::vector<Published> all{
        {"s4d/dssm-c32-n4-tanh", "s4d", "torch", false},
        {"s4d/dssm-c32-n4-product", "s4d", "torch", false},
        {"s6/cl1b-recurrent", "s6", "numpy"},
        {"ed-lstm/cl1b-w16", "ed_lstm", "h5py"},
        {"greybox/1-hard-onepole-static", "grey_box"},
        {"greybox/2-hard-switching-static", "grey_box"},
        {"greybox/5-hard-switching-gru", "grey_box"},
        {"tcn/la2a-utcn300", "tcn", "numpy"},
        {"baseline/lstm32", "lstm"},
        {"baseline/gru8", "gru"},
    };
    print_heading();
    for (const Published& each : all) {
        const auto facts = each.speaks_of_itself ? nlohmann::json::object() : facts_of(each.name);
        const auto reference = import_reference(each.name, each.family, facts, each.needs);
        if (!reference) continue;
        const Parity parity = test::parity_of(type_playing(*reference->model), *reference);
        print_row(each.name, *reference->model, parity, reference->tolerance, reference->latency_samples);
        INFO(each.name);
        CHECK(parity.broken == "");
        CHECK(parity.max_error <= reference->tolerance);
    }
}

TEST_CASE("parity: every small model in the tree matches its formulas while its knobs move", "[parity]") {
    print_heading();
    int count = 0;
    const auto data = std::filesystem::path(source_dir()) / "tests/data";
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(data))
        if (entry.path().extension() == ".safetensors") names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
        const std::size_t dash = name.find('-');
        const Fixture fixture(name.substr(0, dash), name.substr(dash + 1));
        const Parity parity = parity_of(fixture);
        const int latency =
            NodeRunner(type_playing(*fixture.model), fixture.config()).node().latency_samples();
        // outputs of up to 3, and float32 maths of about ten layers; measured: at most 9e-7
        constexpr double allowed = 5e-6;
        print_row("tests/data/" + name, *fixture.model, parity, allowed, latency);
        INFO(name);
        CHECK(parity.max_error < allowed);
        ++count;
    }
    CHECK(count >= 7);
}

}  // namespace gainstage::test::parity_test
