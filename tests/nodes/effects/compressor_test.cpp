#include "nodes/effects/compressor.hpp"

#include <cmath>

#include "tests/nodes/contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"

namespace gainstage::test::compressor_test {

namespace {

using Knobs = std::vector<std::pair<std::string, float>>;

float amplitude(double db) {
    return static_cast<float>(std::pow(10., db / 20.));
}

/// Giannoulis et al. 2012, eq. 4, as printed.
double paper_output_db(double x, double threshold, double ratio, double knee) {
    if (2. * (x - threshold) < -knee) return x;
    if (2. * std::abs(x - threshold) <= knee && knee > 0.)
        return x + (1. / ratio - 1.) * std::pow(x - threshold + knee / 2., 2.) / (2. * knee);
    return threshold + (x - threshold) / ratio;
}

/// Reduction in dB at every frame, for a programme of constant amplitude `in`.
double reduction_db(float out, double in) {
    return -to_db(out / in);
}

/// Frames after `from` until the reduction has gone 63 % of the way from `start_db` to `end_db`.
int frames_to_63_percent(const Channel& out, const Channel& in, int from, double start_db, double end_db) {
    const double goal = end_db + (start_db - end_db) * std::exp(-1.);
    for (int k = from; k < static_cast<int>(out.size()); ++k) {
        const auto n = static_cast<std::size_t>(k);
        if ((reduction_db(out[n], in[n]) >= goal) == (end_db > start_db)) return k - from;
    }
    return -1;
}

}  // namespace

TEST_CASE("compressor: the static curve is that of the paper, hard and soft") {
    // Square waves have one amplitude, so the detector has nothing to smooth. Float log2 and exp2: 0.001 dB.
    for (const auto& [ratio, knee] : {std::pair{4.f, 0.f}, std::pair{4.f, 12.f}, std::pair{100.f, 24.f},
                                      std::pair{1.f, 6.f}, std::pair{1.5f, 6.f}})
        for (double level = -60.; level <= 12.; level += 1.5) {
            NodeRunner compressor(
                Compressor::type(),
                {.params = {
                     {"threshold_db", -24.f}, {"ratio", ratio}, {"knee_db", knee}, {"attack_ms", 1.f}}});
            const Channel out = compressor.run(mono(square(4800, 1000., 48'000., amplitude(level))))[0];
            INFO(level << " dB, ratio " << ratio << ", knee " << knee);
            CHECK(rms_db(part(out, 2400)) == Approx(paper_output_db(level, -24., ratio, knee)).margin(0.01));
        }
}

TEST_CASE("compressor: attack and release reach 63 % in their time, with either detector") {
    // +-1 sample of the grid and float rounding: 2 %. The decoupled release is followed by the attack (0.5 ms
    // of 200), as in the paper.
    for (const char* detector : {"smooth_decoupled", "smooth_branching"}) {
        NodeRunner compressor(Compressor::type(), {.options = {{"detector", std::string(detector)}},
                                                   .params = {{"threshold_db", -30.f},
                                                              {"ratio", 5.f},
                                                              {"knee_db", 0.f},
                                                              {"attack_ms", 20.f},
                                                              {"release_ms", 200.f}}});
        const Channel soft = constant(4800, amplitude(-40.)), loud = constant(48'000, amplitude(-10.));
        Channel in = soft;
        in.insert(in.end(), loud.begin(), loud.end());
        const Channel out = compressor.run(mono(in))[0];
        CHECK(frames_to_63_percent(out, in, 4800, 0., 16.) == Approx(960).epsilon(0.02));
    }
    for (const char* detector : {"smooth_decoupled", "smooth_branching"}) {
        NodeRunner compressor(Compressor::type(), {.options = {{"detector", std::string(detector)}},
                                                   .params = {{"threshold_db", -30.f},
                                                              {"ratio", 5.f},
                                                              {"knee_db", 0.f},
                                                              {"attack_ms", 0.5f},
                                                              {"release_ms", 200.f}}});
        Channel in = constant(9600, amplitude(-10.));
        in.resize(96'000, amplitude(-40.));
        const Channel out = compressor.run(mono(in))[0];
        CHECK(frames_to_63_percent(out, in, 9600, 16., 0.) == Approx(9600).epsilon(0.02));
    }
}

TEST_CASE("compressor: a tone is turned down by its peak, with little distortion") {
    NodeRunner compressor(Compressor::type(), {.params = {{"threshold_db", -20.f},
                                                          {"ratio", 4.f},
                                                          {"knee_db", 0.f},
                                                          {"attack_ms", 10.f},
                                                          {"release_ms", 300.f}}});
    const double hz = whole_periods_hz(1000., 48'000, 48'000.);
    const Channel in = sine(96'000, hz, 48'000., 1.);
    const Channel out = compressor.run(mono(in))[0];
    const Distortion tone = distortion(part(out, 48'000), hz, 48'000.);
    // The peaks (0 dB) need 15 dB; between them the hold leaks 0.5 ms of 300: 0.03 dB at most.
    CHECK(tone.fundamental_db == Approx(-15.).margin(0.05));
    CHECK(tone.harmonics_db < -70.);
}

TEST_CASE("compressor: below the knee no bit is changed, at any mix") {
    const Channel quiet = white_noise(4800, 1, amplitude(-24.));
    for (const float mix : {0.f, 30.f, 100.f}) {
        NodeRunner compressor(Compressor::type(), {.params = {{"mix_percent", mix}}});  // -20 dB, knee 6 dB
        CHECK(bit_difference(compressor.run(mono(quiet)), mono(quiet)).empty());
    }
}

TEST_CASE("compressor: makeup lifts the compressed sound and mix adds the untouched one") {
    const Knobs curve{{"threshold_db", -20.f}, {"ratio", 2.f}, {"knee_db", 0.f}, {"attack_ms", 1.f}};
    const auto level_with = [&](float makeup_db, float mix) {
        Knobs knobs = curve;
        knobs.insert(knobs.end(), {{"makeup_db", makeup_db}, {"mix_percent", mix}});
        NodeRunner compressor(Compressor::type(), {.params = knobs});
        return to_db(compressor.run(mono(constant(4800, 1.f)))[0].back());  // 10 dB of reduction
    };
    CHECK(level_with(0.f, 100.f) == Approx(-10.).margin(0.001));
    CHECK(level_with(6.f, 100.f) == Approx(-4.).margin(0.001));
    CHECK(level_with(6.f, 0.f) == Approx(0.).margin(0.001));
    CHECK(level_with(6.f, 50.f) == Approx(to_db(0.5 + 0.5 * amplitude(-4.))).margin(0.001));
}

TEST_CASE("compressor: a connected sidechain sets the gain instead of the programme") {
    NodeRunner ducker(Compressor::type(),
                      {.channels = 2,
                       .input_channels = {2, 1},
                       .params = {{"threshold_db", -20.f}, {"ratio", 4.f}, {"knee_db", 0.f}}});
    const Sound quiet = stereo(constant(48'000, 0.01f), constant(48'000, 0.02f));
    const Sound ducked = ducker.run({quiet, mono(constant(48'000, 1.f))})[0];
    CHECK(to_db(ducked[0].back()) == Approx(-40. - 15.).margin(0.01));
    CHECK(ducked[1].back() == Approx(2. * ducked[0].back()));
}

TEST_CASE("compressor: linked, the louder channel turns down both; unlinked, each turns down itself") {
    const Sound in = stereo(constant(48'000, 1.f), constant(48'000, 0.01f));
    const Knobs knobs{{"threshold_db", -20.f}, {"ratio", 4.f}, {"knee_db", 0.f}};
    const Sound linked = NodeRunner(Compressor::type(), {.channels = 2, .params = knobs}).run(in);
    CHECK(to_db(linked[0].back()) == Approx(-15.).margin(0.01));
    CHECK(to_db(linked[1].back()) == Approx(-40. - 15.).margin(0.01));
    const Sound apart =
        NodeRunner(Compressor::type(), {.channels = 2, .options = {{"link", false}}, .params = knobs})
            .run(in);
    CHECK(to_db(apart[0].back()) == Approx(-15.).margin(0.01));
    CHECK(apart[1].back() == 0.01f);
}

TEST_CASE("compressor: reports its gain reduction") {
    NodeRunner compressor(Compressor::type(),
                          {.params = {{"ratio", 4.f}, {"knee_db", 0.f}, {"makeup_db", 10.f}}});
    compressor.run(mono(constant(48'000, 1.f)));
    CHECK(compressor.reading("gain_reduction_db") == Approx(15.).margin(0.01));
}

TEST_CASE("compressor: turning its knobs makes no zipper noise") {
    // 5 of the 64 leave room for the detector's own motion. The threshold is always below the tone (-12 dB).
    const NodeConfig config{.params = {{"ratio", 2.f}, {"threshold_db", -30.f}, {"attack_ms", 0.05f}}};
    for (const auto& [knob, low, high] :
         {std::tuple{"threshold_db", -40.f, -30.f}, std::tuple{"ratio", 2.f, 8.f},
          std::tuple{"makeup_db", -6.f, 0.f}, std::tuple{"mix_percent", 20.f, 100.f}}) {
        INFO(knob);
        CHECK(staircase_left(Compressor::type(), config, knob, low, high) < 5. / 64.);
    }
}

TEST_CASE("compressor: keeps the promises of a node") {
    const Ports in{stereo(bursts(6000, 300., 48'000., 0.02, 0.03, 0.9, 0.01), white_noise(6000, 1, 0.3f)),
                   stereo(bursts(6000, 900., 48'000., 0.03, 0.01, 0.5, 0.01), white_noise(6000, 2, 0.1f))};
    const std::vector<Move> moves{{100, "threshold_db", -40.f}, {700, "ratio", 20.f},
                                  {900, "knee_db", 0.f},        {2000, "release_ms", 5.f},
                                  {2100, "makeup_db", 12.f},    {2500, "attack_ms", 1.f},
                                  {3000, "mix_percent", 40.f},  {5900, "threshold_db", 0.f}};
    for (const bool link : {true, false})
        for (const char* detector : {"smooth_decoupled", "smooth_branching"})
            for (const std::vector<int>& cables : {std::vector{2, 0}, std::vector{2, 1}, std::vector{2, 2}}) {
                const NodeConfig config{.channels = 2,
                                        .input_channels = cables,
                                        .options = {{"link", link}, {"detector", std::string(detector)}}};
                CHECK(broken_promise(Compressor::type(), config, in, moves) == "");
                CHECK(not_finite(Compressor::type(), config, in) == "");
            }
}

}  // namespace gainstage::test::compressor_test
