/// Models that play at their training rate behind a resampler.

#include "runtime/realtime/resampled.hpp"

#include <algorithm>
#include <cmath>

#include "nodes/layers/prepared_node.hpp"
#include "nodes/models/grey_box/grey_box.hpp"
#include "runtime/model/model.hpp"
#include "runtime/plan/build_node.hpp"
#include "tests/nodes/contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/places.hpp"

namespace gainstage::test::resampled_test {

namespace {

/// The weights of a model that does nothing. `Portable`: it plays at any rate by itself if it has no latency.
template <bool Portable>
struct PassWeights {
    PassWeights(const Model& model, double device_hz)
        : facts{.file = model.file,
                .model_rate_hz = model.sample_rate_hz,
                .sample_rate_hz = model.sample_rate_hz,
                .latency_samples = static_cast<int>(model.latency_samples)} {
        facts.plays_at_any_rate = Portable && facts.latency_samples == 0;
        if (facts.plays_at_any_rate) facts.sample_rate_hz = device_hz;
    }
    PreparedFacts facts;
};

/// Passes its input with the latency of its file, plus the value of its knob.
template <class Weights>
class Pass final : public Node {
public:
    Pass(const Setup& setup, const std::shared_ptr<const Weights>& weights)
        : latency_(weights->facts.latency_samples),
          max_frames_(setup.max_frames),
          past_(setup.channels, Channel(latency_)) {}

    void process(const Block& block) noexcept override {
        if (block.frames > max_frames_) std::abort();
        for (std::size_t c = 0; c < past_.size(); ++c)
            for (int k = 0; k < block.frames; ++k) {
                float x = block.in(0, static_cast<int>(c))[k];
                if (latency_ > 0) {
                    std::swap(x, past_[c][0]);
                    std::rotate(past_[c].begin(), past_[c].begin() + 1, past_[c].end());
                }
                block.out(0, static_cast<int>(c))[k] = x + block.param(0).at(block.time + k);
            }
    }
    void list_state(StateList& list) override { list.add(past_); }
    int latency_samples() const noexcept override { return latency_; }

private:
    const int latency_, max_frames_;
    Sound past_;
};

template <bool Portable>
NodeType pass_type() {
    using Weights = PassWeights<Portable>;
    return {.name = "pass",
            .summary = "a model of nothing",
            .inputs = {{.name = "in"}},
            .outputs = {{.name = "out"}},
            .params = {{.name = "level"}},
            .architecture = "pass",
            .prepare = prepare_node<Pass<Weights>, Weights>};
}
const NodeType pass = pass_type<false>();

NodeConfig played(double device_hz, double model_hz, int latency = 0, int channels = 1) {
    auto model = std::make_shared<Model>();
    model->file = "pass.safetensors";
    model->architecture = "pass";
    model->sample_rate_hz = model_hz;
    model->latency_samples = latency;
    return {.sample_rate_hz = device_hz, .channels = channels, .model = model};
}

constexpr double device_rates[] = {44'100., 48'000., 88'200., 96'000., 176'400., 192'000.};
constexpr double model_rates[] = {44'100., 48'000., 96'000.};

/// Six tones up to 19 kHz, unrelated to any rate, faded in and out.
Channel tones(int frames, double rate_hz) {
    Channel sum = silence(frames);
    for (const double hz : {117., 997., 3'511., 8'009., 14'431., 18'911.}) {
        const Channel tone = sine(frames, hz, rate_hz, 0.15, hz);
        for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += tone[k];
    }
    const double edge = 0.02 * rate_hz;
    for (int k = 0; k < frames; ++k) {
        const double from_end = std::min(1., std::min(k, frames - 1 - k) / edge);
        sum[k] *= static_cast<float>(0.5 - 0.5 * std::cos(3.14159265 * from_end));
    }
    return sum;
}

/// Largest difference between the output and the input `late` samples earlier.
double distance_when_late(const Channel& in, const Channel& out, int late) {
    return max_difference(part(in, 0, static_cast<int>(in.size()) - late), part(out, late));
}

std::string rates_of(const NodeConfig& config) {
    return std::to_string(static_cast<int>(config.model->sample_rate_hz)) + " Hz in " +
           std::to_string(static_cast<int>(config.sample_rate_hz)) + " Hz, latency " +
           std::to_string(config.model->latency_samples);
}

}  // namespace

TEST_CASE("resampled: the declared latency is a whole number of samples, and equals the measured one") {
    for (const double device_hz : device_rates)
        for (const double model_hz : model_rates)
            for (const int latency : {0, 1, 32, 700}) {
                const NodeConfig config = played(device_hz, model_hz, latency);
                INFO(rates_of(config));
                if (device_hz == model_hz) continue;
                NodeRunner runner(pass, config);
                const int declared = runner.node().latency_samples();
                const Channel in = tones(static_cast<int>(0.2 * device_hz), device_hz);
                const Channel out = runner.run(mono(in))[0];
                // Only images and aliases are left, 100 dB below each of six tones (measured: 1.2e-5). A
                // hundredth of a sample of the 18.9 kHz tone alone would be 1.8e-3 at 192 kHz.
                CHECK(distance_when_late(in, out, declared) < 3e-5);
                NodeRunner struck(pass, config);
                const Channel ring = struck.run(mono(impulse(2 * declared + 1)))[0];
                const auto loudest = std::max_element(ring.begin(), ring.end());
                CHECK(loudest - ring.begin() == declared);
            }
}

TEST_CASE("resampled: latencies at the usual rates are about two milliseconds") {
    for (const double device_hz : device_rates)
        for (const double model_hz : model_rates) {
            if (device_hz == model_hz) continue;
            const NodeConfig config = played(device_hz, model_hz);
            INFO(rates_of(config));
            const NodeRunner runner(pass, config);
            const double ms = 1000. * runner.node().latency_samples() / device_hz;
            INFO(ms);
            CHECK(ms < 2.3);
        }
}

// -------- what the filters do

TEST_CASE("resampled: after both conversions tones up to 19 kHz keep their level") {
    for (const double device_hz : {48'000., 88'200., 96'000.}) {
        const NodeConfig config = played(device_hz, 44'100.);
        const auto gain_at = [&](double hz) {
            const Channel in = sine(24'000, hz, device_hz, 0.5);
            const Channel out = NodeRunner(pass, config).run(mono(in))[0];
            return gain_db_at(part(in, 4'000), part(out, 4'000), hz, device_hz);
        };
        INFO(rates_of(config));
        for (const double hz : {20., 1'000., 10'000., 15'000., 18'000., 19'000.}) {
            INFO(hz);
            CHECK(gain_at(hz) == Approx(0.).margin(0.001));  // measured: 0.0004 dB at 19 kHz
        }
        CHECK(gain_at(20'000.) > -0.8);  // measured: -0.77 dB
        CHECK(gain_at(20'000.) < -0.1);
    }
}

TEST_CASE("resampled: no aliases and no images above -100 dB") {
    for (const double device_hz : {48'000., 88'200., 96'000.}) {
        const NodeConfig config = played(device_hz, 44'100.);
        INFO(rates_of(config));
        constexpr int frames = 32'768;
        const auto played_tone = [&](double hz) {
            NodeRunner runner(pass, config);
            const Channel in = sine(8'000 + frames, hz, device_hz, 0.5);
            return cut(runner.run(mono(in)), 8'000)[0];
        };
        for (const double near_hz : {100., 1'000., 5'000., 10'000., 15'000., 19'000.}) {
            const double hz = whole_periods_hz(near_hz, frames, device_hz);
            const Distortion d = distortion(played_tone(hz), hz, device_hz);
            INFO(hz << " Hz: " << d.inharmonic_db);
            CHECK(d.inharmonic_db < -100.);
        }
        // Tones that the model's rate can't carry are gone, and do not come back at a lower frequency.
        for (const double hz : {23'000., 23'900., 30'000., 43'000.}) {
            if (hz > 0.5 * device_hz) continue;
            INFO(hz);
            CHECK(rms_db(played_tone(hz)) - to_db(0.5 / std::sqrt(2.)) < -100.);
        }
    }
}

// -------- promises

TEST_CASE("resampled: blocks of any size give the same bits, and copies and resets are exact") {
    constexpr int frames = 6'000;
    const std::vector<Move> moves{
        {700, "level", 0.5f}, {1'501, "level", 0.f, 0.f}, {1'502, "level", 0.3f, 3.f}, {5'500, "level", 1.f}};
    for (const double device_hz : {48'000., 88'200., 96'000., 192'000.})
        for (const auto& [model_hz, latency] : {std::pair{44'100., 0}, {44'100., 32}, {96'000., 5}}) {
            if (device_hz == model_hz) continue;
            NodeConfig config = played(device_hz, model_hz, latency, 2);
            config.start_time = 123'456'791;
            INFO(rates_of(config));
            const Ports in{stereo(white_noise(frames, 1), pink_noise(frames, 2))};
            CHECK(broken_promise(pass, config, in, moves) == "");
            const Sound once = NodeRunner(pass, config).run(in, {512}, moves)[0];
            for (const Partition partition : {Partition{37}, Partition{3}, Partition{513}})
                CHECK(bit_difference(NodeRunner(pass, config).run(in, partition, moves)[0], once) == "");
        }
}

TEST_CASE("resampled: an instance that began later plays the same bits as soon as its filters are full") {
    const NodeConfig early = played(48'000., 44'100., 3);
    NodeConfig late = early;
    const Channel in = white_noise(9'000, 4);
    for (const int begin : {1, 77, 160, 1'000, 1'601}) {
        late.start_time = static_cast<std::uint64_t>(begin);
        NodeRunner first(pass, early), second(pass, late);
        const Channel a = first.run(mono(in), {}, {{4'001, "level", 0.8f}})[0];
        const Channel b = second.run(cut(mono(in), begin), {}, {{4'001 - begin, "level", 0.8f}})[0];
        const int full = begin + static_cast<int>(second.node().memory_samples()) + 10;
        CHECK(bit_difference(mono({a.begin() + full, a.end()}), mono({b.begin() + full - begin, b.end()})) ==
              "");
    }
}

TEST_CASE("resampled: a knob moves at its time and for its length") {
    for (const double device_hz : {48'000., 96'000.}) {
        NodeRunner runner(pass, played(device_hz, 44'100.));
        constexpr int at = 5'003;
        const int glide = static_cast<int>(0.02 * device_hz), half = glide / 2;
        const Channel out = runner.run(mono(silence(16'000)), {}, {{at, "level", 1.f, 20.f}})[0];
        // The effect of the knob only passes the second resampler, whose latency is 48 model samples.
        const int late = static_cast<int>(std::lround(48. * device_hz / 44'100.));
        CHECK(out[at + late - 200] == Approx(0.f).margin(1e-5));
        // on its way the knob is exact within a model sample and the rounding of the latency
        for (const int along : {half / 2, half, 3 * half / 2}) {
            INFO(along);
            const double expected = static_cast<double>(along) / glide;
            CHECK(out[at + late + along] == Approx(expected).margin(3.2 / glide));
        }
        CHECK(out[at + late + glide + 200] == Approx(1.f).margin(1e-5));
    }
}

TEST_CASE("resampled: a reset forgets at once, and the time may jump") {
    NodeRunner runner(pass, played(48'000., 44'100.)), fresh(pass, played(48'000., 44'100.));
    runner.run(mono(white_noise(3'000, 7)));
    runner.reset();
    fresh.follow(runner);
    const Sound next = mono(white_noise(3'000, 8));
    CHECK(bit_difference(runner.run(next), fresh.run(next)) == "");
    NodeConfig elsewhere = played(48'000., 44'100.);
    elsewhere.start_time = 1'000'000'007;
    const NodeRunner there(pass, elsewhere);
    runner.follow(there);
    CHECK(all_finite(runner.run(next)));
}

// -------- who is resampled

TEST_CASE("resampled: only models that do not play at the device's rate by themselves") {
    const auto way = [](const NodeType& type, const NodeConfig& config) {
        return rate_way(prepared_of(type, config).get(), config.sample_rate_hz);
    };
    CHECK(way(pass, played(44'100., 44'100.)) == RateWay::own);
    CHECK(way(pass, played(48'000., 44'100.)) == RateWay::resampled);
    const NodeType portable = pass_type<true>();
    CHECK(way(portable, played(48'000., 44'100.)) == RateWay::exact);
    CHECK(way(portable, played(48'000., 44'100., 1)) == RateWay::resampled);
    CHECK(NodeRunner(portable, played(48'000., 44'100.)).node().latency_samples() == 0);
    CHECK(rate_way(nullptr, 48'000.) == RateWay::own);

    const std::string folder = source_dir() + "/tests/data/grey_box-";
    const auto grey_box = [&](const std::string& name) {
        return way(GreyBox::type(),
                   {.sample_rate_hz = 44'100., .model = read_model_file(folder + name + ".safetensors")});
    };
    CHECK(grey_box("switching-soft") == RateWay::exact);
    CHECK(grey_box("rnn-gru-hard") == RateWay::resampled);
    CHECK(grey_box("gru-rnn-two-knobs") == RateWay::resampled);
}

TEST_CASE("resampled: an endless ratio and a type with other ports are refused, with the rate to use") {
    const auto complaint = [](const NodeType& type, const NodeConfig& config) -> std::string {
        try {
            const NodeRunner runner(type, config);
            return "";
        } catch (const SetupError& error) {
            return error.what();
        }
    };
    CHECK(complaint(pass, played(47'999., 44'100.)) ==
          "the model was trained at 44100 Hz, and 47999 Hz is no simple ratio of that, so it can't be "
          "resampled while it plays; run the device at 44100 Hz, or at 44100, 48000, 88200 or 96000 Hz");
    CHECK(complaint(pass, played(384'000., 44'100.)) == "");
    CHECK(complaint(pass, played(8'000., 96'000.)) == "");
    NodeType keyed = pass_type<false>();
    keyed.inputs.push_back({.name = "sidechain", .width = Width::own, .optional = true});
    CHECK(complaint(keyed, played(44'100., 44'100.)) == "");
    CHECK(
        complaint(keyed, played(48'000., 44'100.)) ==
        "pass.safetensors: type pass has other ports than one in and one out, so it can't be resampled from "
        "the 44100 Hz at which the model was trained; run the device at that rate");
}

TEST_CASE("resampled: a recurrent grey box sounds the same at 48, 88.2 and 96 kHz as at its own rate") {
    auto model = std::make_shared<Model>(
        *read_model_file(source_dir() + "/tests/data/grey_box-rnn-gru-hard.safetensors"));
    model->sample_rate_hz = 44'100.;
    // A chirp of soft and loud tones that fades in: nothing in it is above 10 kHz or sudden.
    const auto programme = [](double rate_hz) {
        Channel sound = silence(static_cast<int>(rate_hz));
        for (std::size_t k = 0; k < sound.size(); ++k) {
            const double t = static_cast<double>(k) / rate_hz, swell = std::sin(3.14159265 * 3. * t);
            sound[k] = static_cast<float>(0.6 * swell * swell * std::sin(2. * 3.14159265 * 440. * t) *
                                          std::min(1., 20. * t));
        }
        return sound;
    };
    const auto play = [&](double rate_hz, int& latency) {
        NodeRunner runner(GreyBox::type(), {.sample_rate_hz = rate_hz, .model = model});
        latency = runner.node().latency_samples();
        return runner.run(mono(programme(rate_hz)))[0];
    };
    int none = 0;
    const Channel own = play(44'100., none);
    REQUIRE(none == 0);
    for (const double rate_hz : {48'000., 88'200., 96'000.}) {
        int latency = 0;
        const Channel out = play(rate_hz, latency);
        double farthest = 0.;
        for (int instant = 5; instant < 95; ++instant) {  // every 10 ms: whole samples at all these rates
            const auto at = static_cast<std::size_t>(std::lround(instant * rate_hz / 100.) + latency);
            farthest = std::max(farthest, std::abs(double{out[at]} - double{own[441 * instant]}));
        }
        INFO(rate_hz << ": " << farthest);
        CHECK(farthest < 1e-4);
    }
}

}  // namespace gainstage::test::resampled_test
