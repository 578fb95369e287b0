/// Plain effects at the rails of their knobs, and knobs that jump in silence.

#include <cmath>
#include <map>

#include "runtime/realtime/guard.hpp"
#include "tests/nodes/node_cases.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"

namespace gainstage::test::rails_test {

namespace {

using Setting = std::vector<std::pair<std::string, float>>;

/// Each knob alone at either rail, and all of them in mixtures of rails: in all mixtures for up to five
/// knobs.
std::vector<Setting> rails_of(const std::vector<ParamSpec>& params) {
    std::vector<Setting> settings{{}};
    const std::size_t count = params.size();
    for (const ParamSpec& spec : params)
        for (const float rail : {spec.min, spec.max}) settings.push_back({{spec.name, rail}});
    const std::size_t mixtures = std::size_t{1} << std::min<std::size_t>(count, 5);
    for (std::size_t mixture = 0; mixture < mixtures; ++mixture) {
        Setting& setting = settings.emplace_back();
        for (std::size_t p = 0; p < count; ++p)
            setting.emplace_back(params[p].name, mixture >> p % 5 & 1 ? params[p].max : params[p].min);
    }
    return settings;
}

/// Stereo and mono, every value of every option; at one rate.
std::vector<Case> plain_cases() {
    std::vector<Case> cases;
    for (Case& each : all_cases())
        if (each.type->architecture.empty() && each.config.sample_rate_hz == 48'000.)
            cases.push_back(std::move(each));
    return cases;
}

constexpr int frames = 9'600;

/// Squares, sines and steps.
std::vector<Channel> loud_sounds(float amplitude) {
    std::vector<Channel> sounds{constant(frames, amplitude), constant(frames, -amplitude)};
    for (const double hz : {10., 997., 20'000.}) sounds.push_back(sine(frames, hz, 48'000., amplitude));
    for (const double hz : {10., 997.}) sounds.push_back(square(frames, hz, 48'000., amplitude));
    return sounds;
}

double peak_of(const Ports& ports) {
    double highest = 0.;
    for (const Sound& sound : ports)
        for (const Channel& channel : sound) highest = std::max(highest, peak(channel));
    return highest;
}

}  // namespace

TEST_CASE(
    "rails: no plain effect trips, whatever its knobs say, on squares, sines and steps at 0 and +24 dBFS") {
    std::map<std::string, double> loudest;  // by type
    for (const Case& each : plain_cases())
        for (const Setting& setting : rails_of(each.type->params)) {
            Case railed = each;
            railed.config.params = setting;
            for (const float amplitude : {1.f, 15.849f})
                for (const Channel& channel : loud_sounds(amplitude)) {
                    const Ports out = railed.runner().run(railed.ports(mono(channel)));
                    bool finite = true;
                    for (const Sound& sound : out) finite = finite && all_finite(sound);
                    REQUIRE(finite);
                    double& highest = loudest[each.type->name];
                    highest = std::max(highest, peak_of(out));
                }
        }
    for (const auto& [type, highest] : loudest) {
        INFO(type << " reaches " << 20. * std::log10(highest) << " dBFS");
        CHECK(highest <= double{plain_ceiling});
    }
    CHECK(loudest["filter"] > 1'000.);  // the test does go to the rails
}

TEST_CASE("rails: any knob of a plain effect that jumps in silence is silent, below -100 dBFS") {
    constexpr int settle = 2'400, hold = 1'200;
    for (const Case& each : plain_cases()) {
        const std::vector<ParamSpec>& params = each.type->params;
        for (const ParamSpec& jumping : params)
            for (const Setting& others : {Setting{}, rails_of(params).back()})
                for (const float smooth_ms : {0.f, 0.05f, 20.f}) {
                    Case at = each;
                    at.config.params = others;
                    std::vector<Move> moves;
                    const float middle = 0.5f * (jumping.min + jumping.max);
                    for (const float value :
                         {jumping.min, jumping.max, jumping.min, middle, jumping.max, middle})
                        moves.push_back(
                            {settle + hold * static_cast<int>(moves.size()), jumping.name, value, smooth_ms});
                    const int length = settle + hold * static_cast<int>(moves.size() + 1);
                    const double highest =
                        peak_of(at.runner().run(at.ports(mono(silence(length))), {}, moves));
                    INFO(each.name << ", " << jumping.name << " with smooth_ms = " << smooth_ms
                                   << (others.empty() ? "" : ", others at their upper rails"));
                    CHECK(highest < 1e-5);
                }
    }
}

}  // namespace gainstage::test::rails_test
