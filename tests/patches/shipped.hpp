#pragma once
/// A shipped patch that plays: its file as it is, except for the knobs that a test sets.

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/engine/offline_stream.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test {

inline constexpr double shipped_rate_hz = 48'000.;

/// All patches of patches/, by name.
std::vector<std::filesystem::path> shipped_patches();

class Shipped {
public:
    /// `file`: its name in patches/, without ".toml". Throws if it does not load.
    explicit Shipped(const std::string& file);

    /// Sets "node.param", "node.bypass" or "node.mute" before the stream begins.
    Shipped& with(const std::string& target, float value);
    /// Begins with this scene. Throws if there is none of that name.
    Shipped& scene(const std::string& name);
    /// Adds a controller message at a frame; frames never decrease.
    Shipped& midi(int frame, const std::array<int, 3>& bytes);

    /// Adds a program change on channel 1.
    Shipped& program(int frame, int number);

    const Graph& graph() const { return graph_; }

    /// Plays from the first sample, aligned: without the declared latency, as `render` does.
    Sound play(const Sound& in);

private:
    PatchLoader loader_;
    Graph graph_;
    std::vector<std::pair<GraphTarget, float>> switches_;
    std::vector<Event> events_;
};

}  // namespace gainstage::test
