#pragma once
/// Everything the audio thread touches, and its one entrance: process().

#include <array>
#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/realtime/crew.hpp"
#include "runtime/realtime/midi_queue.hpp"
#include "runtime/realtime/transition.hpp"

namespace gainstage {

struct RoomConfig {
    double sample_rate_hz = 48'000.;
    int max_frames = 512;  ///< longest piece; longer device blocks are cut
    int midi_ports = 0;
    bool watch = true;       ///< check every node's output; off only in `bench`
    bool time_nodes = true;  ///< measure blocks, and nodes in turn; off only in `bench`
    CrewConfig crew = {};    ///< threads that help
};

/// How the stream is doing. Written by the audio thread, read by any.
struct RoomStats {
    static constexpr int metered_channels = 8;
    std::atomic<std::uint64_t> blocks{0}, late_blocks{0}, frames{0};
    std::atomic<float> load{0.f}, worst_load{0.f};  ///< time used / time there was
    std::atomic<std::uint64_t> worst_at{0};         ///< stream sample
    std::array<std::atomic<float>, metered_channels> in_peak{},
        out_peak{};  ///< since the reader last zeroed them
    std::atomic<std::uint64_t> reports_lost{0}, events_lost{0}, swaps_postponed{0};
};

class AudioRoom {
public:
    explicit AudioRoom(const RoomConfig&);  // control thread; allocates all there is

    // ------------------------------------------------------------------------------ control thread
    /// False: the queue is full, try later.
    bool post(const Event& event) { return news_.push({event, nullptr}); }
    bool post(Transition* transition) { return news_.push({{}, transition}); }
    bool next_report(Report& report) { return reports_.pop(report); }
    /// The queue of one MIDI port; its producer is that port's thread.
    MidiQueue& midi_queue(int port) { return *midi_[port]; }
    RoomStats& stats() noexcept { return stats_; }
    const RoomConfig& config() const noexcept { return config_; }
    /// Null where the audio thread is alone.
    Crew* crew() noexcept { return crew_.get(); }
    /// Stream samples played so far. Any thread.
    std::uint64_t now() const noexcept { return published_now_.load(std::memory_order_acquire); }

    // ------------------------------------------------------------------------------ audio thread
    /// Plays one device block. `clock_ns`: steady clock at its start, for the stamps of MIDI; 0 offline.
    void process(const float* const* in, int in_channels, float* const* out, int out_channels, int frames,
                 std::int64_t clock_ns = 0) noexcept GAINSTAGE_REALTIME;

    /// Length of the ramp with which every stream begins.
    static constexpr float start_ramp_ms = 20.f;

private:
    struct News {
        Event event;
        Transition* transition = nullptr;
    };
    struct KnobEntry {
        NodeKey key = 0;
        std::int32_t param = 0;
        Ramp ramp{};
    };
    class Host;  // what the MIDI map sees of the room
    friend class Host;

    void take_news(int frames, std::int64_t clock_ns) noexcept;
    void take_midi(int frames, std::int64_t clock_ns) noexcept;
    void schedule(Event) noexcept;
    void apply_due() noexcept;
    void apply(const Event&) noexcept;
    void move_knob(const Event&) noexcept;
    void move_target(TargetSlot&, std::int32_t param, float value, float smooth_ms) noexcept;
    void remember_knob(NodeKey, std::int32_t param, const Ramp&) noexcept;
    Ramp start_ramp(Slot&, std::int32_t param, float value, float smooth_ms) noexcept;
    void reset_all() noexcept;

    void change_if_due() noexcept;
    bool can_tell_of(const Transition&) noexcept;
    void begin_transition() noexcept;
    void finish_transition() noexcept;
    void fail_transition(WarmFailure) noexcept;
    void hand_back() noexcept;
    void inherit_knobs(TargetSlot&) noexcept;
    WarmFailure warm_until(std::uint64_t end, std::uint64_t budget) noexcept;
    void catch_up(int frames) noexcept;

    int piece_length(int wanted) const noexcept;
    void play_piece(DeviceBlock&, int frames) noexcept;
    void play_master(DeviceBlock&, int frames) noexcept;
    void report_trips(const Piece&) noexcept;
    void report_stalls(const Tasks&) noexcept;
    void take_plan(Plan*) noexcept;
    void report(const Report&) noexcept;
    void measure(const float* const* in, int in_channels, float* const* out, int out_channels, int frames,
                 std::uint64_t ticks) noexcept;
    std::uint32_t samples(float ms) const noexcept;

    // fixed after construction
    const RoomConfig config_;
    const double ticks_per_sample_;
    std::vector<std::unique_ptr<MidiQueue>> midi_;
    const std::unique_ptr<Crew> crew_;

    // queues: one producer, one consumer each
    boost::lockfree::spsc_queue<News, boost::lockfree::capacity<4096>> news_;
    boost::lockfree::spsc_queue<Report, boost::lockfree::capacity<16384>> reports_;

    // audio thread only
    std::uint64_t now_ = 0;
    Plan* plan_ = nullptr;  // borrowed: the control thread owns every plan and slot
    Score* score_ = nullptr;
    Transition* pending_ = nullptr;  // armed, not begun
    Transition* fading_ = nullptr;   // begun, not finished
    Report handback_;                // a transition that is over but not yet reported
    std::uint64_t fade_start_ = 0;
    bool warm_ = false;  // pending_ has caught up
    Ramp master_;
    bool fading_out_ = false;
    static constexpr int max_events = 4096;
    std::vector<Event> events_;  // sorted by stamp, latest first; never beyond max_events
    std::int64_t last_clock_ns_ = 0;
    int timed_next_ = 0;
    std::array<Trip, Piece::max_trips> trips_{};  // of the latest piece
    static constexpr std::uint64_t knob_ring_size = 4096;
    std::vector<KnobEntry> knobs_;  // the latest ramps, for newcomers that catch up
    std::uint64_t knob_sequence_ = 0;

    RoomStats stats_;
    std::atomic<std::uint64_t> published_now_{0};
};

}  // namespace gainstage
