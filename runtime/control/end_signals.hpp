#pragma once
/// Ctrl-C, and what a service manager or a closed terminal sends instead.

namespace gainstage {

/// While it lives, SIGINT, SIGTERM, SIGQUIT and SIGHUP end nothing by themselves. (A SIGHUP that was ignored
/// when the process began stays ignored: nohup, and a terminal multiplexer that is killed.)
///
///   the first    makes fd() readable: end in order
///   the second   raises count(): end at once, but bring files into order. Whoever is held up has a second,
///   then
///                the process ends
///   the third    ends the process
///
/// One at a time. All calls: any thread.
class EndSignals {
public:
    /// `may_take_long`: false where the first signal, too, gives only a second.
    explicit EndSignals(bool may_take_long = true);
    ~EndSignals();
    EndSignals(const EndSignals&) = delete;
    EndSignals& operator=(const EndSignals&) = delete;

    /// Readable from the first signal on.
    int fd() const noexcept;
    /// How many have come.
    int count() const noexcept;
    /// The first one; 0: none has come.
    int number() const noexcept;
    /// The exit code where the process ends by a signal: 0 at first; not 0 while a file is not whole.
    void set_sudden_code(int exit_code) const noexcept;
};

}  // namespace gainstage
