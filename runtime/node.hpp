#pragma once
/// The one contract that every node keeps, and the plain data that describes a node type.
///
/// A node is built ready on the control thread (its constructor may allocate and throw), and from then on
/// lives on the audio thread, where nothing may allocate, lock, throw or wait. `nodes/README.md` shows one in
/// twenty lines.

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "runtime/nonblocking.hpp"
#include "runtime/not_trivial.hpp"
#include "runtime/param.hpp"
#include "runtime/state_list.hpp"

namespace gainstage {

class Model;         // runtime/model/model.hpp
struct OutputWatch;  // runtime/output_watch.hpp
class Prepared;      // runtime/prepared.hpp

/// Cables carry one or two channels.
inline constexpr int max_channels = 2;
/// Longest piece of sound that a node is ever handed at once; longer device blocks are cut.
inline constexpr int max_block_frames = 8192;
/// An input buffer is never an output buffer; telling the compiler so lets it use vectors without a check.
#define GAINSTAGE_RESTRICT __restrict
/// The longest memory that a node may have. No newcomer is warmed on more history.
inline constexpr double longest_memory_s = 10.;
/// True if two rates differ by rounding only.
inline bool same_rate(double a_hz, double b_hz) noexcept {
    return std::abs(a_hz - b_hz) < 0.5;
}
/// Conditioning networks of moving knobs are evaluated every so many samples, counted from the start of the
/// stream.
inline constexpr int control_grid_frames = 16;

// ------------------------ description

/// How many channels a port has.
enum class Width {
    follow,  ///< as many as the node: the widest cable that enters a `follow` input (1 if none does)
    own,     ///< as many as the cable that enters it (a sidechain may be mono beside a stereo programme)
    mono,    ///< always 1; a stereo cable into it is an error of the patch
    stereo,  ///< always 2; a mono cable feeds both
    option,  ///< as many as the node's option says (`channels`: its number, or the length of its list)
};

struct PortSpec {
    std::string name;
    Width width = Width::follow;
    bool optional = false;  ///< an input that may stay without a cable (it then reads silence)
    std::string summary = {};
};

enum class OptionKind { integer, number, text, choice, boolean, channel_list };

/// A structural setting: read once when the node is built, changed only by an edit of the patch.
struct OptionSpec {
    std::string name;
    OptionKind kind = OptionKind::integer;
    std::string start = {};  ///< default, written as in the patch ("2", "lowpass"); empty: none
    bool required = false;
    double min = 0., max = 0.;              ///< for numbers, integers, and each entry of a channel list
    std::vector<std::string> choices = {};  ///< for `choice`
    std::string summary = {};
    std::string replaces = {};  ///< a knob that does nothing unless this is at its default: writing or
                                ///< mapping it beside another value is an error
};

/// Something a node measures for the player ("gain_reduction_db"); see Block::report.
struct ReadingSpec {
    std::string name, unit;
};

using OptionValue = std::variant<std::int64_t, double, bool, std::string, std::vector<int>, NotTrivial>;

/// The options of one node, complete: defaults filled in, values checked against the specs.
struct Options {
    std::vector<std::pair<std::string, OptionValue>> values;

    template <class T>
    const T& get(std::string_view name) const {
        for (const auto& [key, value] : values)
            if (key == name) return std::get<T>(value);
        throw std::logic_error("option not declared in the node's spec: " + std::string(name));
    }
    bool has(std::string_view name) const {
        return std::any_of(values.begin(), values.end(),
                           [&](const auto& entry) { return entry.first == name; });
    }
    bool operator==(const Options&) const = default;
};

/// What the control thread knows when it builds a node.
struct Setup {
    double sample_rate_hz = 48'000.;
    int max_frames = max_block_frames;  ///< no Block is longer
    int channels = 1;                   ///< of the node's `follow` ports
    std::vector<int> input_channels;    ///< per input port; 0: no cable
    std::vector<int> output_channels;   ///< per output port
    Options options;
    std::vector<float> start;      ///< present values of the knobs, in the order of params
    int loop_latency_samples = 0;  ///< latency of the loop that this delay closes, to be taken off its delay

    bool operator==(const Setup&) const = default;
};

class Node;

/// Whether a node type stands where the patch meets the device (or the file): sound comes in or goes out
/// there.
enum class Door { none, in, out };

/// A node type: what may be written in a patch, and how to build one. Registered in nodes/all_nodes.cpp.
struct NodeType {
    std::string name, summary;
    std::vector<PortSpec> inputs = {}, outputs = {};
    std::vector<ParamSpec> params =
        {};  ///< for model types: knobs besides those that the model file declares
    std::vector<OptionSpec> options = {};
    std::vector<ReadingSpec> readings = {};
    std::string architecture = {};  ///< non-empty: takes `model = "file"`, whose architecture must be this
    bool closes_loops = false;      ///< the node derives from LoopBreaker
    bool takes_out_offset = false;  ///< so a model before it may have one
    Door device = Door::none;       ///< its option `channels` lists channels of the device, counted from 1

    /// Control thread. Builds a node; null for model types. May throw SetupError.
    std::unique_ptr<Node> (*make)(const Setup&) = nullptr;
    /// Control thread. For model types: prepares a file for nodes at this rate, or at the model's own rate if
    /// it plays at no other. Throws ModelError.
    std::shared_ptr<const Prepared> (*prepare)(const Model&, double sample_rate_hz) = nullptr;
    /// For model types: the level of vector instructions for which files are prepared in this process.
    const std::string& (*level)() = nullptr;
};

/// A setting that can't be built: the message names it, what was expected and what to do.
struct SetupError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// ------------------------ processing

/// Sound at a port, as the plan wired it. A mono cable into a wider port appears under both channels.
struct PortBuffer {
    std::array<float*, max_channels> channel{};
    int channels = 0;  ///< 0: an optional input without a cable (its pointers read silence)
};

/// Where the stream meets the hardware or the file. Only `input` and `output` look at it.
struct DeviceBlock {
    const float* const* in = nullptr;  ///< [channel][frame]
    int in_channels = 0;
    float* const* out = nullptr;  ///< zeroed before the plan runs
    int out_channels = 0;
    int offset = 0;  ///< first frame of this piece within the buffers above
};

/// One piece of sound for one node: `frames` samples that begin at stream sample `time`. Audio thread.
/// Pieces are cut at events, so a knob's ramp never starts inside one.
struct Block {
    std::uint64_t time = 0;  ///< of the first frame, in samples since the stream began
    int frames = 0;          ///< 1 .. Setup::max_frames
    int offset = 0;          ///< first frame within the port buffers (loops run in pieces of a piece)
    const PortBuffer* inputs = nullptr;
    const PortBuffer* outputs = nullptr;
    const Ramp* params = nullptr;  ///< the node's knobs, then its bypass and its mute
    const DeviceBlock* device = nullptr;
    std::atomic<float>* readings = nullptr;

    const float* in(int port, int channel = 0) const noexcept {
        return inputs[port].channel[channel] + offset;
    }
    float* out(int port, int channel = 0) const noexcept { return outputs[port].channel[channel] + offset; }
    bool connected(int port) const noexcept { return inputs[port].channels > 0; }
    /// The knob's ramp; `param(i).at(time + k)` is its smoothed value at frame k.
    const Ramp& param(int index) const noexcept { return params[index]; }
    /// Publishes a reading of NodeType::readings for the status line.
    void report(int reading, float value) const noexcept {
        readings[reading].store(value, std::memory_order_relaxed);
    }
};

/// REQUIRES of process(): inputs are finite (the engine sees to that); an input buffer is never an output
/// buffer. Promise: the output depends on the input since the node was built or reset, the ramps and `time`,
/// never on how the stream was cut into blocks.
class Node {
public:
    Node() = default;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    virtual ~Node() = default;

    /// Audio thread. Writes every frame of every output.
    virtual void process(const Block&) noexcept GAINSTAGE_REALTIME = 0;

    /// Control thread, once, before the first process(). Names all memory on which the future sound depends,
    /// and the size of the scratch in which the node works.
    /// That memory must not move afterwards: the engine resets and copies the node by these bytes
    /// (runtime/node_memory.hpp). A node without memory names nothing.
    virtual void list_state(StateList&) {}
    /// Audio thread. The named memory was just written, as built or from a twin. Builds again what depends on
    /// it and can't be named.
    virtual void after_load() noexcept GAINSTAGE_REALTIME {}

    /// Constant after construction; any thread. Output lags input by this many samples.
    virtual int latency_samples() const noexcept { return 0; }
    /// Constant after construction; any thread. How long the past matters to -80 dB, at most 10 s; 0: no
    /// memory. A newcomer is warmed on this much history before it is heard.
    virtual std::int64_t memory_samples() const noexcept { return 0; }
    /// Constant after construction; any thread. How long the past matters to the last bit. 0: not at all;
    /// none: for ever, as in everything that feeds back. The promise: take two nodes of equal Setup whose
    /// knobs stand alike and have rested for as long as the longest of their ramps took. If both hear the
    /// same sound from stream sample t on, they write the same bits from t + exact_memory_samples() on.
    virtual std::optional<std::int64_t> exact_memory_samples() const noexcept { return std::nullopt; }

    /// Constant after construction; any thread. What a node that sends sound out has seen of it; null:
    /// nothing.
    virtual OutputWatch* output_watch() noexcept { return nullptr; }
};

/// A node that may close a loop: what it emits now depends only on what it absorbed before.
/// In a loop the engine calls emit(), runs the others, then absorb(), in pieces of at most
/// shortest_delay_samples(). Elsewhere it calls process().
class LoopBreaker : public Node {
public:
    virtual void emit(const Block&) noexcept GAINSTAGE_REALTIME = 0;
    virtual void absorb(const Block&) noexcept GAINSTAGE_REALTIME = 0;
    /// Audio thread. Longest piece (>= 1) that may be emitted before the next absorb, at stream sample
    /// `time`.
    virtual int shortest_delay_samples(const Ramp* params,
                                       std::uint64_t time) const noexcept GAINSTAGE_REALTIME = 0;
};

/// `make` for NodeType, for a node whose constructor takes the Setup.
template <class N>
std::unique_ptr<Node> make_node(const Setup& setup) {
    return std::make_unique<N>(setup);
}

/// The node types that a patch may name. Plain list, in the order of the documentation.
using NodeTypes = std::span<const NodeType>;

/// The first type that plays model files of this architecture; null: none.
inline const NodeType* type_that_plays(NodeTypes types, std::string_view architecture) noexcept {
    for (const NodeType& type : types)
        if (!architecture.empty() && type.architecture == architecture) return &type;
    return nullptr;
}

}  // namespace gainstage
