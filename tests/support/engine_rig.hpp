#pragma once
/// A whole engine without a clock, for tests: patches as text, edits and knobs at chosen samples, blocks of
/// any size.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "nodes/all_nodes.hpp"
#include "runtime/engine/offline_stream.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test {

/// The shipped node types, and those for tests alone (`bomb`, `offender`, `slow`, `meeting`): see
/// test_nodes.hpp.
NodeTypes nodes_for_tests();

/// Throws with all problems if the patch cannot be read or resolved, so that the test fails.
Graph graph_of(const std::string& toml, double rate_hz = 48'000., const std::string& folder = ".");

/// A crew that shares any two parallel chains, however little they cost. Workers are guarded like the audio
/// thread.
CrewConfig crew_of(int threads, double patience_ms = 60'000.);

class EngineRig {
public:
    struct Config {
        double sample_rate_hz = 48'000.;
        int max_frames = 512;
        int out_channels = 2;
        bool guard = true;  ///< a RealtimeScope around every block
        CrewConfig crew = {};
        QueueSizes queues = {};
    };

    explicit EngineRig(const std::string& toml) : EngineRig(toml, Config()) {}
    EngineRig(const std::string& toml, const Config&);

    /// Does this between two blocks when the stream reaches a sample (the block is cut there).
    void at(std::uint64_t sample, std::function<void(EngineRig&)>);
    /// Plays the next patch as soon as the engine takes it.
    void edit(const std::string& toml);
    /// Plays the next patch. Its fade begins at exactly this sample, and it is warmed on all the past there
    /// is.
    void edit_now(const std::string& toml);
    /// Moves the knob `target` ("node.param") now.
    void set(const std::string& target, float value, float smooth_ms = -1.f);
    /// Posts a knob move with a stamp of its own.
    void set_at(std::uint64_t stamp, const std::string& target, float value, float smooth_ms = -1.f);

    /// Plays the input from where the last run ended. Returns the output channels.
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

/// Plays one input through one patch, cut into blocks by one partition.
Sound play(const std::string& toml, const Sound& input, Partition = {});

}  // namespace gainstage::test
