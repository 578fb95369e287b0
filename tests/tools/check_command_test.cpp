/// What `gainstage check` says of patches, right and wrong ones.

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/words.hpp"
#include "tests/tools/cli.hpp"

namespace gainstage::test::check_command_test {

using Json = nlohmann::json;

TEST_CASE("check says of every shipped patch that it is ok, and beneath where its latency comes from") {
    const Outcome outcome = gainstage_run("check patches/*.toml");
    INFO(outcome.err);
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.err.empty());
    CHECK(has(outcome.out, "patches/vocal.toml: ok ("));
    int patches = 0;
    for (const auto& entry : std::filesystem::directory_iterator(source_dir() + "/patches"))
        patches += entry.path().extension() == ".toml";
    CHECK(headings(outcome.out) == patches);
    CHECK(has(outcome.out, "\n  safety "));
}

TEST_CASE("check reports every problem of a patch with its place, and exits with 65") {
    const std::string file = patch_file(
        "wrong.toml",
        in_and_out + "[nodes.trim]\ntype = \"gian\"\n[nodes.loud]\ntype = \"gain\"\ngain_db = 500.0\n",
        "[\"in -> loud -> out\"]");
    const Outcome outcome = gainstage_run("check " + file);
    CHECK(outcome.exit_code == 65);
    CHECK(outcome.out.empty());
    CHECK(has(outcome.err, file + ":11:"));
    CHECK(has(outcome.err, "\"gain\""));  // the nearest name
    CHECK(has(outcome.err, file + ":14:"));
    CHECK(has(outcome.err, "nodes.loud.gain_db"));
}

TEST_CASE("check exits with 66 for a file that is not there, and still checks the others") {
    const Outcome outcome = gainstage_run("check nowhere.toml patches/hello.toml");
    CHECK(outcome.exit_code == 66);
    CHECK(has(outcome.err, "nowhere.toml"));
    CHECK(has(outcome.out, "patches/hello.toml: ok"));
}

TEST_CASE("check lists the scenes of a patch") {
    const Outcome outcome = gainstage_run("check patches/vocal.toml");
    CHECK(has(outcome.out, "\n  3 scenes: verse, chorus, talk\n"));
    const Json json = Json::parse(gainstage_run("check --json patches/vocal.toml patches/hello.toml").out);
    CHECK(json[0]["scenes"] == Json{"verse", "chorus", "talk"});
    CHECK(json[1]["scenes"] == Json::array());
    std::string tables;
    for (int s = 0; s < 12; ++s) tables += "[scenes.s" + std::to_string(s) + "]\n";
    const Outcome many =
        gainstage_run("check " + patch_file("many.toml", in_and_out + tables, "[\"in -> out\"]"));
    CHECK(has(many.out,
              "\n  12 scenes: s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 2 more; check --json lists them\n"));
}

TEST_CASE("check --json is one list, with the same verdicts") {
    const std::string bad = patch_file("bad.toml", in_and_out, "[\"in -> nobody -> out\"]");
    const Outcome outcome = gainstage_run("check --json patches/hello.toml " + bad);
    CHECK(outcome.exit_code == 65);
    CHECK(outcome.err.empty());
    const Json json = Json::parse(outcome.out);
    REQUIRE(json.size() == 2);
    CHECK(json[0]["ok"] == true);
    CHECK(json[0]["nodes"] > 2);
    CHECK(json[0]["latency_samples"].is_number_integer());
    CHECK(json[1]["ok"] == false);
    CHECK(json[1]["problems"][0]["line"] == 3);
    CHECK_FALSE(json[1]["problems"][0]["message"].get<std::string>().empty());
}

TEST_CASE("check says how late the sound comes out, in samples of the given rate") {
    const std::string plain = patch_file("plain.toml", in_and_out, "[\"in -> out\"]");
    CHECK(has(gainstage_run("check " + plain).out, "(2 nodes, no latency)"));
    const std::string late = patch_file("late.toml", in_and_out + "[nodes.safety]\ntype = \"limiter\"\n",
                                        "[\"in -> safety -> out\"]");
    const Json json = Json::parse(gainstage_run("check --json --rate 96000 " + late).out);
    CHECK(json[0]["rate_hz"] == 96'000.);
    CHECK(json[0]["latency_samples"] > 96);  // more than a millisecond of look-ahead
}

TEST_CASE("check says which models play at another rate than their own, how, and what that costs") {
    ModelFile other = model_parts(source_dir() + "/tests/data/grey_box-rnn-gru-hard.safetensors");
    other.metadata["sample_rate"] = "44100";
    const std::string recurrent = save(scratch(), "recurrent.safetensors", other);
    const auto box = [&](const std::string& id, const std::string& model, const std::string& rate) {
        return "[nodes." + id + "]\ntype = \"grey_box\"\nmodel = \"" + model + "\"\nrate = \"" + rate +
               "\"\n";
    };
    const std::string plain = source_dir() + "/models/opto-textbook.safetensors";
    const auto file = [&](const std::string& rate) {
        return patch_file("rates.toml", in_and_out + box("one", recurrent, rate) + box("two", plain, rate),
                          "[\"in -> one -> two -> out\"]");
    };
    const Outcome said = gainstage_run("check --rate 48000 " + file("auto"));
    CHECK(said.exit_code == 0);
    CHECK(has(said.out, "latency 105 samples: 2.2 ms at 48000 Hz"));
    CHECK(has(said.out, "\n  one  105 samples (resampler)  plays at 44100 Hz, behind a resampler\n"));
    CHECK_FALSE(has(said.out, "  two"));  // made for this rate
    CHECK_FALSE(has(said.out, "heard"));
    CHECK(has(
        gainstage_run("check --rate 48000 --block 128 " + file("auto")).out,
        "\n  heard in blocks of 128 frames after at least 4.9 ms: patch 2.2, period 2.7, driver unknown\n"));
    const Json heard = Json::parse(gainstage_run("check --json --rate 48000 --block 96 " + file("auto")).out);
    CHECK(heard[0]["latency_ms"]["period"] == 2.);
    CHECK(heard[0]["latency_ms"]["total"].get<double>() == Approx(1000. * 201 / 48'000));
    const Json json = Json::parse(gainstage_run("check --json --rate 96000 " + file("auto")).out);
    CHECK_FALSE(json[0].contains("latency_ms"));
    REQUIRE(json[0]["timing"].size() == 2);
    CHECK(json[0]["timing"][0]["rate"] == "resampled");
    CHECK(json[0]["timing"][0]["resampler_samples"] == 209);
    CHECK(json[0]["timing"][1]["rate"] == "exact");
    CHECK(json[0]["timing"][1]["latency_samples"] == 0);

    const Outcome refused = gainstage_run("check --rate 48000 " + file("refuse"));
    CHECK(refused.exit_code == 65);
    CHECK(has(refused.err,
              ":13:1: nodes.one.rate: the model was made for 44100 Hz and the stream runs at "
              "48000 Hz; run at that rate, or write rate = \"auto\""));
    CHECK(gainstage_run("check --rate 44100 " + file("auto")).exit_code == 0);

    // Without --rate it is checked for the rate that a model insists on; two that differ can't both have
    // theirs.
    const Outcome two = gainstage_run("check " + file("refuse"));
    CHECK(two.exit_code == 65);
    CHECK(has(two.err, "nodes.two.rate: the model was made for 48000 Hz and the stream runs at 44100 Hz"));
    const std::string one =
        patch_file("one.toml", in_and_out + box("one", recurrent, "refuse"), "[\"in -> one -> out\"]");
    CHECK(has(gainstage_run("check " + one).out, "(3 nodes, no latency)"));
    CHECK(has(gainstage_run("check --rate 47999 " + file("auto")).err, "is no simple ratio of that"));
}

}  // namespace gainstage::test::check_command_test
