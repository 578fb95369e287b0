#include "runtime/engine/probe_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <numbers>

#include "runtime/engine/engine.hpp"
#include "runtime/patch/read_patch.hpp"
#include "runtime/plan/settle.hpp"

namespace gainstage {

namespace {

constexpr double tone_hz = 220., silence_dbfs = -200.;
/// The engine's default. A model above it would go into quarantine.
constexpr float ceiling = 15.8489319f;  // +24 dBFS
constexpr int block_frames = 512;

/// Above these a player hears something that shouldn't be there.
constexpr double thump_limit_dbfs = -60., after_limit_dbfs = -70.;
/// A peak that stands so far above the noise is an event of its own.
constexpr double thump_above_hum_db = 20.;
constexpr double loud_limit_db = 12.;

double db_of(double amplitude) {
    return amplitude > 0. ? std::max(silence_dbfs, 20. * std::log10(amplitude)) : silence_dbfs;
}

/// The model, prepared once for all benches.
struct Subject {
    Subject(std::shared_ptr<const Model> model_, NodeTypes types_, PreparedModels* shared)
        : model(std::move(model_)), types(types_), prepared(shared ? *shared : own_) {}
    Subject(const Subject&) = delete;  // `prepared` may be its own
    Subject& operator=(const Subject&) = delete;

    const std::shared_ptr<const Model> model;
    const NodeTypes types;

private:
    PreparedModels own_;

public:
    PreparedModels& prepared;
};

/// Without quarantine, so that bad sound can be measured.
class Bench {
    using Clock = std::chrono::steady_clock;

public:
    explicit Bench(Subject& subject, const std::string& knobs = "")
        : rate_hz_(subject.model->sample_rate_hz),
          engine_({.room = {.sample_rate_hz = rate_hz_,
                            .max_frames = block_frames,
                            .midi_ports = 0,
                            .watch = false,
                            .time_nodes = false,
                            .start_ramp_ms = 0.f}}) {
        engine_.play(graph_around(subject.model, subject.types, knobs, &subject.prepared));
        engine_.tick();
        if (!engine_.playing()) throw ModelError(engine_.refusal().front().text());
    }

    /// Ends early when the patience does.
    std::vector<float> play(double seconds, double peak, Clock::duration patience = Clock::duration::max()) {
        const Clock::time_point begin = Clock::now();
        std::vector<float> heard;
        const auto frames = static_cast<std::size_t>(seconds * rate_hz_);
        float in[block_frames], out[block_frames];
        while (heard.size() < frames && (heard.empty() || Clock::now() - begin < patience)) {
            for (float& x : in)
                x = static_cast<float>(peak * std::sin(2. * std::numbers::pi * tone_hz *
                                                       static_cast<double>(time_++) / rate_hz_));
            const float* from = in;
            float* to = out;
            engine_.room().process(&from, 1, &to, 1, block_frames);
            engine_.tick();
            heard.insert(heard.end(), out, out + block_frames);
        }
        return heard;
    }

private:
    const double rate_hz_;
    Engine engine_;
    std::int64_t time_ = 0;
};

bool blows_up(const std::vector<float>& sound) {
    return !std::all_of(sound.begin(), sound.end(), [](float x) { return std::abs(x) <= ceiling; });
}

struct Rest {
    double mean = 0., rms = 0.;  ///< `rms` without the mean
};

/// Of the second half.
Rest settled(const std::vector<float>& sound) {
    const std::size_t begin = sound.size() / 2;
    const auto count = static_cast<double>(sound.size() - begin);
    Rest rest;
    for (std::size_t k = begin; k < sound.size(); ++k) rest.mean += double{sound[k]} / count;
    for (std::size_t k = begin; k < sound.size(); ++k)
        rest.rms += (double{sound[k]} - rest.mean) * (double{sound[k]} - rest.mean) / count;
    rest.rms = std::sqrt(rest.rms);
    return rest;
}

ModelProbe::Level level_of(Subject& subject, double in_dbfs) {
    const double peak = std::pow(10., in_dbfs / 20.);
    const std::vector<float> heard = Bench(subject).play(0.5, peak);
    ModelProbe::Level level{.in_dbfs = in_dbfs, .gain_db = 0., .blows_up = blows_up(heard)};
    if (!level.blows_up) level.gain_db = db_of(settled(heard).rms / (peak / std::numbers::sqrt2));
    return level;
}

void listen_to_silence(ModelProbe& probe, Subject& subject,
                       std::chrono::seconds patience = std::chrono::hours(1),
                       const std::string& settings = "") {
    const std::vector<float> heard = Bench(subject, settings).play(1., 0., patience);
    const Rest rest = settled(heard);
    const bool is_bad = blows_up(heard);
    probe.dc_dbfs = is_bad ? 0. : db_of(std::abs(rest.mean));
    probe.hum_dbfs = is_bad ? 0. : db_of(rest.rms);
    double thump = 0.;
    for (const float x : heard) thump = std::max(thump, std::abs(double{x}) - std::abs(rest.mean));
    probe.thump_dbfs = is_bad ? 0. : db_of(thump);
}

void listen_after_a_tone(ModelProbe& probe, Subject& subject) {
    Bench bench(subject);
    const double memory_s =
        static_cast<double>(subject.model->memory_samples) / subject.model->sample_rate_hz;
    bench.play(0.5, 0.5);
    bench.play(std::min(memory_s, 3.) + 0.05, 0.);
    const std::vector<float> heard = bench.play(0.2, 0.);
    probe.after_dbfs = blows_up(heard) ? 0. : db_of(settled(heard).rms);
}

/// One line of TOML a knob, each at its lower or upper end.
std::string corner(const Model& model, unsigned bits) {
    std::string knobs;
    for (std::size_t i = 0; i < model.controls.size(); ++i) {
        const ModelControl& control = model.controls[i];
        knobs += fmt::format("\"{}\" = {:.9g}\n", control.name,
                             double{bits >> i & 1u ? control.max : control.min});
    }
    return knobs;
}

std::string in_words(std::string knobs) {
    std::replace(knobs.begin(), knobs.end(), '\n', ' ');
    knobs.erase(std::remove(knobs.begin(), knobs.end(), '"'), knobs.end());
    return knobs.substr(0, knobs.empty() ? 0 : knobs.size() - 1);
}

void visit_corners(ModelProbe& probe, Subject& subject) {
    constexpr std::size_t most_knobs = 4;  // 16 corners; of a model with more knobs the first four
    const unsigned corners = 1u << std::min(subject.model->controls.size(), most_knobs);
    if (corners == 1) return;
    for (unsigned bits = 0; bits < corners; ++bits) {
        const std::string knobs = corner(*subject.model, bits);
        if (blows_up(Bench(subject, knobs).play(0.25, 0.7))) probe.unsafe.push_back(in_words(knobs));
    }
}

void warn_of_levels(ModelProbe& probe) {
    for (const ModelProbe::Level& level : probe.levels)
        if (level.blows_up) {
            probe.warnings.push_back(fmt::format(
                "blows up on a tone of {:g} dBFS and above: the engine will take it off the air and start it "
                "again; play it more softly (a gain node before it)",
                level.in_dbfs));
            break;
        }
    double loudest = silence_dbfs;
    for (const ModelProbe::Level& level : probe.levels)
        if (!level.blows_up) loudest = std::max(loudest, level.gain_db);
    if (loudest > loud_limit_db)
        probe.warnings.push_back(
            fmt::format("makes a tone up to {:.1f} dB louder; turn down what comes after it", loudest));
}

void warn_of_rest(ModelProbe& probe) {
    if (probe.thump_dbfs > std::max(thump_limit_dbfs, probe.hum_dbfs + thump_above_hum_db))
        probe.warnings.push_back(fmt::format(
            "thumps when it starts, at {:.1f} dBFS, even on silence; start it before the loudspeakers, or "
            "with mute = true in the output",
            probe.thump_dbfs));
    if (std::string text = warning_of_offset(probe.dc_dbfs); !text.empty())
        probe.warnings.push_back(std::move(text));
    if (std::string text = warning_of_noise(probe.hum_dbfs); !text.empty())
        probe.warnings.push_back(std::move(text));
    else if (probe.after_dbfs > after_limit_dbfs)
        probe.warnings.push_back(fmt::format(
            "goes on sounding after a loud tone has ended, at {:.1f} dBFS RMS", probe.after_dbfs));
}

void warn_of_corners(ModelProbe& probe) {
    if (!probe.unsafe.empty())
        probe.warnings.push_back(
            fmt::format("blows up on a tone of -3 dBFS at {} of the ends of its knobs ({})",
                        probe.unsafe.size(), probe.unsafe.front()));
}

}  // namespace

std::string patch_around(const Model& model, NodeTypes types, const std::string& knobs) {
    const NodeType* type = type_that_plays(types, model.architecture);
    if (!type)
        throw ModelError(
            fmt::format("{}: no node type plays architecture \"{}\"", model.file, model.architecture));
    return "format = 1\nlinks = [\"in -> model -> out\"]\n[nodes.in]\ntype = \"input\"\nchannels = "
           "[1]\n[nodes.out]\ntype = \"output\"\nchannels = [1]\nguard = \"off\"\n[nodes.model]\ntype = \"" +
           type->name + "\"\nmodel = \"model.safetensors\"\n" + knobs;  // a name of any bytes is no TOML
}

Graph graph_around(const std::shared_ptr<const Model>& model, NodeTypes types, const std::string& knobs,
                   PreparedModels* prepared) {
    const ReadPatch read = read_patch_text(patch_around(*model, types, knobs), model->file, "");
    Resolved resolved = resolve(
        read.patch, types, [&](const std::string&) { return model; }, model->sample_rate_hz, prepared);
    Problems problems = read.problems;
    problems.insert(problems.end(), resolved.problems.begin(), resolved.problems.end());
    for (const Problem& problem : problems)
        if (!problem.is_note) throw ModelError(problem.text());
    return std::move(*resolved.graph);
}

std::vector<std::string> warnings_at_silence(const std::shared_ptr<const Model>& model, NodeTypes types,
                                             std::chrono::seconds patience, const std::string& settings,
                                             PreparedModels* prepared) {
    Subject subject(model, types, prepared);
    ModelProbe probe;
    probe.after_dbfs = silence_dbfs;  // not asked for
    listen_to_silence(probe, subject, patience, settings);
    warn_of_rest(probe);
    return probe.warnings;
}

ModelProbe probe_model(const std::shared_ptr<const Model>& model, NodeTypes types, PreparedModels* prepared) {
    Subject subject(model, types, prepared);
    ModelProbe probe;
    for (const double in_dbfs : {-60., -50., -40., -30., -20., -10., -3., 0.})
        probe.levels.push_back(level_of(subject, in_dbfs));
    listen_to_silence(probe, subject);
    listen_after_a_tone(probe, subject);
    visit_corners(probe, subject);
    warn_of_levels(probe);
    warn_of_corners(probe);
    warn_of_rest(probe);
    return probe;
}

}  // namespace gainstage
