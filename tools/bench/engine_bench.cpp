/// Measures what the engine promises, beside what was asked of it: one row each. Speeds are ratios within one
/// run.
///
///   engine_bench [--quick]

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "nodes/all_nodes.hpp"
#include "nodes/kernels/decibel.hpp"
#include "runtime/control/live_session.hpp"
#include "runtime/control/offline_stream.hpp"
#include "runtime/patch/read_patch.hpp"
#include "tools/bench/patch_bench.hpp"
#include "tools/bench/zoo.hpp"

namespace gainstage {

namespace {

using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

bool quick = false;
bool all_met = true;

void row(const std::string& what, const std::string& asked, double measured, double limit,
         const std::string& unit, const std::string& more = "") {
    const bool met = measured <= limit;
    all_met = all_met && met;
    fmt::print("{:<58} {:>12}  {:>9.2f} {:<3} {:<5} {}\n", what, asked, measured, unit, met ? "ok" : "SHORT",
               more);
    std::fflush(stdout);
}

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

double thread_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double quantile(std::vector<double> values, double q) {
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1,
                           static_cast<std::size_t>(q * static_cast<double>(values.size())))];
}
double median(std::vector<double> values) {
    return quantile(std::move(values), 0.5);
}

std::string chain_patch(int nodes, const std::string& extra_link = "") {
    std::string text = "format = 1\nlinks = [\"in -> g0\"";
    for (int n = 1; n < nodes; ++n) text += fmt::format(",\n\"g{} -> g{}\"", n - 1, n);
    text += fmt::format(
        ",\n\"g{} -> out\"{}]\n[nodes.in]\ntype = \"input\"\nchannels = [1]\n[nodes.out]\ntype = "
        "\"output\"\nchannels = [1]\n",
        nodes - 1, extra_link);
    for (int n = 0; n < nodes; ++n)
        text += fmt::format("[nodes.g{}]\ntype = \"gain\"\ngain_db = {}\n", n, n % 2 ? 0.1 : -0.1);
    return text;
}

Graph graph_of(const std::string& text) {
    const ReadPatch read = read_patch_text(text, "bench.toml", ".");
    Resolved resolved = resolve(read.patch, all_nodes(), read_model_file, 48'000.);
    for (const Problem& problem : resolved.problems) fmt::print(stderr, "{}\n", problem.text());
    return std::move(resolved.graph.value());
}

// ------------------------------------------------------------------------------------------------ graph cost

/// What any list of separate nodes must do: one call per gain, from one buffer to the next.
struct FlatGain {
    float factor;
};
__attribute__((noinline)) void play_flat(const FlatGain& gain, const float* in, float* out, int frames) {
    for (int k = 0; k < frames; ++k) out[k] = in[k] * gain.factor;
}

class Chain {
public:
    Chain(int nodes, int frames, bool shipped)
        : frames_(frames),
          engine_(EngineConfig{.room = {.sample_rate_hz = 48'000.,
                                        .max_frames = frames,
                                        .midi_ports = 0,
                                        .watch = shipped,
                                        .time_nodes = shipped}}),
          in_(static_cast<std::size_t>(frames), 0.3f),
          out_(static_cast<std::size_t>(frames)) {
        engine_.play(graph_of(chain_patch(nodes)));
        for (int block = 0; block < 4'000 / frames + 50; ++block) play();
        engine_.tick();
    }
    void play() {
        const float* from = in_.data();
        float* to = out_.data();
        engine_.room().process(&from, 1, &to, 1, frames_);
    }

private:
    const int frames_;
    Engine engine_;
    std::vector<float> in_, out_;
};

double time_of(int times, const std::function<void()>& work) {
    const auto begin = Clock::now();
    for (int t = 0; t < times; ++t) work();
    return seconds_since(begin) / times;
}

void graph_cost() {
    for (const int nodes : {100, 1'000}) {
        for (const int frames : {64, 16}) {
            std::vector<FlatGain> flat;
            for (int n = 0; n < nodes; ++n) flat.push_back({db_to_gain(n % 2 ? 0.1f : -0.1f)});
            std::vector<float> a(static_cast<std::size_t>(frames), 0.3f), b = a;
            const auto play_list = [&] {
                float *from = a.data(), *to = b.data();
                for (const FlatGain& gain : flat) {
                    play_flat(gain, from, to, frames);
                    std::swap(from, to);
                }
            };
            for (const bool shipped : {true, false}) {
                Chain chain(nodes, frames, shipped);
                std::vector<double> ratios, chain_ns, flat_ns;
                const int times = 40'000 / nodes;
                for (int round = 0; round < (quick ? 15 : 60);
                     ++round) {  // side by side, so that noise meets both
                    const double list = time_of(times, play_list),
                                 graph = time_of(times, [&] { chain.play(); });
                    ratios.push_back(graph / list);
                    chain_ns.push_back(graph / nodes * 1e9);
                    flat_ns.push_back(list / nodes * 1e9);
                }
                const double limit = shipped ? 2.5 : 1.6;
                row(fmt::format("graph: {} gains, {} frames, {}", nodes, frames,
                                shipped ? "as shipped" : "no timing, no checks"),
                    fmt::format("<= {}", limit), median(ratios), limit, "x",
                    fmt::format("{:.1f} ns a node, flat list {:.1f}", median(chain_ns), median(flat_ns)));
            }
        }
    }
    fmt::print(
        "  (64 frames, ns a node, measured elsewhere: flat list 5.3, Pure Data 5.4, SuperCollider 7.5, "
        "Elementary 19, JUCE 20, miniaudio 59)\n");
}

// ------------------------------------------------------------------------------------------------ building
// and editing

void building() {
    const std::string text = chain_patch(1'000);
    std::vector<double> ms;
    for (int k = 0; k < (quick ? 5 : 20); ++k) {
        const auto begin = Clock::now();
        Engine engine(EngineConfig{.room = {.sample_rate_hz = 48'000., .max_frames = 64, .midi_ports = 0}});
        engine.play(graph_of(text));
        ms.push_back(seconds_since(begin) * 1e3);
    }
    row("build: text of 1,000 nodes to a plan, median", "<= 15 ms", median(ms), 15., "ms");
}

void editing() {
    const std::string one = chain_patch(1'000), other = chain_patch(1'000, ",\n\"g400 -> g700\"");
    Engine engine(EngineConfig{.room = {.sample_rate_hz = 48'000., .max_frames = 64, .midi_ports = 0}});
    std::uint64_t started = 0;
    engine.listen([&](const EngineNews& news) { started += news.kind == EngineNews::Kind::started; });
    engine.play(graph_of(one));
    std::vector<float> in(64, 0.01f), out(64);
    const auto play = [&] {
        const float* from = in.data();
        float* to = out.data();
        const double begin = thread_seconds();
        engine.room().process(&from, 1, &to, 1, 64);
        return (thread_seconds() - begin) * 1e6;
    };
    std::vector<double> steady, ms, worst_excess;
    for (int k = 0; k < 2'000; ++k) steady.push_back(play());
    engine.tick();
    const double steady_us = median(steady);
    for (int k = 0; k < (quick ? 6 : 30); ++k) {
        const auto begin = Clock::now();
        engine.play(graph_of(k % 2 ? one : other));
        engine.tick();
        ms.push_back(seconds_since(begin) * 1e3);  // the next block begins the fade
        double worst = 0.;
        for (int block = 0; block < 60; ++block) {
            worst = std::max(worst, play());
            engine.tick();
        }
        worst_excess.push_back(worst - 2. * steady_us);
    }
    row("edit: one cable of 1,000 nodes, text to armed fade, median", "< 20 ms", median(ms), 20., "ms");
    row("edit: worst block over twice a steady one, median of edits", "<= 20 us", median(worst_excess), 20.,
        "us",
        fmt::format("steady {:.1f} us, worst edit {:.0f} us over", steady_us, quantile(worst_excess, 1.)));
}

// ------------------------------------------------------------------------------------------------ swapping
// models

std::string model_patch(const std::string& model, const std::string& type = "grey_box") {
    return fmt::format(
        "format = 1\nlinks = [\"in -> box -> out\"]\n[nodes.in]\ntype = \"input\"\nchannels = "
        "[1]\n[nodes.out]\n"
        "type = \"output\"\nchannels = [1]\n[nodes.box]\ntype = \"{}\"\nmodel = \"{}\"\n",
        type, model);
}

/// What each block cost, in us of thread time, in the order of the stream.
struct SwapCosts {
    std::vector<double> alone[2], fading, catching;
};

/// Deterministic but for the costs: the same blocks come in the same order every time.
SwapCosts swap_often(const std::vector<Graph>& graphs, int frames, int swaps) {
    SwapCosts costs;
    Engine engine(EngineConfig{.room = {.sample_rate_hz = 48'000., .max_frames = frames, .midi_ports = 0}});
    bool in_fade = false;
    engine.listen([&](const EngineNews& news) {
        if (news.kind == EngineNews::Kind::started) in_fade = true;
        if (news.kind == EngineNews::Kind::finished) in_fade = false;
    });
    engine.play(graphs[0]);
    std::mt19937 random(1);
    std::uniform_real_distribution<float> noise(-0.3f, 0.3f);
    std::vector<float> in(static_cast<std::size_t>(frames)), out(in.size());
    const auto play = [&] {
        for (float& x : in) x = noise(random);
        const float* from = in.data();
        float* to = out.data();
        const double begin = thread_seconds();
        engine.room().process(&from, 1, &to, 1, frames);
        return (thread_seconds() - begin) * 1e6;
    };
    for (int block = 0; block < 48'000 / frames; ++block) {
        play();
        engine.tick();
    }
    for (int swap = 1; swap <= swaps; ++swap) {
        for (int block = 0; block < 20; ++block) {
            costs.alone[(swap + 1) % 2].push_back(play());
            engine.tick();
        }
        engine.play(graphs[static_cast<std::size_t>(swap % 2)]);
        engine.tick();  // builds and warms; the stream goes on a few blocks before the newcomer may begin
        while (engine.changing()) {
            const bool was_fading = in_fade;
            const double us = play();
            engine.tick();
            (was_fading && in_fade ? costs.fading : costs.catching).push_back(us);
        }
    }
    return costs;
}

/// The cheaper of two takes, block by block.
void keep_cheaper(std::vector<double>& best, const std::vector<double>& take) {
    best.resize(std::min(best.size(), take.size()));
    for (std::size_t k = 0; k < best.size(); ++k) best[k] = std::min(best[k], take[k]);
}

/// A shared machine interrupts one block in a thousand for many times its own cost, fading or not. What
/// interrupts is never at the same block twice, what a block costs by itself is: so the same stream is played
/// several times, and of each block the cheapest take counts.
void swapping(const std::string& source) {
    const std::vector<std::string> models{source + "/tests/data/grey_box-rnn-gru-hard.safetensors",
                                          source + "/tests/data/grey_box-gru-rnn-two-knobs.safetensors"};
    const std::vector<Graph> graphs{graph_of(model_patch(models[0])), graph_of(model_patch(models[1]))};
    constexpr int takes = 5;
    for (const int frames : {64, 256}) {
        const int swaps = quick ? 60 : 1'000;
        SwapCosts best = swap_often(graphs, frames, swaps);
        const double doubled = median(best.alone[0]) + median(best.alone[1]);
        const double one_take = quantile(best.fading, 0.999) / doubled;
        const double one_steady = quantile(best.alone[0], 0.999) / median(best.alone[0]);
        for (int take = 1; take < takes; ++take) {
            const SwapCosts again = swap_often(graphs, frames, swaps);
            keep_cheaper(best.fading, again.fading);
            keep_cheaper(best.catching, again.catching);
        }
        row(fmt::format("fade: blocks of {} in {} swaps, 99.9th percentile", frames, swaps), "<= 1.2 x 2",
            quantile(best.fading, 0.999) / doubled, 1.2, "x",
            fmt::format(
                "doubled steady {:.1f} us; median {:.2f} x; catching up {:.2f} x; of one take {:.1f} x, "
                "where steady blocks reach {:.1f} times their median",
                doubled, median(best.fading) / doubled, quantile(best.catching, 0.999) / doubled, one_take,
                one_steady));
    }
}

/// What is reloaded: a file, and two contents that take turns in it.
struct Reload {
    std::string architecture, name;
    std::vector<std::byte> contents[2];
};

void write_file(const fs::path& file, const std::vector<std::byte>& bytes) {
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// Milliseconds from each renaming to the first faded sample, after the whole of the longest memory.
std::vector<double> reload_ms(const Reload& reload, int times) {
    const fs::path folder = fs::temp_directory_path() /
                            fmt::format("gainstage-bench-{}", Clock::now().time_since_epoch().count());
    fs::create_directories(folder);
    const std::string played = (folder / "model.safetensors").string(), patch = (folder / "p.toml").string();
    write_file(played, reload.contents[0]);
    std::ofstream(patch) << model_patch(played, reload.architecture);
    LiveConfig config;
    config.patch = patch;
    config.null_device = true;
    config.rehearse = true;
    config.audio.block_frames = 64;
    std::vector<double> ms;
    Clock::time_point renamed{};
    bool waiting = false;
    LiveSession session(config, all_nodes(), [&](const LiveNews& news) {
        if (!news.engine || news.engine->kind != EngineNews::Kind::started || !waiting) return;
        ms.push_back(seconds_since(renamed) * 1e3);
        waiting = false;
    });
    const auto turn_for = [&](double seconds) {
        for (const auto begin = Clock::now(); seconds_since(begin) < seconds;) session.turn();
    };
    turn_for(quick ? 2. : 12.);  // so that the full memory is there
    for (int k = 1; k <= times; ++k) {
        write_file(folder / "new", reload.contents[k % 2]);
        renamed = Clock::now();
        waiting = true;
        fs::rename(folder / "new", played);
        for (int turns = 0; waiting && turns < 1'000; ++turns) session.turn();
        turn_for(0.1);
    }
    session.finish();
    fs::remove_all(folder);
    if (static_cast<int>(ms.size()) < times) ms.push_back(1e9);
    return ms;
}

void reloading(const std::string& source) {
    const std::vector<double> ms = reload_ms(
        {.architecture = "grey_box",
         .name = "a grey box",
         .contents = {model_file_bytes(source + "/models/opto-textbook.safetensors"),
                      model_file_bytes(source + "/tests/data/grey_box-switching-soft.safetensors")}},
        quick ? 10 : 100);
    row(fmt::format("reload: file renamed to first faded sample, {} times, median", ms.size()), "< 250 ms",
        median(ms), 250., "ms");
    row("reload: worst", "< 500 ms", quantile(ms, 1.), 500., "ms");
}

/// The heaviest of each family, made to remember ten seconds, which is the most that any may.
void reloading_every_family() {
    for (const char* name :
         {"S4D 32 channels, 8 modes, 4 blocks", "S6 as published", "ED-LSTM window 16, 64 units",
          "TCN 300 ms", "LSTM 32", "GRU 32", "grey box, RNN(4) and GRU(4)"}) {
        const auto& all = zoo();
        const auto found = std::find_if(all.begin(), all.end(),
                                        [&](const Exhibit& each) { return each.name.starts_with(name); });
        if (found == all.end()) throw std::logic_error(fmt::format("no {} among the models", name));
        Reload reload{.architecture = found->architecture, .name = found->name, .contents = {}};
        for (int k = 0; k < 2; ++k) {
            RandomModel model = found->make();
            model.say("memory_samples", std::to_string(480'000 - k));
            reload.contents[k] = model.bytes();
        }
        const std::vector<double> ms = reload_ms(reload, quick ? 3 : 20);
        row(fmt::format("reload: {}, 10 s of memory, median", found->name), "< 250 ms", median(ms), 250.,
            "ms", fmt::format("worst of {} {:.0f} ms", ms.size(), quantile(ms, 1.)));
    }
}

/// Chains of learned compressors from one input to one output, beside each other.
std::string branches_patch(const std::string& model, int branches, int nodes) {
    std::string links, text;
    for (int b = 0; b < branches; ++b) {
        links += fmt::format("{}\"in", b ? ", " : "");
        for (int n = 0; n < nodes; ++n) {
            links += fmt::format(" -> b{}n{}", b, n);
            text += fmt::format("[nodes.b{}n{}]\ntype = \"grey_box\"\nmodel = \"{}\"\n", b, n, model);
        }
        links += " -> bus\"";
    }
    return "format = 1\nlinks = [" + links +
           ", \"bus -> out\"]\n[nodes.in]\ntype = \"input\"\nchannels = [1]\n[nodes.out]\ntype = "
           "\"output\"\nchannels = [1]\n[nodes.bus]\ntype = \"gain\"\ngain_db = -6.0\n" +
           text;
}

void threads(const std::string& source) {
    const std::string model = source + "/tests/data/grey_box-rnn-gru-hard.safetensors";
    const Graph graph = graph_of(branches_patch(model, 2, 8));
    for (const int frames : {64, 16, 256}) {
        const ThreadGain gain = measure_threads(graph, 48'000., frames, quick ? 4. : 20.);
        row(fmt::format("threads: two heavy branches, {} frames, two over one", frames), "<= 1/1.7",
            1. / gain.times(), 1. / 1.7, "x",
            fmt::format("{:.2f} times as fast: {:.1f} us and {:.1f} us a block; the worker had a part in "
                        "{:.1f} % of them",
                        gain.times(), gain.one_us, gain.two_us, gain.shared * 100.));
    }
}

void checking(const std::string& source) {
    const std::string patch = source + "/patches/vocal.toml",
                      program = fs::canonical("/proc/self/exe").parent_path() / "gainstage";
    if (!fs::exists(program)) {
        fmt::print("check: {} is not there; build it for this row\n", program);
        return;
    }
    std::vector<double> ms;
    for (int k = 0; k < (quick ? 5 : 20); ++k) {
        const auto begin = Clock::now();
        if (std::system(fmt::format("'{}' check '{}' > /dev/null", program, patch).c_str()) != 0) return;
        ms.push_back(seconds_since(begin) * 1e3);
    }
    row("check: vocal.toml, the whole command with a shell, median", "< 20 ms", median(ms), 20., "ms");
}

}  // namespace

}  // namespace gainstage

int main(int argc, char** argv) {
    using namespace gainstage;
    quick = argc > 1 && std::string(argv[1]) == "--quick";
    fmt::print("{:<58} {:>12}  {:>13}\n", "what", "asked", "measured");
    graph_cost();
    building();
    editing();
    swapping(GAINSTAGE_SOURCE_DIR);
    reloading(GAINSTAGE_SOURCE_DIR);
    reloading_every_family();
    threads(GAINSTAGE_SOURCE_DIR);
    checking(GAINSTAGE_SOURCE_DIR);
    fmt::print("{}\n", all_met ? "all met"
                               : "not all met in this run; repeat on a quiet machine before you believe it");
    return 0;
}
