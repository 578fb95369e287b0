#pragma once
/// The log of a take, as a replay reads it: everything that happened to a stream, stamped in its samples. One
/// JSON object a line; the weight files that played lie beside it, named by their content.
///
///   {"gainstage_log":2,"sample_rate_hz":48000}          format 1 had no scenes, and is read too
///   {"at":0,"play":{"file":"p.toml","text":"...","models":{"path":"1f00..."}}}
///                         (and "folder", "link_folder" where the patch was reached through a link: a text,
///                         or a list of them where the link led to a link)
///   {"at":9600,"midi":[176,21,64],"port":0}
///   {"at":9700,"set":"trim.gain_db","value":-6,"smooth_ms":20}     or a knob of the master: "master.mute"
///   {"at":9800,"scene":"solo"}      (and "morph_ms" where somebody asked for another time than the patch's);
///                         not of scenes that a MIDI message chose: that message has a line
///   {"at":20000,"play":{...},"warm_from":1200,"swapped":["opto"]}      the fade's first sample
///   {"at":30000,"returned":["opto"],"warm_from":25200}
///   {"at":40000,"panic":true}   {"at":50000,"fade_out_ms":50}
///   {"at":60000,"tripped":"opto","latched":false}   {"at":60000,"stalled":"opto"}      for people
///   {"at":70000,"lost":{"from":64000,"to":69000,"lines":812}}     what the take lacks: lines, midi, events,
///                         moves or frames; in the first line what a full disk has lost
///   {"recorded":{"frames":960000,"channels":2,"fnv1a64":"00c0ffee00c0ffee"}}      the last line, where the
///                         input was recorded and the program came to its end: see sound_print.hpp

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/engine/engine.hpp"
#include "runtime/engine/patch_loader.hpp"

namespace gainstage {

/// One thing of a log that a replay has to do.
struct LoggedChange {
    ChangeOrder order;
    bool has_patch = false;  ///< else: a return from quarantine
    LoggedPatch patch;
};

struct LoggedEvent {
    Event event;
    std::string node, parameter;  ///< of a knob; of a scene its name is `parameter`
};

/// The recording that belongs to a take.
struct TakeRecording {
    std::uint64_t frames = 0;
    int channels = 0;
    std::uint64_t print = 0;  ///< SoundPrint::value()
    bool operator==(const TakeRecording&) const = default;
};

struct Take {
    double sample_rate_hz = 0.;
    std::vector<LoggedChange> changes;            ///< in order; the first is at sample 0
    std::vector<LoggedEvent> events;              ///< in order
    std::vector<Loss> losses;                     ///< what it lacks: with any, a replay is not what was heard
    std::optional<TakeRecording> recording = {};  ///< none: not recorded, cut off, or an older log
};

/// Says file:line, cause and remedy.
struct TakeError : std::runtime_error {
    TakeError(const std::string& message, int code) : std::runtime_error(message), exit_code(code) {}
    int exit_code;  ///< bad_data: no log, or its models are not there; not_found: the log is not there, or
                    ///< can't be read
};

/// Reads a log and the weight files beside it. Blank lines are passed over. Throws TakeError.
Take read_take(const std::string& file);
/// What the take lacks, in words, a few of it at most; empty where it is whole.
std::string text_of_losses(const Take&);
/// Throws TakeError (65) if the take lacks something; says that `--incomplete` repeats the rest.
void must_be_whole(const Take&, const std::string& file);

/// Where the weight files of a log are, of a finished one and of one that never was, and the one whose
/// content has this hash (16 hexadecimal digits).
std::string kept_models_folder(const std::string& log);
std::string kept_model_path(const std::string& log, const std::string& name);

}  // namespace gainstage
