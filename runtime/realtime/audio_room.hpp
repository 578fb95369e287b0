#pragma once
/// Everything the audio thread touches, and its one entrance: process().

#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "runtime/realtime/arrival_clock.hpp"
#include "runtime/realtime/audio_block.hpp"
#include "runtime/realtime/block_meter.hpp"
#include "runtime/realtime/change_seat.hpp"
#include "runtime/realtime/crew.hpp"
#include "runtime/realtime/desk.hpp"
#include "runtime/realtime/flood.hpp"
#include "runtime/realtime/master.hpp"
#include "runtime/realtime/midi_queue.hpp"
#include "runtime/realtime/outbox.hpp"
#include "runtime/realtime/timeline.hpp"

namespace gainstage {

struct RoomConfig {
    double sample_rate_hz = 48'000.;
    int max_frames = 512;  ///< longest piece; longer device blocks are cut
    int midi_ports = 0;
    int decoders = 1;            ///< of ports 0, 1, ...; messages of other ports are passed over
    bool watch = true;           ///< check every node's output; off only in `bench`
    bool time_nodes = true;      ///< measure blocks, and nodes in turn; off only in `bench`
    float start_ramp_ms = 20.f;  ///< with which a stream begins; 0: at full level, as renders of files do
    int in_channels = 2;         ///< of the device, for master.bypass; those beyond are silent there
    CrewConfig crew = {};        ///< threads that help
    QueueSizes queues = {};
};

/// Cuts the stream where something happens, and asks for each piece: the seat what plays, the desk where the
/// knobs stand, the crew or the runner to play it, the master how loud.
class AudioRoom {
public:
    explicit AudioRoom(const RoomConfig&);  // control thread; allocates all there is

    // control thread
    /// False: the queue is full, try later.
    bool post(const Event& event) { return news_.push({event, nullptr}); }
    /// False as above; counted.
    bool post(Transition* transition);
    /// What was applied, and reports. All that happened before now() is there.
    Outbox& outbox() noexcept { return outbox_; }
    /// Every move of a knob, for the same.
    const KnobTrail& trail() const noexcept { return trail_; }
    /// Before the first block: begins as a live stream does.
    void begin_with_ramp() { master_.start(RoomConfig{}.start_ramp_ms); }
    RoomStats& stats() noexcept { return meter_.stats(); }

    // any thread
    /// How often a state has changed that the engine acts on; see outbox.hpp.
    std::uint64_t rings() const noexcept { return outbox_.rings(); }
    /// Entries and reports that found a full queue.
    std::uint64_t reports_lost() const noexcept { return outbox_.entries_lost() + outbox_.reports_lost(); }
    /// The queues' memory: taken by the constructor, and none later.
    QueueBytes queue_bytes() const noexcept;
    /// The sample from which on the stream is silent for good; Master::never until then.
    std::uint64_t silent_at() const noexcept { return master_.silent_at(); }
    /// Where the master's knobs are going, as far as their moves have been applied.
    MasterKnobs master_knobs() const noexcept { return master_.knobs(); }
    /// The latest patch that master.bypass can play in time, in samples.
    int longest_bypass() const noexcept { return master_.longest_bypass(); }
    const RoomConfig& config() const noexcept { return config_; }
    /// Null where the audio thread is alone.
    Crew* crew() noexcept { return crew_.get(); }
    /// Stream samples played so far. Whatever was told of them is in the outbox and the trail.
    std::uint64_t now() const noexcept { return published_now_.load(std::memory_order_acquire); }

    // a MIDI port's thread
    /// The queue of one port.
    MidiQueue& midi_queue(int port) { return *midi_[port].queue; }

    // audio thread
    /// Plays one device block. `clock_ns`: steady clock at its start, for the stamps of the queues' MIDI; 0
    /// offline.
    void process(const AudioBlock&, int in_channels, int out_channels,
                 std::int64_t clock_ns = 0) noexcept GAINSTAGE_REALTIME;
    void process(const float* const* in, int in_channels, float* const* out, int out_channels, int frames,
                 std::int64_t clock_ns = 0) noexcept GAINSTAGE_REALTIME {
        process({.in = in, .out = out, .frames = frames}, in_channels, out_channels, clock_ns);
    }
    /// False: so much waits for the control thread that some of this block may be lost.
    bool has_room() const noexcept GAINSTAGE_REALTIME { return outbox_.has_room(); }

private:
    struct News {
        Event event;
        Transition* transition = nullptr;
    };
    struct MidiIn {
        std::unique_ptr<MidiQueue> queue;
        std::uint64_t latest = 0;  // stamp of its latest message: the next one is not before it
        int waiting = 0;           // messages of the queue that are on the timeline
    };

    // all of them: audio thread
    void take_news() noexcept;
    void take_queued_midi(int frames, bool has_clock) noexcept;
    std::uint64_t due_at(std::int64_t arrival_ns) noexcept;
    void take_midi(std::span<const BlockMidi>) noexcept;
    void schedule(Event) noexcept;
    void apply_due() noexcept;
    void apply(const Event&) noexcept;
    void panic() noexcept;
    void forget_all_sound() noexcept;
    void change_if_due() noexcept;
    int piece_length(int wanted) const noexcept;
    void play_piece(DeviceBlock&, int frames) noexcept;
    void play_plan(Plan&, Piece&) noexcept;

    // fixed after construction
    const RoomConfig config_;
    std::vector<MidiIn> midi_;
    const std::unique_ptr<Crew> crew_;

    // control thread in, audio thread out
    boost::lockfree::spsc_queue<News, boost::lockfree::capacity<4096>> news_;
    // audio thread in, control thread out
    Outbox outbox_;

    // audio thread
    std::uint64_t now_ = 0;
    std::uint64_t block_begin_ = 0;
    ArrivalClock arrivals_;
    Timeline timeline_;
    KnobTrail trail_;
    Desk desk_;
    ChangeSeat seat_;
    Master master_;
    BlockMeter meter_;

    // audio thread writes, any reads
    std::atomic<std::uint64_t> published_now_{0};
};

}  // namespace gainstage
