/// What `gainstage bench` and `gainstage-lab bench` measure.

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/words.hpp"
#include "tests/tools/cli.hpp"

namespace gainstage::test::bench_command_test {

using Json = nlohmann::json;

TEST_CASE("the lab's products that can't be written end with 73 too") {
    if (!std::filesystem::exists("/dev/full")) return;
    CHECK(run("sh -c '" + lab_path() + " --help >/dev/full'", "").exit_code == 73);
    CHECK(run("sh -c '" + lab_path() + " bench --all --only \"GRU 8\" --seconds 0.1 --json >/dev/full'", "")
              .exit_code == 73);
    CHECK(run("sh -c '" + lab_path() + " dance 2>/dev/full'", "").exit_code == 64);
}

TEST_CASE("gainstage-lab bench --all measures a family beside plain Eigen") {
    const Outcome outcome = lab_run("bench --all --only 'GRU 8' --seconds 0.1 --json");
    REQUIRE(outcome.exit_code == 0);
    const Json json = Json::parse(outcome.out);
    CHECK(json["fma_gflops"] > 0.);
    REQUIRE(json["models"].size() == 1);
    const Json& model = json["models"][0];
    CHECK(model["blocks"].size() == 5);
    for (const auto& block : model["blocks"]) {
        CHECK(block["median_ns"] > 0.);
        // One is of single blocks, the other of runs of them, timed in turn.
        CHECK(block["p99_ns"] >= 0.8 * block["median_ns"].get<double>());
        CHECK(block["max_ns"] >= block["p99_ns"]);
        CHECK(block["plain_median_ns"] > 0.);
    }
    const double allowed = model["cold_allowed_us"];
    for (const std::string emptied : {"cold", "evicted"}) {
        const double cost = model[emptied + "_block_us"];
        CHECK(cost > 0.);
        CHECK(model[emptied + "_met"] == (cost <= allowed));
    }
    CHECK(allowed <= 0.25 * 32. / 48'000. * 1e6);
    // 297 weights and biases; what a block of 32 frames writes is some thousands of floats
    CHECK(model["touched_bytes"] > 4. * 300.);
    CHECK(model["touched_bytes"] < 4. * 10'000.);
    CHECK(model["worst_phase_over_median"] >= 1.);
    CHECK(model["phase_met"] == (model["worst_phase_over_median"] <= 1.3));
    CHECK(lab_run("").exit_code == 64);
    const Outcome lone = lab_run("bench --only 'GRU 8'");
    CHECK(lone.exit_code == 64);
    CHECK(has(lone.err, "--all is required"));
}

TEST_CASE("gainstage-lab bench --all measures other engines in turn with ours") {
    const std::string small = "bench --all --only 'GRU 8' --seconds 0.1 ";
    const Outcome outcome = lab_run(small + "--json --beside " + copying_peer_path());
    REQUIRE(outcome.exit_code == 0);
    const Json model = Json::parse(outcome.out)["models"][0];
    const Json& peers = model["beside"];
    REQUIRE(peers.size() == 2);
    CHECK(peers[0]["name"] == "gainstage");
    CHECK(has(peers[1]["name"], "copying_peer"));
    const double mine = peers[0]["median_ns"], other = peers[1]["median_ns"];
    CHECK(mine > 0.);
    CHECK(model["times_fastest_peer"] == other / mine);
    CHECK(model["peer_met"] == (other / mine >= 1.05));

    CHECK(has(lab_run(small + "--beside " + copying_peer_path()).out, "FASTEST OTHER"));
    const Outcome without =
        lab_run("bench --all --only 'GRU 32' --seconds 0.1 --json --beside " + copying_peer_path());
    CHECK_FALSE(Json::parse(without.out)["models"][0].contains("beside"));
    CHECK(has(lab_run("bench --beside " + copying_peer_path()).err, "--all is required"));
    CHECK(lab_run(small + "--beside no-such.so").exit_code == 64);
    const Outcome wrong = lab_run(small + "--beside README.md");
    CHECK(wrong.exit_code == 65);
    CHECK(has(wrong.err, "README.md: cannot be loaded: "));
}

TEST_CASE("gainstage bench --all says which program has it now") {
    for (const std::string arguments : {"bench --all", "bench --all --only 'GRU 8' --json", "bench"}) {
        const Outcome outcome = gainstage_run(arguments);
        INFO(arguments << ": " << outcome.err);
        CHECK(outcome.exit_code == 64);
        CHECK(outcome.out.empty());
        CHECK(has(outcome.err, "gainstage-lab bench --all") == has(arguments, "--all"));
    }
    CHECK_FALSE(has(gainstage_run("bench --help").out, "--all"));
}

TEST_CASE("bench tells what a patch and a model cost, at every block size") {
    for (const std::string file : {"patches/hello.toml", "models/opto-textbook.safetensors"}) {
        const Outcome outcome = gainstage_run("bench --json --seconds 0.1 " + file);
        INFO(outcome.err);
        REQUIRE(outcome.exit_code == 0);
        const auto json = nlohmann::json::parse(outcome.out);
        REQUIRE(json.at("blocks").size() == 6);
        for (const auto& block : json.at("blocks")) {
            CHECK(block.at("median_us").get<double>() > 0.);
            CHECK(block.at("max_us").get<double>() >= block.at("median_us").get<double>());
        }
    }
    CHECK(gainstage_run("bench no-such.safetensors").exit_code == 66);
}

}  // namespace gainstage::test::bench_command_test
