#pragma once
/// What a process needs before it does anything else.

namespace gainstage {

/// Call it first in main(), before there is a second thread.
///
///   descriptors 0 to 2   open, on /dev/null where the starter has closed them: else the next file that is
///                        opened would get that number, and messages would be written into a recording.
///                        Writing to a standard output that was closed fails, so that no command takes its
///                        product for delivered
///   SIGPIPE              ignored: a reader that goes away is an error of writing
///   SIGXFSZ              ignored: so is a file that outgrows its limit
///   SIGTTOU              ignored: a program in the background may write to its terminal
///   SIGTTIN              ignored: one that reads it gets an error, and is not stopped
///   SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGSTKFLT and the real-time signals
///                        ignored where nobody has a handler: they would kill, and whoever sends one does not
///                        ask for the end
///   blocked signals      none: the starter may have blocked those that end a program
///
/// Ends the process with 78 where nothing can be opened at all.
void open_standard_streams() noexcept;

}  // namespace gainstage
