#pragma once
/// A whole engine without a clock, for tests: patches as text, edits and knobs at given samples, any block
/// sizes.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "nodes/all_nodes.hpp"
#include "runtime/engine/offline_stream.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test {

/// The shipped node types and those that only tests have (`bomb`, `offender`, `slow`): see test_nodes.hpp.
NodeTypes nodes_for_tests();

/// A patch that could not be read or resolved is a failed test: throws with all problems.
Graph graph_of(const std::string& toml, double rate_hz = 48'000., const std::string& folder = ".");

/// Any two chains beside each other are shared, however little they cost, and workers are guarded as the
/// audio thread is.
CrewConfig crew_of(int threads, double patience_ms = 60'000.);

class EngineRig {
public:
    struct Config {
        double sample_rate_hz = 48'000.;
        int max_frames = 512;
        int out_channels = 2;
        bool guard = true;  ///< a RealtimeScope around every block
        CrewConfig crew = {};
    };

    explicit EngineRig(const std::string& toml) : EngineRig(toml, Config()) {}
    EngineRig(const std::string& toml, const Config&);

    /// What is done between two blocks when the stream reaches a sample (the block is cut there).
    void at(std::uint64_t sample, std::function<void(EngineRig&)>);
    /// The next patch, as soon as the engine takes it.
    void edit(const std::string& toml);
    /// The next patch, its fade beginning at exactly this sample, warmed on all the past that there is.
    void edit_now(const std::string& toml);
    /// "node.param", now.
    void set(const std::string& target, float value, float smooth_ms = -1.f);
    /// Posts an event with a stamp of its own.
    void set_at(std::uint64_t stamp, const std::string& target, float value, float smooth_ms = -1.f);

    /// Plays the input on; returns the output channels.
    Sound run(const Sound& input, Partition = {});

    Engine& engine() { return stream_.engine(); }
    OfflineStream& stream() { return stream_; }
    PatchLoader& loader() { return loader_; }
    std::uint64_t now() const { return stream_.now(); }
    const std::vector<EngineNews>& news() const { return news_; }
    int count(EngineNews::Kind) const;

private:
    void run_block(const Sound& input, int from, int frames, Sound& output);

    Config config_;
    PatchLoader loader_;
    OfflineStream stream_;
    std::multimap<std::uint64_t, std::function<void(EngineRig&)>> actions_;
    std::vector<EngineNews> news_;
};

/// Plays without an engine's help around it: the patch, the input, one partition.
Sound play(const std::string& toml, const Sound& input, Partition = {});

}  // namespace gainstage::test
