#pragma once
/// Runs one node alone as a plan would: it cuts blocks at knob moves, gives every port its own buffers,
/// counts the stream time, and puts the real-time guard around every call.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/node.hpp"
#include "runtime/node_memory.hpp"
#include "runtime/rest.hpp"
#include "tests/support/node_config.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test {

/// How a stream is cut into blocks, besides the cuts at knob moves.
struct Partition {
    int size = 512;          ///< frames per block; with a seed: the longest
    std::uint32_t seed = 0;  ///< 0: all blocks of this size; else 1..size frames, drawn from this seed
    static Partition random(std::uint32_t seed, int longest = 512) { return {longest, seed}; }
};

/// A knob move. `frame` counts from the first frame of the run.
struct Move {
    int frame = 0;
    std::string param;
    float value = 0.f;
    std::optional<float> smooth_ms = {};  ///< none: the parameter's default
};

/// One sound per port.
using Ports = std::vector<Sound>;

/// Throws std::logic_error with a sentence if the node breaks its contract: writes outside its frames, leaves
/// some of them unwritten, or changes its input.
class NodeRunner {
public:
    explicit NodeRunner(const NodeType&, const NodeConfig& = {});

    /// Plays `inputs` (one Sound per input port; a missing or empty one is silence) through the node, from
    /// where the last run ended. `device` is the sound from the hardware; for a type without input ports
    /// `inputs[0]` is that too. Returns the output ports; for a type without any, the sound for the device as
    /// the only one.
    Ports run(const Ports& inputs, Partition = {}, std::vector<Move> = {}, const Sound& device = {});

    /// For nodes of which one input and one output matter.
    Sound run(const Sound& input, Partition partition = {}, std::vector<Move> moves = {}) {
        return run(Ports{input}, partition, std::move(moves)).at(0);
    }

    /// Brings the node's model to rest, as the engine does with every new node. Before the first run.
    Rest settle();
    void reset();
    /// Takes over the knobs and the time of another runner, but not the state of its node.
    void follow(const NodeRunner&);
    /// The same, and the state of its node too.
    void copy_state(const NodeRunner&);

    /// From the next run on.
    void mute() { ramps_.back() = settled(1.f); }

    /// The sound that the node wrote to the device in the last run: `device_out_channels` channels.
    const Sound& device_out() const { return device_out_; }
    float reading(const std::string& name) const;
    std::vector<float> readings() const;
    int param_index(const std::string& name) const;
    const Ramp& param(const std::string& name) const { return ramps_[param_index(name)]; }
    const std::vector<ParamSpec>& params() const { return params_; }
    const Setup& setup() const { return setup_; }
    Node& node() { return *node_; }
    const Node& node() const { return *node_; }
    const NodeMemory& memory() const { return memory_; }
    std::uint64_t time() const { return time_; }

    static constexpr int device_out_channels = 4;

private:
    void move(const Move&);
    void play(int frame, int frames, const Ports& inputs, const Sound& device, Ports& outputs, int offset);

    const NodeType& type_;
    std::vector<ParamSpec> params_;
    Setup setup_;
    std::shared_ptr<const Prepared> prepared_;
    std::unique_ptr<Node> node_;
    NodeMemory memory_;
    std::vector<Ramp> ramps_;
    std::unique_ptr<std::atomic<float>[]> readings_;
    Sound device_out_;
    std::uint64_t time_;
};

}  // namespace gainstage::test
