#pragma once
/// The log of a take: everything that happened to a stream, stamped in its samples, so that it can be played
/// again bit for bit. One JSON object a line; the weight files that played lie beside it, named by their
/// content.
///
///   {"gainstage_log":1,"sample_rate_hz":48000,"version":"0.1.0"}
///   {"at":0,"play":{"file":"p.toml","text":"...","models":{"path":"1f00..."}}}
///   {"at":9600,"midi":[176,21,64],"port":0}
///   {"at":9700,"set":"trim.gain_db","value":-6,"smooth_ms":20}
///   {"at":20000,"play":{...},"warm_from":1200,"swapped":["opto"]}      the fade's first sample
///   {"at":30000,"returned":["opto"],"warm_from":25200}
///   {"at":40000,"panic":true}   {"at":50000,"fade_out_ms":50}

#include <cstdint>
#include <fstream>
#include <set>
#include <string>

#include "runtime/engine/engine.hpp"
#include "runtime/engine/patch_loader.hpp"

namespace gainstage {

/// Control thread. Written line by line, so that a take that ends badly can still be replayed up to there.
class TakeLog {
public:
    /// Throws std::runtime_error that names the file if it can't be created.
    TakeLog(const std::string& file, double sample_rate_hz);

    void write(const EngineNews&);
    /// False once a line or a weight file could not be written (a full disk); the take goes on.
    bool good() const { return good_; }

private:
    void line(const std::string& text);
    std::string keep_model(const Model&);

    const std::string file_;
    std::ofstream stream_;
    std::set<std::uint64_t> kept_;
    bool good_ = true;
};

/// One thing of a log that a replay has to do.
struct LoggedChange {
    ChangeOrder order;
    bool has_patch = false;  ///< else: a return from quarantine
    std::string file, text;
    ModelBytes models;
};

struct LoggedEvent {
    Event event;
    std::string node, parameter;  ///< of a knob
};

struct Take {
    double sample_rate_hz = 0.;
    std::vector<LoggedChange> changes;  ///< in order; the first is at sample 0
    std::vector<LoggedEvent> events;    ///< in order
};

/// Reads a log and the weight files beside it. Throws std::runtime_error: file:line, cause, remedy.
Take read_take(const std::string& file);

/// Where the weight files of a log are, and the one whose content has this hash (16 hexadecimal digits).
std::string kept_models_folder(const std::string& log);
std::string kept_model_path(const std::string& log, const std::string& name);

}  // namespace gainstage
