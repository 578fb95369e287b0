#pragma once
/// What the audio thread needs from the system: priority, and memory that is never paged out.

#include <string>
#include <vector>

namespace gainstage {

/// Something that the system refused. Sound plays without it, less safely.
struct Refusal {
    std::string what;    ///< "real-time priority 70 is refused: ..."
    std::string remedy;  ///< what the player can do about it
    std::string text() const { return what + "; " + remedy; }
};

/// Asks whether threads of this process may run at this SCHED_FIFO priority. Control thread; raises the
/// process's limit as far as it may.
std::vector<Refusal> check_realtime_priority(int priority);

/// Locks all memory that the process has, and what it will take from now on; the latter only where no limit
/// could then make an allocation fail. Control thread, before the stream starts; raises the process's limit
/// as far as it may.
std::vector<Refusal> lock_memory();

/// Threads of this process that can run at the same time. Any thread.
int usable_cores() noexcept;

/// On a worker of the audio thread, once: its priority (0: leave it), its stack, and sleep that ends in time.
/// Without the right to a priority it goes on as it is; check_realtime_priority says so.
void prepare_worker(int priority) noexcept;

}  // namespace gainstage
