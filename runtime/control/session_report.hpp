#pragma once
/// What a session tells: one kind of report, for people, scripts and logs alike.
///
/// As JSON (`run --json`: one object a line) a report is
///
///   {"event": WORD, "at": 96000, "seconds": 2.0, "text": "...", "node": "opto", ...}
///
/// `at` is the sample of the stream, `seconds` the same in seconds, `text` a whole sentence; `text` and
/// `node` are there where they have something to say. The words, and what comes with them:
///
///   started      sound flows: text
///   fade         a change begins to be heard: swapped [ids], returned [ids], warm_from (sample)
///   playing      it is complete: text
///   returned     nodes are back from quarantine; those that tripped again meanwhile are not named: text
///   unchanged    saved, nothing changed: text
///   problem      something in a patch or a model is wrong, or a file can't be written: text
///   failed       a change can't be built; what played plays on, and of the first patch nothing: text
///   refusal      the system refused a right that only makes playing safer: text
///   note         worth knowing: text
///   quarantine   a node's output was bad; its input is heard instead, or silence where it has none: node,
///                text
///   latched      the third time in ten seconds: until the patch or its model changes: node, text
///   stalled      a worker did not come back from a branch: node, text
///   clamped      a knob was asked beyond its range: node, text
///   guarded      an output turned down what was above 0 dBFS; once a second at most: node, text
///   event        something was applied: kind "midi" (midi [bytes], port; control, port_name, moves), "knob"
///                (set "node.knob", value, smooth_ms), "scene" (scene, and morph_ms where somebody asked for
///                another time than the patch's) or "action" (panic true, or fade_out_ms)
///   lost         a full queue or a slow disk has lost something: lost {from, to (samples), and one count:
///   lines
///                (of the log), midi, events, moves or frames}, text
///   xrun         the driver lost sound; once a second at most, less often while it goes on: text
///   device_lost  the audio device is gone: text
///   silent       the fade-out at the end is over: text
///   done         a command will happen with the next block: command (its word), id where one was given; and
///                what it asked for, see README.md. Only whoever sent the command gets it
///   refused      a command will not happen: command, id, reason
///   status       how things stand, every second: see LiveStatus
///   summary      the last report: see LiveSummary
///
/// A line of a take's log (`run --log`, see engine/take.hpp) is the same object with what a replay needs: of
/// `event`, `lost` and `fade` the keys above, `at`, and with `fade` the patch.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/control/heard_midi.hpp"
#include "runtime/control/load_verdict.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/engine/take.hpp"
#include "runtime/io/heard_latency.hpp"

namespace gainstage {

struct Answer;

/// What a node tells of itself, by one of its type's readings.
struct NodeReading {
    std::string node;  ///< id
    std::string name;  ///< "gain_reduction_db"
    std::string unit;  ///< "dB"
    float value = 0.f;
};

/// How things stand.
struct LiveStatus {
    std::vector<float> in_peak_db, out_peak_db;  ///< per device channel, since the last status; dBFS
    float load = 0.f,
          worst_load = 0.f;  ///< of the latest block and the worst so far; 1 = all the time there is
    std::uint64_t xruns = 0;
    std::uint64_t quarantines = 0;      ///< trips so far
    std::vector<std::string> resting;   ///< ids of the nodes that are in quarantine now
    std::size_t memory_bytes = 0;       ///< that the patch takes
    std::vector<NodeReading> readings;  ///< of every node that has played, in the order of the patch
    HeardMidi last_midi;                ///< the latest message of a controller
    std::string scene = {};             ///< "verse", "verse > solo 40 %"; empty: none was chosen
    float usual_load = 0.f;             ///< the median of all blocks
    HeardLatency latency;               ///< from input to output, now
    std::uint64_t midi_late = 0;        ///< messages that came too late for their sample, so far
    MasterKnobs master;                 ///< where they are going
};

/// What was played.
struct LiveSummary {
    double seconds = 0.;
    std::uint64_t blocks = 0, xruns = 0, late_blocks = 0, swaps = 0, edits = 0, trips = 0, failures = 0,
                  midi_messages = 0, midi_dropped = 0, midi_late = 0;
    /// What full queues did: reports that no display got, events that never happened, moves of knobs that new
    /// instances were not warmed on, turns by which changes were late, commands that were refused.
    std::uint64_t reports_lost = 0, events_lost = 0, moves_lost = 0, swaps_postponed = 0,
                  commands_refused = 0;
    float worst_load = 0.f;
    double worst_at_s = 0.;
    float usual_load = 0.f;         ///< the median of all blocks
    int block_frames = 0;           ///< of the device
    std::vector<NodeLoad> busiest;  ///< nodes by their usual load, the busiest first; ten at most
    std::string verdict;            ///< whose fault lost sound was; empty: none was lost
    double recorded_s = 0., record_lost_s = 0.;  ///< of the input; what was lost is silence in the file
    std::uint64_t log_lost = 0;                  ///< lines that are missing in the log
    std::uint64_t queue_bytes = 0;               ///< memory of the room's queues
    // of several threads: pieces of the stream that workers had a part in, or came too late for
    std::uint64_t shared_pieces = 0, unshared_pieces = 0, stalls = 0;
    double longest_wait_us = 0.;  ///< of the audio thread for a worker
    double longest_turn_ms = 0.;  ///< of the session's loop, since sound flows
    double control_load = 0.;     ///< of the control thread, since sound flows; 1 = a whole core
    bool device_lost = false;
    bool is_incomplete = false;  ///< the log or the recording lacks something
};

/// The patch that a change leads to, with all that is needed to repeat it.
struct PlayedPatch {
    std::string file, text;
    /// Where its models lie, for a patch that was reached through links: beside the file, beside each link.
    std::string folder = {};
    std::vector<std::string> link_folders = {};
    struct PlayedModel {
        std::string path;
        std::uint64_t hash = 0;              ///< of the file's content
        std::shared_ptr<const Model> model;  ///< holds the file's bytes
    };
    std::vector<PlayedModel> models;
};

/// A value: any thread may keep it.
struct SessionReport {
    enum class Kind {
        started,
        fade,
        playing,
        returned,
        unchanged,
        problem,
        failed,
        refusal,
        note,
        quarantine,
        latched,
        stalled,
        clamped,
        guarded,
        event,
        lost,
        xrun,
        device_lost,
        silent,
        done,
        refused,
        status,
        summary,
    };

    Kind kind = Kind::note;
    std::uint64_t at = 0;
    double seconds = 0.;
    std::string text = {}, node = {};
    Event event = {};             ///< event
    std::string parameter = {};   ///< event: name of the knob that moved, of the scene
    HeardMidi midi = {};          ///< event: of a controller, without `waits`
    bool warmed = false;          ///< fade: newcomers were run over the past
    std::uint64_t warm_from = 0;  ///< fade: from this sample on
    std::vector<std::string> swapped = {}, returned = {};  ///< fade: ids
    std::shared_ptr<const PlayedPatch> patch =
        {};          ///< fade; null: the patch stays (a return from quarantine)
    Loss loss = {};  ///< lost
    std::shared_ptr<const LiveStatus> status = {};
    std::shared_ptr<const LiveSummary> summary = {};
    std::shared_ptr<const Answer> answer = {};  ///< done, refused
};

/// Control thread. Keeps all that the news only borrow.
SessionReport report_of(const EngineNews&, double rate_hz);
SessionReport report_of(const Loss&, std::uint64_t at, double rate_hz);

/// The word of a kind, as JSON has it.
const char* word_of(SessionReport::Kind);
/// One line of `run --json`, without its end. Any thread.
std::string to_json(const SessionReport&);

/// One line of a take's log, without its end; empty where a replay does not need the report. Any thread.
std::string to_log_line(const SessionReport&);
/// The log's first line; `loss`: lines that could not be written to the disk.
std::string log_head(double rate_hz, const Loss& loss = {});
/// The log's last line: the recording that belongs to it.
std::string log_end(const TakeRecording&);
/// By which a log names a weight file: 16 hexadecimal digits.
std::string content_name(std::uint64_t hash);

}  // namespace gainstage
