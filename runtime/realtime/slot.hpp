#pragma once
/// The place of one node in the running graph: the node, its knobs, and the guard around it.

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/graph/graph.hpp"
#include "runtime/node.hpp"
#include "runtime/node_memory.hpp"
#include "runtime/realtime/history.hpp"
#include "runtime/realtime/running_median.hpp"
#include "runtime/rest.hpp"

namespace gainstage {

/// A node's id as a small number, the same for as long as anything may name it.
using NodeKey = std::uint32_t;
/// Stands for all nodes. Among the moves of knobs it marks a panic, at which every node forgot all sound.
inline constexpr NodeKey every_node = ~NodeKey{0};

enum class TripCause : std::uint8_t { not_finite, above_ceiling };

/// The latest trips of a node. Three within ten seconds latch it: it comes back with an edit only.
struct TripRecord {
    static constexpr double window_s = 10.;
    static constexpr int trips_to_latch = 3;

    std::array<std::uint64_t, trips_to_latch> stamps{};  ///< stream samples, oldest first
    int count = 0;                                       ///< entries of `stamps` in use

    /// True: this trip latches the node.
    bool add(std::uint64_t stamp, double window_samples) noexcept GAINSTAGE_REALTIME;
};

/// Quarantine: from its first bad sample on, a node's output is its first input, aligned for latency. A 2 ms
/// ramp leads there from the last good sample. The node rests until a new instance takes its place.
struct Quarantine {
    static constexpr double ramp_s = 0.002;

    bool tripped = false, latched = false;
    TripCause cause = TripCause::not_finite;
    float ceiling = 0.f;      ///< above which its output rose, linear
    std::uint64_t since = 0;  ///< stream sample of the first bad sample
    TripRecord record;        ///< of the node, by earlier instances too
};

/// The first input, delayed by the node's latency: what is heard when the node is bypassed or in quarantine.
class DryLine {
public:
    /// `max_frames`: longest piece.
    DryLine(int channels, int latency, int max_frames);
    /// Audio thread. Takes in the next `frames` samples of a channel, sample(k) each; now(channel) is then
    /// what they were `latency` samples ago. Every channel of a piece, in any order, then advance().
    template <class Sample>
    void feed(int channel, int frames, Sample sample) noexcept GAINSTAGE_REALTIME {
        float* ring = ring_[channel].data();
        float* now = now_[channel].data();
        int at = position_;
        for (int k = 0; k < frames; ++k) {
            now[k] = std::exchange(ring[at], sample(k));
            if (++at == latency_) at = 0;
        }
    }
    std::size_t bytes() const noexcept {
        std::size_t floats = 0;
        for (std::size_t c = 0; c < ring_.size(); ++c) floats += ring_[c].size() + now_[c].size();
        return floats * sizeof(float);
    }
    void advance(int frames) noexcept GAINSTAGE_REALTIME {
        if (latency_) position_ = (position_ + frames) % latency_;
    }
    const float* now(int channel) const noexcept { return now_[channel].data(); }
    void reset() noexcept GAINSTAGE_REALTIME;
    void copy(const DryLine& twin) noexcept GAINSTAGE_REALTIME;

private:
    const int latency_;
    int position_ = 0;
    std::vector<std::vector<float>> ring_, now_;
};

/// Its knobs as the patch begins with them, then bypass and mute. Control thread.
std::vector<Ramp> starting_ramps(const GraphNode&);

/// The ramp of another instance's knob, limited to the values of this knob. Audio thread.
Ramp within_range(const ParamSpec&, Ramp) noexcept GAINSTAGE_REALTIME;

/// Everything that lives as long as one node instance. Built by the control thread, run by the audio thread.
struct Slot {
    Slot(NodeKey, std::shared_ptr<const GraphNode>, std::unique_ptr<Node>, double rate_hz, int max_frames,
         int loop_latency);
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

    enum Extra { bypass = 0, mute = 1, extra_count = 2 };  ///< knobs that every node has, after its own
    int param_of(Extra extra) const noexcept GAINSTAGE_REALTIME { return param_count + extra; }
    /// The index among the ramps. REQUIRES: the target is of this node.
    int param_of(const GraphTarget&) const noexcept GAINSTAGE_REALTIME;

    // fixed after construction, any thread
    const NodeKey key;
    const std::shared_ptr<const GraphNode> shared_description;  ///< the graph has it too
    const GraphNode& description;
    const std::unique_ptr<Node> node;
    NodeMemory memory;           ///< the node's state
    LoopBreaker* const breaker;  ///< the node, if it closes loops
    const int latency_samples, loop_latency_samples;
    const int param_count;                   ///< without the extras
    const std::span<const ParamSpec> specs;  ///< of all ramps
    /// The knobs' names as numbers. An event finds its knob by its number, whichever instance plays by then.
    /// The id of the node counts too: an event for one that is gone does not move another that has got its
    /// key.
    const std::vector<std::uint32_t> knob_numbers;
    std::vector<Ramp> ramp_memory;  ///< of `ramps`, then of `ramps_meanwhile`
    /// Of a node with a model: per input port, null where none is kept. Of any other: empty.
    std::vector<std::shared_ptr<History>> input_histories;
    Rest rest;  ///< of a model; whoever builds the slot writes it

    // audio thread
    /// From this stream sample on the node is neither bypassed nor muted nor in quarantine: the runner only
    /// runs and checks it.
    std::uint64_t plain_from = 0;
    std::array<float, 2 * max_channels> last_good{};  ///< per output port (two at most) and channel
    const std::span<Ramp> ramps;                      ///< the node's knobs, then the extras
    Quarantine quarantine;
    /// A worker was given up in the middle of this slot and may still be there. All of the above belongs to
    /// that worker, and the slot never plays again. Its knobs move on in `ramps_meanwhile`, for the next
    /// instance.
    bool is_lost = false;
    const std::span<Ramp> ramps_meanwhile;
    DryLine dry;
    const int ramp_samples;  ///< of the quarantine

    // written by whoever runs the slot, read by any
    /// Stream sample at which it went into quarantine; `never` until then. Written once at most, after
    /// `quarantine`, which does not change any more. The control thread acts on it.
    static constexpr std::uint64_t never = ~std::uint64_t{0};
    std::atomic<std::uint64_t> tripped_at{never};
    std::vector<std::atomic<float>> readings;                    ///< NaN until the first block
    std::atomic<std::uint64_t> timed_ticks{0}, timed_frames{0};  ///< cost, measured now and then
    RunningMedian usual_ticks;                                   ///< per frame

    /// Memory that it takes, without weights and histories. Any thread.
    std::size_t bytes() const noexcept {
        return sizeof *this + memory.bytes() + memory.scratch_bytes() + memory.kept_bytes() + dry.bytes();
    }
    /// Audio thread: the ramps to read and to move.
    std::span<Ramp> knobs() noexcept { return is_lost ? ramps_meanwhile : ramps; }
    /// Any thread. How long a knob takes to a new value; bypass and mute among them.
    float smooth_ms(int param) const noexcept GAINSTAGE_REALTIME {
        constexpr float of_extras = 20.f;
        return param < param_count ? description.smooth_ms[param] : of_extras;
    }
    /// Audio thread: leaves the slot to the worker that has it.
    void lose() noexcept GAINSTAGE_REALTIME;
    /// Audio thread, after any change of the bypass and mute knobs or of the quarantine.
    void update_plain() noexcept GAINSTAGE_REALTIME;
    /// Into quarantine. Whoever runs it.
    void trip(std::uint64_t stamp, TripCause, float ceiling,
              double latch_window_samples) noexcept GAINSTAGE_REALTIME;
    void reset() noexcept GAINSTAGE_REALTIME;
    void copy_state(const Slot& twin) noexcept GAINSTAGE_REALTIME;
};

}  // namespace gainstage
