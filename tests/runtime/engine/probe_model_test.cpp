#include "runtime/engine/probe_model.hpp"

#include <algorithm>
#include <cmath>

#include "nodes/all_nodes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"

namespace gainstage::test::probe_model_test {

namespace {

const std::string opto = source_dir() + "/models/opto-textbook.safetensors";

ModelProbe probe_of(const ModelFile& parts) {
    const TemporaryFolder folder;
    return probe_model(read_model_file(save(folder, "m.safetensors", parts)), all_nodes());
}

/// The textbook compressor with another make-up stage: y = v + out tanh(...).
ModelFile with_cell(std::vector<float> input, std::vector<float> hidden, float bias, std::vector<float> out) {
    ModelFile parts = model_parts(opto);
    std::erase_if(parts.tensors, [](const Tensor& tensor) { return tensor.name.starts_with("makeup."); });
    const auto units = static_cast<std::int64_t>(out.size());
    const auto add = [&](const std::string& name, std::vector<std::int64_t> shape, std::vector<float> data) {
        parts.tensors.push_back(
            {.name = "makeup." + name, .shape = std::move(shape), .data = std::move(data)});
    };
    add("weight_ih", {units, 1}, std::move(input));
    add("weight_hh", {units, units}, std::move(hidden));
    add("bias_ih", {units}, std::vector<float>(out.size(), bias));
    add("bias_hh", {units}, std::vector<float>(out.size(), 0.f));
    add("out.weight", {1, units}, std::move(out));
    add("out.bias", {1}, {0.f});
    configure(parts, "makeup", "rnn");
    return parts;
}

bool warns(const ModelProbe& probe, const std::string& of) {
    return std::any_of(probe.warnings.begin(), probe.warnings.end(),
                       [&](const std::string& warning) { return warning.find(of) != std::string::npos; });
}

}  // namespace

TEST_CASE("probe: a well-behaved compressor is measured without a warning") {
    const ModelProbe probe = probe_of(model_parts(opto));
    CHECK(probe.warnings == std::vector<std::string>{});
    CHECK(probe.levels.front().in_dbfs == -60.);
    // below the threshold the gain is 1, within the float maths of the curve; above it the gain falls with
    // the level
    CHECK(probe.levels.front().gain_db == Approx(0.).margin(0.01));
    CHECK(probe.levels.back().gain_db < -10.);
    CHECK(probe.dc_dbfs == -200.);
    CHECK(probe.hum_dbfs == -200.);
}

TEST_CASE("probe: it finds DC at silence") {
    ModelFile parts = model_parts(opto);
    tensor_of(parts, "makeup.bias").data.at(0) = 0.01f;
    const ModelProbe probe = probe_of(parts);
    CHECK(probe.dc_dbfs == Approx(-40.).margin(0.01));  // tanh(0.01), make-up factor 1
    CHECK(warns(probe, "DC of -40.0 dBFS"));
    CHECK(probe.warnings.size() == 1);
}

TEST_CASE("probe: it finds the thump of a model that starts from zero, and none of one that is settled") {
    const auto gru = read_model_file(source_dir() + "/models/opto-gru.safetensors");
    const ModelProbe probe = probe_model(gru, all_nodes());
    CHECK(probe.thump_dbfs < -70.);
    CHECK(warnings_at_silence(gru, all_nodes()).empty());
    const std::vector<std::string> at_silence =
        warnings_at_silence(gru, all_nodes(), std::chrono::seconds(60), "start = \"zero\"\n");
    REQUIRE(at_silence.size() >= 1);
    CHECK(at_silence.front().starts_with("thumps when it starts, at -35"));
    CHECK(warnings_at_silence(read_model_file(opto), all_nodes()).empty());
}

TEST_CASE("probe: a model that somebody has prepared is not prepared again") {
    const auto model = read_model_file(opto);
    PreparedModels prepared;
    const auto held = prepared.get(*type_that_plays(all_nodes(), model->architecture), *model, 48'000.);
    const std::uint64_t made = Prepared::counts().made;
    probe_model(model, all_nodes(), &prepared);
    const std::size_t rests = held->rests().size();
    CHECK(rests == 1 + (std::size_t{1} << model->controls.size()));  // the defaults, and the corners
    warnings_at_silence(model, all_nodes(), std::chrono::seconds(5), "", &prepared);
    CHECK(held->rests().size() == rests);
    CHECK(Prepared::counts().made == made);
}

TEST_CASE("probe: it finds a model that sounds by itself") {
    // a rotation by 1 rad a sample that grows until tanh limits it
    const float a = 1.3f * std::cos(1.f), b = 1.3f * std::sin(1.f);
    const ModelProbe probe = probe_of(with_cell({0.f, 0.f}, {a, -b, b, a}, 0.1f, {0.1f, 0.f}));
    CHECK(probe.hum_dbfs > -40.);
    CHECK(warns(probe, "sounds by itself at silence"));
}

TEST_CASE("probe: it finds the level from which a model blows up, and the knobs") {
    // y = v + 100 tanh(v): beyond +24 dBFS where v, after the compressor, exceeds 0.16
    const ModelProbe probe = probe_of(with_cell({1.f}, {0.f}, 0.f, {100.f}));
    CHECK(warns(probe, "blows up on a tone of"));
    CHECK(warns(probe, "peak_reduction = 0"));
    const auto first = std::find_if(probe.levels.begin(), probe.levels.end(),
                                    [](const ModelProbe::Level& level) { return level.blows_up; });
    REQUIRE(first != probe.levels.end());
    CHECK(first->in_dbfs > -30.);
    CHECK(!probe.levels.front().blows_up);
    CHECK(probe.levels.front().gain_db == Approx(40.1).margin(0.1));  // 101 times
}

}  // namespace gainstage::test::probe_model_test
