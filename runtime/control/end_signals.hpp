#pragma once
/// Ctrl-C, and what a service manager or a closed terminal sends instead.

#include <unistd.h>

#include <string>

namespace gainstage {

/// While it lives, SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGXCPU (the limit of processor time is reached) and
/// SIGPWR (the power fails) end nothing by themselves. (A SIGHUP that was ignored when the process began
/// stays ignored: nohup, and a terminal multiplexer that is killed. SIGXCPU, which the system repeats, counts
/// as the first only.)
///
///   the first    makes fd() readable: end in order
///   the second   raises count(): end at once, but bring files into order. After a second the process ends
///   the third    ends the process
///
/// One at a time. All calls but set_sudden_end(): any thread.
class EndSignals {
public:
    /// `may_take_long`: false where the first signal, too, gives only a second.
    /// `last_words_to`: the descriptor that gets the words of a sudden end.
    explicit EndSignals(bool may_take_long = true, int last_words_to = STDERR_FILENO);
    ~EndSignals();
    EndSignals(const EndSignals&) = delete;
    EndSignals& operator=(const EndSignals&) = delete;

    /// Readable from the first signal on.
    int fd() const noexcept;
    /// How many have come.
    int count() const noexcept;
    /// The first one; 0: none has come.
    int number() const noexcept;
    /// The exit code where the process ends by a signal: 0 at first; not 0 while a file is not whole. `words`
    /// are written then: a line, or nothing. One thread.
    void set_sudden_end(int exit_code, const std::string& words = {}) const;
};

}  // namespace gainstage
