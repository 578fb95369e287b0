/// gainstage-lab bench --all

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "nodes/all_nodes.hpp"
#include "tools/bench/bench_all.hpp"
#include "tools/bench/machine.hpp"
#include "tools/bench/node_bench.hpp"
#include "tools/bench/peer_library.hpp"
#include "tools/bench/zoo.hpp"
#include "tools/gainstage/console.hpp"
#include "tools/gainstage/exit_code.hpp"
#include "tools/gainstage/table.hpp"

namespace gainstage {

namespace {

constexpr int sizes[] = {16, 32, 64, 128, 512};
constexpr int judged_size = 64, cold_frames = 32, cold_takes = 15, phase_frames = 16;
constexpr double least_over_peer = 1.05;
constexpr double cold_slack_us = 2., cold_most_share = 0.25, device_rate_hz = 48'000.;

/// Of another engine's model, ns a sample.
struct PeerCost {
    std::string name;
    double at_16 = 0., judged = 0.;  ///< in blocks of 16 and of judged_size
};

struct Row {
    const Exhibit* exhibit;
    std::vector<BlockCost> node, twin;      ///< at each of `sizes`
    double stereo_at_16 = 0., stereo = 0.;  ///< both channels' cost over one's, at 16 and judged_size frames
    double cold_us = 0.;                    ///< a block of cold_frames after all caches were emptied
    double evicted_us = 0.;                 ///< the same after only this core's were emptied
    double touched_bytes = 0.;              ///< by such a block: weights, state and rows
    PhaseCost moving = {};                  ///< blocks of phase_frames, all knobs in motion
    std::vector<PeerCost> peers = {};       ///< the first is the node, measured in turn with them

    const BlockCost& at(int frames) const {
        return *std::find_if(node.begin(), node.end(), [=](const auto& c) { return c.frames == frames; });
    }
    double ns() const { return at(judged_size).median_ns; }
    double share(const Machine& machine) const { return exhibit->operations / ns() / machine.fma_gflops; }
    double cycles(const Machine& machine) const { return ns() * machine.clock_ghz; }
    double flatness() const { return at(16).median_ns / ns(); }
    double warm_us() const { return at(cold_frames).median_ns * cold_frames * 1e-3; }
    /// The warm time and the time to read from memory all that it touches; at most a quarter of the period.
    double cold_allowed_us(const Machine& machine) const {
        const double from_memory = touched_bytes / machine.memory_gb_per_s * 1e-3;
        return std::min(warm_us() + from_memory + cold_slack_us,
                        cold_most_share * cold_frames / device_rate_hz * 1e6);
    }
    bool cold_met(const Machine& machine) const { return cold_us <= cold_allowed_us(machine); }
    bool evicted_met(const Machine& machine) const { return evicted_us <= cold_allowed_us(machine); }
    bool phase_met() const {
        const double most = exhibit->target.most_phase;
        return most <= 0. || moving.ratio() <= most;
    }
    /// Of the other engines' models. REQUIRES: there is one.
    const PeerCost& fastest_peer() const {
        return *std::min_element(peers.begin() + 1, peers.end(),
                                 [](const auto& a, const auto& b) { return a.judged < b.judged; });
    }
    double times_fastest_peer() const { return fastest_peer().judged / peers.front().judged; }
    bool peer_met() const { return times_fastest_peer() >= least_over_peer; }
    /// How many times as fast as plain Eigen.
    double gain() const {
        for (const BlockCost& cost : twin)
            if (cost.frames == judged_size) return cost.median_ns / ns();
        return 0.;
    }
};

double stereo_over_mono(const Player& mono, const Player& stereo, int frames, double seconds) {
    const auto costs = measure_players({mono, stereo}, frames, seconds);
    return costs[1].median_ns / costs[0].median_ns;
}

/// The node and what other engines have of that size; empty where none has.
std::vector<PeerCost> measure_peers(const Exhibit& exhibit, const Player& node,
                                    const std::vector<PeerLibrary>& libraries, double seconds) {
    std::vector<Player> players{node};
    std::vector<PeerCost> costs{{.name = "gainstage"}};
    for (const PeerLibrary& library : libraries)
        if (Player player = library.player_of(exhibit.name)) {
            players.push_back(std::move(player));
            costs.push_back({.name = library.name()});
        }
    if (players.size() == 1) return {};
    const auto at_16 = measure_players(players, 16, seconds);
    const auto judged = measure_players(players, judged_size, seconds);
    for (std::size_t i = 0; i < costs.size(); ++i)
        costs[i].at_16 = at_16[i].median_ns, costs[i].judged = judged[i].median_ns;
    return costs;
}

Row measure(const Exhibit& exhibit, const std::vector<PeerLibrary>& libraries, double seconds) {
    const auto model = exhibit.make().read();
    const NodeType* type = type_that_plays(all_nodes(), exhibit.architecture);
    if (!type) throw std::logic_error("no node plays " + exhibit.architecture);
    LoneNode node(*type, model), stereo(*type, model, 2);
    const auto twin = exhibit.twin(*model);
    const std::vector<Player> players{
        [&](const float* in, float* out, int frames) { node.play(in, out, frames); },
        [&](const float* in, float* out, int frames) { twin->play(in, out, frames); }};
    const Player both = [&](const float* in, float* out, int frames) { stereo.play(in, out, frames); };
    Row row{.exhibit = &exhibit, .node = {}, .twin = {}};
    for (const int frames : sizes) {
        const auto costs = measure_players(players, frames, seconds);
        row.node.push_back(costs[0]), row.twin.push_back(costs[1]);
    }
    row.stereo_at_16 = stereo_over_mono(players[0], both, 16, seconds);
    row.stereo = stereo_over_mono(players[0], both, judged_size, seconds);
    row.cold_us = measure_cold_us(players[0], cold_frames, cold_takes, empty_caches);
    row.evicted_us = measure_cold_us(players[0], cold_frames, cold_takes, empty_own_caches);
    row.touched_bytes = sizeof(float) * static_cast<double>(exhibit.working_floats);
    for (const Tensor& tensor : model->tensors)
        row.touched_bytes += sizeof(float) * static_cast<double>(tensor.data.size());
    const Player mover = [&](const float* in, float* out, int frames) { node.play_moving(in, out, frames); };
    row.moving = measure_phases(mover, phase_frames, seconds);
    row.peers = measure_peers(exhibit, players[0], libraries, seconds);
    return row;
}

struct Verdict {
    std::string target;
    bool met = true;
};

Verdict judge(const Row& row, const Machine& machine) {
    const Target& target = row.exhibit->target;
    const int wide = machine.level.rfind("avx3", 0) == 0;
    if (const double least = target.least_share[wide]; least > 0.)
        return {fmt::format(">= {:.0f} %", least * 100.), row.share(machine) >= least};
    const double most = target.most_cycles[wide];
    return {fmt::format("<= {:.0f} cycles", most), row.cycles(machine) <= most};
}

const char* word(bool met) {
    return met ? "ok" : "SHORT";
}

Table::Row text_of(const Row& row, const Machine& machine) {
    const Verdict verdict = judge(row, machine);
    const BlockCost& judged = row.at(judged_size);
    Table::Row cells{row.exhibit->name};
    for (const BlockCost& cost : row.node) cells.push_back(fmt::format("{:.1f}", cost.median_ns));
    const double flat = row.exhibit->target.most_at_16;
    for (std::string cell :
         {fmt::format("{:.1f}", judged.p99_ns), fmt::format("{:.0f}", judged.max_ns),
          fmt::format("{:.0f} x", 1e9 / device_rate_hz / row.ns()),
          fmt::format("{:.1f} %", row.share(machine) * 100.), fmt::format("{:.0f}", row.cycles(machine)),
          fmt::format("{:.1f} x", row.gain()), fmt::format("{:.2f}, {:.2f} x", row.stereo_at_16, row.stereo),
          verdict.target, std::string(word(verdict.met)),
          fmt::format("{:.2f} of {:.1f} {}", row.flatness(), flat, word(row.flatness() <= flat))})
        cells.push_back(std::move(cell));
    return cells;
}

/// How even a stream of blocks is.
Table::Row evenness_of(const Row& row, const Machine& machine) {
    const double most = row.exhibit->target.most_phase;
    return {row.exhibit->name,
            fmt::format("{:.1f}", row.warm_us()),
            fmt::format("{:.1f}", row.touched_bytes * 1e-3),
            fmt::format("{:.1f}", row.cold_allowed_us(machine)),
            fmt::format("{:.1f} {}", row.evicted_us, word(row.evicted_met(machine))),
            fmt::format("{:.1f} {}", row.cold_us, word(row.cold_met(machine))),
            fmt::format("{:.1f}", row.at(phase_frames).median_ns),
            fmt::format("{:.1f}", row.moving.median_ns),
            most > 0. ? fmt::format("{:.2f} of {:.1f} {}", row.moving.ratio(), most, word(row.phase_met()))
                      : fmt::format("{:.2f}", row.moving.ratio())};
}

nlohmann::ordered_json json_of(const Row& row, const Machine& machine) {
    const Verdict verdict = judge(row, machine);
    nlohmann::ordered_json json{{"model", row.exhibit->name},
                                {"operations", row.exhibit->operations},
                                {"share_of_peak", row.share(machine)},
                                {"cycles_per_sample", row.cycles(machine)},
                                {"times_real_time", 1e9 / 48'000. / row.ns()},
                                {"times_plain_eigen", row.gain()},
                                {"stereo_over_mono_at_16", row.stereo_at_16},
                                {"stereo_over_mono", row.stereo},
                                {"target", verdict.target},
                                {"met", verdict.met},
                                {"cost_at_16_over_64", row.flatness()},
                                {"flat", row.flatness() <= row.exhibit->target.most_at_16},
                                {"cold_block_us", row.cold_us},
                                {"cold_allowed_us", row.cold_allowed_us(machine)},
                                {"cold_met", row.cold_met(machine)},
                                {"evicted_block_us", row.evicted_us},
                                {"evicted_met", row.evicted_met(machine)},
                                {"touched_bytes", row.touched_bytes},
                                {"moving_median_ns", row.moving.median_ns},
                                {"worst_phase_over_median", row.moving.ratio()},
                                {"phase_met", row.phase_met()},
                                {"blocks", nlohmann::json::array()}};
    for (std::size_t i = 0; i < row.node.size(); ++i)
        json["blocks"].push_back({{"frames", row.node[i].frames},
                                  {"median_ns", row.node[i].median_ns},
                                  {"p99_ns", row.node[i].p99_ns},
                                  {"max_ns", row.node[i].max_ns},
                                  {"plain_median_ns", row.twin[i].median_ns}});
    if (row.peers.empty()) return json;
    json["times_fastest_peer"] = row.times_fastest_peer();
    json["peer_met"] = row.peer_met();
    for (const PeerCost& peer : row.peers)
        json["beside"].push_back(
            {{"name", peer.name}, {"median_ns_at_16", peer.at_16}, {"median_ns", peer.judged}});
    return json;
}

Table::Row standing_of(const Row& row) {
    const PeerCost &mine = row.peers.front(), &other = row.fastest_peer();
    return {row.exhibit->name,
            fmt::format("{:.1f}", mine.at_16),
            fmt::format("{:.1f}", mine.judged),
            other.name,
            fmt::format("{:.1f}", other.at_16),
            fmt::format("{:.1f}", other.judged),
            fmt::format("{:.2f} x of {:.2f} {}", row.times_fastest_peer(), least_over_peer,
                        word(row.peer_met()))};
}

void print_peers(const std::vector<Row>& rows) {
    Table table({"NS A SAMPLE IN BLOCKS OF", "16", fmt::format("{}", judged_size), "FASTEST OTHER", "16",
                 fmt::format("{}", judged_size), "AS FAST"});
    for (const Row& row : rows)
        if (!row.peers.empty()) table.add(standing_of(row));
    put_text("\n" + table.text());
}

void print(const std::vector<Row>& rows, const Machine& machine) {
    Table table({"NS A SAMPLE IN BLOCKS OF", "16", "32", "64", "128", "512", "P99", "MAX", "REAL TIME",
                 "OF PEAK", "CYCLES", "PLAIN", "STEREO", "TARGET", "", "16 OVER 64"});
    Table even({fmt::format("BLOCKS OF {}, US", cold_frames), "WARM", "KB", "ALLOWED", "EVICTED", "COLD",
                fmt::format("OF {}, NS A SAMPLE", phase_frames), "IN MOTION", "DEAREST PHASE"});
    for (const Row& row : rows) table.add(text_of(row, machine)), even.add(evenness_of(row, machine));
    put("{}: {:.2f} GHz, {:.1f} GFLOP/s of multiply-adds, {:.1f} GB/s from memory; P99 to PLAIN at {} "
        "frames, "
        "one channel, knobs at rest\n\n",
        machine.level, machine.clock_ghz, machine.fma_gflops, machine.memory_gb_per_s, judged_size);
    put_text(table.text() + "\n" + even.text() + "\n");
    put("KB: weights, state and rows that a block touches. EVICTED: the median of the first block after this "
        "core's own caches "
        "were emptied, as another program does it that ran in between; COLD: after all caches were. Allowed "
        "are the warm cost, what KB "
        "take from memory, and {:.0f} us, a quarter of the period at most. IN MOTION: all knobs on their "
        "way; DEAREST PHASE over the median block. STEREO: "
        "both channels' cost over that of one, in blocks of 16 and {}.\n",
        cold_slack_us, judged_size);
}

}  // namespace

int bench_all(const BenchAllOptions& options) {
    std::vector<PeerLibrary> libraries;
    for (const std::string& path : options.beside) libraries.emplace_back(path);
    std::vector<Machine> measured{measure_machine()};
    std::vector<Row> rows;
    for (const Exhibit& exhibit : zoo())
        if (exhibit.name.find(options.only) != std::string::npos) {
            rows.push_back(measure(exhibit, libraries, options.seconds));
            measured.push_back(measure_machine());
        }
    const Machine machine = middle_of(measured);
    if (!options.json) {
        print(rows, machine);
        if (!libraries.empty()) print_peers(rows);
        return ok;
    }
    nlohmann::ordered_json all{{"level", machine.level},
                               {"clock_ghz", machine.clock_ghz},
                               {"fma_gflops", machine.fma_gflops},
                               {"memory_gb_per_s", machine.memory_gb_per_s},
                               {"models", nlohmann::json::array()}};
    for (const Row& row : rows) all["models"].push_back(json_of(row, machine));
    put_json(all);
    return ok;
}

}  // namespace gainstage
