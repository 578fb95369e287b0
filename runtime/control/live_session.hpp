#pragma once
/// A patch on stage: device, MIDI, engine, log and file watching in one life, from the first sample to the
/// last.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/control/answer.hpp"
#include "runtime/control/device_keeper.hpp"
#include "runtime/control/end_signals.hpp"
#include "runtime/control/file_watcher.hpp"
#include "runtime/control/inbox.hpp"
#include "runtime/control/live_config.hpp"
#include "runtime/control/loss_watch.hpp"
#include "runtime/control/port_keeper.hpp"
#include "runtime/control/realtime_rights.hpp"
#include "runtime/control/session_report.hpp"
#include "runtime/control/sink.hpp"
#include "runtime/control/take_writer.hpp"
#include "runtime/engine/builder.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/engine/patch_loader.hpp"
#include "runtime/realtime/stream_callback.hpp"

namespace gainstage {

/// Who does what may take long. What is empty is the real thing.
struct SessionMeans {
    DeviceKeeper::Open open_device = {};
    PortKeeper::Open open_port = {};
    std::function<std::unique_ptr<Builder>(Builder::Task wake)> make_builder = {};
    const EndSignals* end_signals = nullptr;  ///< null: only commands end the session
    std::optional<QueueSizes> queues = {};
};

/// How it ended.
struct SessionEnd {
    /// sysexits: 65 and 66 the patch (reported), 69 device or port, 70 a fault of ours, 73 a file, 78 the
    /// machine lacks something
    int exit_code = 0;
    std::string error = {};       ///< what no report says: why nothing was played, or what is not whole
    bool leaves_threads = false;  ///< a library hangs or is at work: end the process without cleaning up
};

/// Made, it does nothing; run() plays. What takes long is done on other threads and comes back through the
/// inbox: no turn of the loop waits for anything but the next thing to do.
///
///   reading   the patch, for its channels      builder
///   opening   the audio device                 device keeper
///   preparing ports, files, models             port keepers, writer, builder
///   building  what plays first                 builder
///   locking   memory                           builder
///   starting  the stream                       device keeper
///   playing                                    reports, files that change, commands
///   fading    to silence, at the end
///   ringing   the last blocks are on their way through the driver
///   closing   the stream                       device keeper
///   writing   the rest of log and recording    writer
///   over
///
/// An exception ends the step that threw it, not the music: before the first sample the session fails; while
/// it plays, the fault is reported and it plays on; one that comes back every turn ends it in order. However
/// it ends, the stream is stopped before anything that it plays goes.
class LiveSession {
public:
    LiveSession(LiveConfig, NodeTypes, SessionMeans = {});
    /// Waits for the threads.
    ~LiveSession();
    LiveSession(const LiveSession&) = delete;
    LiveSession& operator=(const LiveSession&) = delete;

    /// Gets every report from now on. Before the first turn.
    void add(std::shared_ptr<Sink> sink) { sinks_.push_back(std::move(sink)); }
    /// The way in, for any thread.
    Inbox& inbox() noexcept { return inbox_; }
    /// Tells everybody what a door has to say. Control thread: through Inbox::bring().
    void note(std::string text) { say(Kind::note, std::move(text)); }
    /// The same with the report that it plays. Before the first turn.
    void say_at_start(const std::string& text) { words_at_start_ += "; " + text; }

    /// Turns until it is over. Throws nothing.
    SessionEnd run();
    /// Control thread. Waits for the next thing to do, 50 ms at most, and does it. False: it is over.
    bool turn();
    const SessionEnd& end() const noexcept { return end_; }
    /// The thread that writes log and recording: for those who must hold it. Null before the device is open.
    Worker* writer() noexcept { return writer_ ? &writer_->worker() : nullptr; }

private:
    enum class Stage {
        reading,
        opening,
        preparing,
        building,
        locking,
        starting,
        playing,
        fading,
        ringing,
        closing,
        writing,
        over
    };
    using Clock = std::chrono::steady_clock;
    using Kind = SessionReport::Kind;

    // live_session.cpp: a turn
    /// What has something to say.
    struct Due {
        bool mail = false, files = false;
    };
    Due wait();
    std::chrono::milliseconds pace();
    void work(Due);
    void take_mail();
    void obey_all(std::vector<Command>);
    void go_on();
    void look_at_files();
    void tell_status();
    void tell_of_wait(int error);
    bool is_time_up() const;
    void stir();
    void heed_signals();
    template <class Step>
    void guard(Step) noexcept;

    // live_commands.cpp
    void obey_or_answer(Command&);
    void obey(Command&);
    void set(const Command&);
    void set_master(const Command&);
    void choose_scene(const Command&);
    void get(const Command&);
    void tell_nodes(const Command&);
    void tell_how_it_stands(const Command&);
    void answer_with(const Command&, AnswerBody);
    void answer(const Command&, bool done, std::string reason = {});
    void answer(const Command&, Answer);
    void remember_asked(const std::string& address, float value);
    std::optional<float> asked_lately(const std::string& address) const;
    std::uint64_t asked_for() const;
    void panic(Command&);
    void pay_owed();
    bool owes() const noexcept;
    void reload(const std::vector<std::string>& changed);
    void reload_on();
    void on_reloaded(Resolved);
    void play(Graph);
    void watch(const Graph&);
    void load(std::function<void(Resolved)> done);

    // live_saving.cpp
    void save(Command&);
    void save_when_settled();
    void save_now(const Command&);
    void undo(const Command&);
    void write(const Command&, std::function<WrittenFile()> job);
    bool may_write(const Command&);

    // live_start.cpp
    void open_device(const Graph&);
    void prepare();
    void make_engine();
    CrewConfig crew(int priority);
    void open_files();
    void watch_queues();
    void open_ports();
    void count_prepared();
    void build();
    void lock();
    void start();
    std::vector<std::string> port_names() const;
    std::string ports_text() const;
    std::string latency_text() const;
    void announce();

    // live_end.cpp
    void end_soon();
    void fail(int exit_code, const std::string& error);
    void fail(const Problems&);
    void leave();
    void fade();
    void fade_on();
    void ring_on();
    void close();
    void finish();
    void settle_exit_code() noexcept;
    bool is_device_lost();
    void lose_device(const std::string& cause);
    void hurry();
    void hurry_on();
    void on_fault(const std::exception&) noexcept;
    void on_no_memory() noexcept;
    void tell_of_memory();
    void abandon() noexcept;
    void set_sudden_end(int exit_code);
    std::string where_the_take_lies() const;
    void tell_of_signal();

    // live_status.cpp: words and numbers
    void hear(const EngineNews&);
    void say(Kind, std::string text);
    void say(const Problems&);
    void tell(const SessionReport&);
    void report_xruns();
    void tell_losses(bool last = false);
    void declare_latency();
    void tell_block_size();
    enum class Peaks { keep, begin_anew };
    LiveStatus status(Peaks);
    HeardLatency latency() const;
    LiveSummary summary();
    LoadFacts load_facts() const;
    std::vector<NodeLoad> busiest_nodes() const;
    HeardMidi words_for(const Event&);
    HeardMidi heard_midi() const;
    void count_crew(LiveSummary&);
    static double cpu_seconds();
    double rate() const noexcept { return keeper_.format().rate_hz; }

    const LiveConfig config_;
    const NodeTypes types_;
    const SessionMeans means_;
    Inbox inbox_;
    std::vector<std::shared_ptr<Sink>> sinks_;
    Stage stage_ = Stage::reading;
    SessionEnd end_;
    bool end_asked_ = false, is_hurried_ = false;
    bool turn_failed_ = false;  // this turn
    int failed_turns_ = 0;      // in a row

    // what is at work, those first that the others use
    std::unique_ptr<Builder> builder_;
    std::unique_ptr<PatchLoader> loader_;  // its files are read by jobs of the builder
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<InputTap> tap_;
    std::unique_ptr<StreamCallback> callback_;
    std::shared_ptr<TakeWriter> writer_;
    std::vector<std::unique_ptr<PortKeeper>> ports_;
    DeviceKeeper keeper_;
    std::optional<LossWatch> losses_;  // looks at the engine, the ports and the tap
    std::unique_ptr<FileWatcher> watcher_;

    // preparing
    int awaited_ = 0;
    std::vector<std::string> inputs_;  // the patch and its models, when it was read first
    Failure file_failure_, port_failure_;
    Resolved first_;

    std::string words_at_start_;

    // playing
    bool announced_ = false, device_lost_ = false, is_incomplete_ = false;
    bool is_leaving_ = false;  // nothing was played
    bool is_loading_ = false, reload_again_ = false;
    std::vector<std::string> changed_;               // to be read again
    std::optional<Command> owed_panic_, owed_mute_;  // the room's queue was full
    std::vector<Command> owed_scenes_;
    /// Where a command has sent a knob, until its move has come back from the audio thread: who asks for what
    /// they have just set gets that.
    struct Asked {
        float value = 0.f;
        std::uint64_t at = 0;  // stream sample
    };
    std::unordered_map<std::string, Asked> asked_;
    struct AskedSave {
        Command command;
        std::uint64_t at = 0;  // stream sample
    };
    std::vector<AskedSave> saves_;  // until the moves before them have come back
    std::uint64_t xruns_said_ = 0;
    int block_said_ = 0;         // frames
    int latency_declared_ = -1;  // samples
    std::uint64_t blocks_judged_ = 0, late_blocks_judged_ = 0;
    std::uint64_t refused_files_ = 0;  // edits that could not be read
    MidiListener midi_;

    // time
    Clock::time_point stirred_{};  // something happened
    Clock::time_point next_status_{}, next_drain_{}, xruns_said_at_{};
    Clock::duration xruns_pause_ = std::chrono::seconds(1);  // before they are told again
    Clock::time_point patience_{};                           // of the stage
    std::uint64_t heard_at_ = 0;  // ringing: the callback after which all has been heard
    bool fade_asked_ = false;
    Clock::duration longest_turn_{};
    bool wait_failed_ = false;
    bool owes_memory_news_ = false;  // a step was left out, and nobody knows yet
    Clock::time_point no_memory_said_at_{};
    Clock::time_point announced_at_{};
    double cpu_at_announcement_s_ = 0.;
};

}  // namespace gainstage
