/// A session in which nothing happens.

#include <algorithm>

#include "tests/stage/program.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::idle_test {

TEST_CASE("the loop of an idle session takes less than half a per cent of a core", "[.alone]") {
    // The least of a few takes: what else runs on the machine makes the same turns dearer.
    double least = 1.;
    for (int take = 0; take < 6 && least >= 0.005; ++take) {
        Program live({"run", source_dir() + "/patches/hello.toml", "--null", "--json", "--rehearse",
                      "--seconds", "5"});
        REQUIRE(live.wait() == 0);
        const auto summary = live.events("summary").at(0);
        INFO(summary.dump());
        CHECK(summary.at("control_load") > 0.);
        CHECK(summary.at("longest_turn_ms") > 0.);
        least = std::min(least, summary.at("control_load").get<double>());
    }
    CHECK(least < 0.005);
}

TEST_CASE("a meter's readings are in every status, with their units") {
    const TemporaryFolder folder;
    const std::string file = folder.write(
        "song.toml", patch(R"("in -> trim -> level -> out")", gain("trim", 0.) + node("level", "meter")));
    Program live({"run", file, "--null", "--json", "--seconds", "1.5"});
    REQUIRE(live.wait() == 0);
    REQUIRE_FALSE(live.events("status").empty());
    const auto readings = live.events("status").back().at("readings");
    REQUIRE(readings.size() == 3);
    CHECK(readings[0].at("node") == "level");
    CHECK(readings[0].at("name") == "peak_dbfs");
    CHECK(readings[0].at("unit") == "dBFS");
    CHECK(readings[0].at("value") < -100.);  // there is no input
    CHECK(readings[2].at("name") == "gain_reduction_db");
}

TEST_CASE("the latency is told at the start and in every status, in its parts") {
    const TemporaryFolder folder;
    const std::string file =
        folder.write("song.toml", patch(R"("in -> limit -> out")", node("limit", "limiter")));
    Program live({"run", file, "--null", "--block", "96", "--json", "--seconds", "1.5"});
    REQUIRE(live.wait() == 0);
    REQUIRE_FALSE(live.events("started").empty());
    const std::string text = live.events("started").front().at("text");
    CHECK(has(text, ", latency "));
    CHECK(has(text, ", period 2.0, driver 0.0; "));
    REQUIRE_FALSE(live.events("status").empty());
    const auto latency = live.events("status").back().at("latency_ms");
    CHECK(latency.at("period") == 2.);
    CHECK(latency.at("driver") == 0.);
    CHECK(latency.at("patch") > 0.5);  // the limiter looks ahead
    CHECK(latency.at("total").get<double>() == Approx(latency.at("patch").get<double>() + 2.));
}

}  // namespace gainstage::test::idle_test
