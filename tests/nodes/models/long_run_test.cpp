/// Checks that states that never end do not drift away from the formulas. Three seconds each by default;
/// GAINSTAGE_LONG_RUN_SECONDS=600 test_models "[long]" plays ten minutes and prints the results.

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "nodes/all_nodes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/double_twin.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/type_playing.hpp"

namespace gainstage::test::long_run_test {

namespace {

double seconds_to_play() {
    const char* said = std::getenv("GAINSTAGE_LONG_RUN_SECONDS");
    return said ? std::max(1., std::atof(said)) : 3.;
}

/// One second of music-like material, with another level, pitch and density each time.
Channel material(int second, double rate_hz) {
    const auto frames = static_cast<int>(rate_hz);
    const double level = 0.05 + 0.45 * ((second * 7) % 10) / 10.;
    Channel sound = bursts(frames, 80. + 37. * (second % 23), rate_hz, 0.23, 0.11, level, level / 30.);
    const Channel noise = pink_noise(frames, static_cast<std::uint32_t>(second + 1), 0.1f);
    for (std::size_t k = 0; k < sound.size(); ++k)
        sound[k] = second % 11 == 10 ? 0.f : sound[k] + noise[k];  // and a rest now and then
    return sound;
}

/// Largest error of each second.
std::vector<double> errors_of(const Fixture& fixture, double seconds) {
    const auto twin = double_twin(fixture.model);
    NodeRunner runner(type_playing(*fixture.model),
                      {.sample_rate_hz = fixture.model->sample_rate_hz, .model = fixture.model});
    std::vector<double> errors;
    for (int second = 0; second < static_cast<int>(seconds); ++second) {
        const Channel in = material(second, fixture.model->sample_rate_hz);
        const Sound out = runner.run(mono(in), {64});
        double worst = 0.;
        for (std::size_t k = 0; k < in.size(); ++k)
            worst = std::max(worst, std::abs(double{out[0][k]} - twin->play(double{in[k]})));
        errors.push_back(worst);
    }
    return errors;
}

}  // namespace

TEST_CASE("long run: nothing drifts away from its formulas", "[long]") {
    const std::vector<std::pair<std::string, std::string>> all{{"s4d", "conditional"},
                                                               {"s4d", "fixed-gain"},
                                                               {"s4d", "side-chain"},
                                                               {"s6", "recurrent"},
                                                               {"s6", "plain"},
                                                               {"lstm", "two-knobs"},
                                                               {"gru", "two-layers"},
                                                               {"ed_lstm", "carried"},
                                                               {"grey_box", "rnn-gru-hard"},
                                                               {"grey_box", "switching-soft"},
                                                               {"grey_box", "gru-rnn-two-knobs"}};
    const double seconds = seconds_to_play();
    for (const auto& [family, name] : all) {
        const std::vector<double> errors = errors_of(Fixture(family, name), seconds);
        const std::size_t tenth = std::max<std::size_t>(1, errors.size() / 10);
        const double worst = *std::max_element(errors.begin(), errors.end());
        const double first = *std::max_element(errors.begin(), errors.begin() + static_cast<long>(tenth));
        const double last = *std::max_element(errors.end() - static_cast<long>(tenth), errors.end());
        fmt::print("{} {}: {:.0f} s, max error {:.1e}, in the first tenth {:.1e}, in the last {:.1e}\n",
                   family, name, seconds, worst, first, last);
        INFO(family << " " << name);
        CHECK(worst < 1e-5);
    }
}

}  // namespace gainstage::test::long_run_test
