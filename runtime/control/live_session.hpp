#pragma once
/// A patch on stage: device, MIDI, engine, log and file watching in one life, from the first sample to the
/// last.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/control/file_watcher.hpp"
#include "runtime/control/input_recorder.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/engine/patch_loader.hpp"
#include "runtime/engine/take_log.hpp"
#include "runtime/io/audio_device.hpp"
#include "runtime/io/midi_input.hpp"

namespace gainstage {

struct LiveConfig {
    std::string patch;
    AudioRequest audio;             ///< channels are taken from the patch
    bool null_device = false;       ///< a clock in place of hardware
    std::vector<std::string> midi;  ///< names of ports, see MidiInput
    double seconds = 0.;            ///< end by itself; 0: play on
    std::string log;                ///< file for the take's log; empty: none
    std::string record;             ///< sound file for the input; empty: none
    int threads = 1;                ///< that play branches of the patch beside each other
    bool rehearse = false;          ///< watch the patch and its models
};

/// What the session tells its display, on the control thread.
struct LiveNews {
    enum class Kind { started, engine, problem, refusal, xrun, device_lost, note };
    Kind kind = Kind::note;
    std::string text;
    const EngineNews* engine = nullptr;
};

/// How things stand, for a status line.
struct LiveStatus {
    double seconds = 0.;
    std::vector<float> in_peak_db, out_peak_db;  ///< since the last status
    float load = 0.f,
          worst_load = 0.f;  ///< of the latest block and the worst so far; 1 = all the time there is
    std::uint64_t xruns = 0;
    std::vector<std::pair<std::string, float>> gain_reduction_db;  ///< per node that has the reading
    std::string last_midi;
};

struct LiveSummary {
    double seconds = 0.;
    std::uint64_t blocks = 0, xruns = 0, late_blocks = 0, swaps = 0, edits = 0, trips = 0, failures = 0,
                  midi_messages = 0, midi_dropped = 0;
    /// What full queues did: reports that no log holds, events that never happened, blocks by which changes
    /// were late.
    std::uint64_t reports_lost = 0, events_lost = 0, swaps_postponed = 0;
    float worst_load = 0.f;
    double worst_at_s = 0.;
    std::string slowest_node;                    ///< most time per sample, where any was measured
    double slowest_node_load = 0.;               ///< its share of the time there is
    double recorded_s = 0., record_lost_s = 0.;  ///< of the input; what was lost is silence in the file
    // of several threads: pieces of the stream that workers had a part in, or came too late for
    std::uint64_t shared_pieces = 0, unshared_pieces = 0, stalls = 0;
    double longest_wait_us = 0.;  ///< of the audio thread for a worker
    bool device_lost = false;
    bool given_up = false;       ///< its server hangs: closing it would too, so end without
    bool is_incomplete = false;  ///< the log or the recording could not be written to its end
};

class LiveSession {
public:
    using Listener = std::function<void(const LiveNews&)>;

    /// Opens the device, loads the patch, starts to play. Throws DeviceError; problems of the patch are
    /// returned by problems(), and then nothing plays.
    LiveSession(const LiveConfig&, NodeTypes, Listener);
    ~LiveSession();

    const Problems& problems() const noexcept { return problems_; }
    const AudioFormat& format() const { return stream_->format(); }

    /// One turn of the control thread: at most some 10 ms (longer while a newcomer is warmed). False: it is
    /// over (the device is gone, or the time is up).
    bool turn();
    /// Fades out and stops.
    LiveSummary finish();
    LiveStatus status();

private:
    CrewConfig crew(int priority);
    bool load_first();
    void open_midi();
    void reload(const std::vector<std::string>& changed);
    void watch(const Graph&);
    void hear(const EngineNews&);
    void say(LiveNews::Kind, const std::string& text);
    void report_xruns();
    bool is_device_lost();
    void lose_device(const std::string& cause);
    void write_files();
    void play_until(const std::function<bool()>&);
    void fade_out();
    void report_unwritten(const std::string& cause);
    void finish_recording(LiveSummary&);
    void count_crew(LiveSummary&);
    static void callback(void* self, const float* const* in, float* const* out, int frames,
                         bool input_overflow, bool output_underflow);

    const LiveConfig config_;
    const NodeTypes types_;
    const Listener listener_;
    Problems problems_;
    std::unique_ptr<AudioStream> stream_;
    std::unique_ptr<PatchLoader> loader_;
    BuilderThread builder_;  ///< outlives the engine
    std::unique_ptr<Engine> engine_;
    std::vector<std::unique_ptr<MidiInput>> midi_;
    std::unique_ptr<TakeLog> log_;
    std::unique_ptr<InputRecorder> recorder_;
    std::unique_ptr<FileWatcher> watcher_;
    std::atomic<std::uint64_t> input_overflows_{0}, output_underflows_{0};
    std::uint64_t xruns_said_ = 0;
    std::chrono::steady_clock::time_point xruns_said_at_{};
    std::string last_midi_;
    bool log_was_good_ = true, recording_was_whole_ = true, is_incomplete_ = false, device_lost_ = false;
};

}  // namespace gainstage
