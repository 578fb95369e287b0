#pragma once
/// Writes the log of a take, so that it can be played again bit for bit: see runtime/engine/take.hpp.

#include <cstdint>
#include <set>
#include <string>

#include "runtime/control/session_report.hpp"

namespace gainstage {

/// The writer's thread. Lines go to the file by flush(): a take that ends badly can be replayed up to there.
class TakeLog {
public:
    /// Throws std::runtime_error that names the file if it can't be made.
    TakeLog(const std::string& file, double rate_hz);
    ~TakeLog();
    TakeLog(const TakeLog&) = delete;
    TakeLog& operator=(const TakeLog&) = delete;

    /// Keeps what a replay needs; weight files are written at once, each content once.
    void write(const SessionReport&);
    void flush();
    /// All is on the disk when this returns.
    void finish();
    /// False once a line or a weight file could not be written (a full disk); the take goes on.
    bool good() const { return good_; }

private:
    void keep(const PlayedPatch::PlayedModel&);

    const std::string file_;
    int fd_ = -1;
    std::string lines_;  // not yet in the file
    std::set<std::uint64_t> kept_;
    bool good_ = true;
};

}  // namespace gainstage
