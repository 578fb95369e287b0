#include "tests/support/engine_rig.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <random>

#include "runtime/patch/read_patch.hpp"
#include "tests/support/realtime_guard.hpp"

namespace gainstage::test {

Graph graph_of(const std::string& toml, double rate_hz, const std::string& folder) {
    ReadPatch read = read_patch_text(toml, "test.toml", folder);
    const auto reader = [](const std::string& path) { return read_model_file(path); };
    Resolved resolved = resolve(read.patch, nodes_for_tests(), reader, rate_hz);
    std::string all;
    for (const Problem& problem : read.problems) all += problem.text() + "\n";
    for (const Problem& problem : resolved.problems)
        if (!problem.is_note) all += problem.text() + "\n";
    if (!resolved.graph || has_errors(read.problems))
        throw std::runtime_error("the test's patch is wrong:\n" + all + toml);
    return std::move(*resolved.graph);
}

CrewConfig crew_of(int threads, double patience_ms) {
    const auto guard = [](bool begins) {
        thread_local std::optional<RealtimeScope> scope;
        begins ? static_cast<void>(scope.emplace()) : scope.reset();
    };
    return {.threads = threads, .least_branch_us = 0., .patience_ms = patience_ms, .around = guard};
}

EngineRig::EngineRig(const std::string& toml, const Config& config)
    : config_(config),
      loader_(nodes_for_tests(), config.sample_rate_hz),
      stream_({.sample_rate_hz = config.sample_rate_hz,
               .max_frames = config.max_frames,
               .midi_ports = 1,
               .crew = config.crew,
               .queues = config.queues},
              loader_) {
    engine().listen([this](const EngineNews& news) { news_.push_back(news); });
    const Problems problems = stream_.start(graph_of(toml, config.sample_rate_hz));
    if (has_errors(problems)) throw std::runtime_error(problems.front().text());
}

void EngineRig::at(std::uint64_t sample, std::function<void(EngineRig&)> action) {
    actions_.emplace(sample, std::move(action));
}

void EngineRig::edit(const std::string& toml) {
    engine().play(graph_of(toml, config_.sample_rate_hz));
    engine().tick();
}

void EngineRig::edit_now(const std::string& toml) {
    engine().play_as_ordered(graph_of(toml, config_.sample_rate_hz), {.stamp = now(), .returning = {}});
    if (has_errors(engine().refusal())) throw std::runtime_error(engine().refusal().front().text());
}

void EngineRig::set(const std::string& target, float value, float smooth_ms) {
    set_at(now(), target, value, smooth_ms);
}

void EngineRig::set_at(std::uint64_t stamp, const std::string& target, float value, float smooth_ms) {
    const FoundTarget found = find_target(engine().playing()->graph, target);
    if (!found.target) throw std::runtime_error(found.problem);
    if (!engine().set(*found.target, value, smooth_ms, stamp)) throw std::runtime_error("queue full");
}

void EngineRig::run_block(const Sound& input, int from, int frames, Sound& output) {
    std::vector<const float*> in;
    std::vector<float*> out;
    for (const Channel& channel : input) in.push_back(channel.data() + from);
    for (Channel& channel : output) out.push_back(channel.data() + from);
    {
        const RealtimeScope scope;
        engine().room().process(in.data(), static_cast<int>(in.size()), out.data(),
                                static_cast<int>(out.size()), frames);
    }
    engine().tick();
}

Sound EngineRig::run(const Sound& input, Partition partition) {
    const int frames = static_cast<int>(input.at(0).size());
    Sound output(static_cast<std::size_t>(config_.out_channels), Channel(static_cast<std::size_t>(frames)));
    std::mt19937 random(partition.seed);
    std::uniform_int_distribution<int> size(1, partition.size);
    for (int done = 0; done < frames;) {
        for (auto due = actions_.begin(); due != actions_.end() && due->first <= now();
             due = actions_.begin()) {
            const auto action = due->second;
            actions_.erase(due);
            action(*this);
        }
        int count = std::min(frames - done, partition.seed ? size(random) : partition.size);
        if (!actions_.empty())
            count = static_cast<int>(
                std::min<std::uint64_t>(static_cast<std::uint64_t>(count), actions_.begin()->first - now()));
        run_block(input, done, count, output);
        done += count;
    }
    return output;
}

int EngineRig::count(EngineNews::Kind kind) const {
    return static_cast<int>(
        std::count_if(news_.begin(), news_.end(), [&](const EngineNews& n) { return n.kind == kind; }));
}

Sound play(const std::string& toml, const Sound& input, Partition partition) {
    return EngineRig(toml).run(input, partition);
}

}  // namespace gainstage::test
