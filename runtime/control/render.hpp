#pragma once
/// A patch, a sound file in, a sound file out: the same engine as on stage, without a clock.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/engine/offline_stream.hpp"
#include "runtime/io/automation_file.hpp"
#include "runtime/io/midi_file.hpp"
#include "runtime/io/sound_inputs.hpp"

namespace gainstage {

struct RenderJob {
    std::string patch, in, out;  ///< `out`: see SoundWriter
    /// Files that play at once, each in channels of its own; `in` then names them all, for messages. Empty:
    /// `in` plays alone, from channel 1 on.
    std::vector<SoundInput> together = {};
    int block_frames = 512;      ///< 1..8192; changes no bit of the result
    int threads = 1;             ///< that play branches of the patch beside each other; changes no bit either
    std::size_t most_bytes = 0;  ///< memory that a patch may take; 0: half of the machine's
    bool keep_latency = false;   ///< leave the declared latency at the beginning of the file
    /// Refuse a file of which a part can't be read, instead of silence there, and for a take another sound
    /// than its recording.
    bool strict = false;
    std::vector<TimedMidi> midi;
    std::vector<AutomationMove> automation;
    std::string midi_file, automation_file;  ///< for messages; empty: none
    std::string scene = {};                  ///< with which the patch begins; empty: as it says itself
    std::optional<Take> take;                ///< replays it; its own patch is played
    bool incomplete = false;                 ///< of a take: also where the input ends before the take does
    /// Of the whole batch that this is one of: no output may be among the inputs, nor among these.
    std::vector<std::string> inputs, outputs;
};

/// What a reading of a node was from the first block to the last.
struct ReadingRange {
    std::string node, name, unit;
    float least = 0.f, most = 0.f, last = 0.f;
};

struct RenderReport {
    double seconds = 0., elapsed_s = 0.;
    int rate_hz = 0, out_channels = 0, latency_samples = 0;
    double unreadable_s = 0.;  ///< of the input: silence stands for it, or the output ends before it
    /// Of the samples that are numbers.
    double in_peak_db = -144., out_peak_db = -144., in_rms_db = -144., out_rms_db = -144.;
    /// Looked at once a block; those of nodes that an edit brings come last.
    std::vector<ReadingRange> readings;
    std::vector<std::string> news;  ///< what happened on the way (quarantine, notes)
    Problems problems;              ///< errors: nothing was written
};

/// `progress` is told the part that is done, 0..1, now and then. Throws SoundFileError, WriteError; then
/// `out` is as it was.
RenderReport render(const RenderJob&, NodeTypes, const std::function<void(double)>& progress = {});

}  // namespace gainstage
