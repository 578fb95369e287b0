#pragma once
/// The real program, `gainstage`, in its own process.

#include <sys/types.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.hpp"

namespace gainstage::test {

/// Longest time for anything on a loaded machine before a test gives up.
inline constexpr std::chrono::seconds patience{20};

/// Where the program's standard streams lead: one of these, or a descriptor of the test's.
struct Streams {
    static constexpr int as_usual = -1;  ///< input from /dev/null, outputs into files
    static constexpr int closed = -2;    ///< the program starts without that descriptor
    static constexpr int full = -3;      ///< /dev/full

    int in = as_usual, out = as_usual, err = as_usual;
    int terminal = -1;  ///< becomes the controlling terminal of the program; -1: it keeps the test's
    bool ignores_hangup = false;  ///< as `nohup` starts it
    int descriptors = 0;          ///< it may have open at a time; 0: as many as the test
};

/// Owns the process; kills it in the destructor if it still runs.
class Program {
public:
    static constexpr int still_runs = -1, killed = -2;

    explicit Program(const std::vector<std::string>& arguments, const Streams& = {});
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    pid_t process() const { return process_; }
    void signal(int number) const;
    bool is_running();
    /// Its exit status; `killed` if a signal ended it; `still_runs` after `limit`.
    int wait(std::chrono::milliseconds limit = patience);

    std::string standard_output() const { return folder_.read("stdout"); }
    std::string standard_error() const { return folder_.read("stderr"); }
    /// Both outputs, for INFO.
    std::string words() const { return standard_output() + standard_error(); }

    /// The events of `run --json` so far whose "event" is this kind.
    std::vector<nlohmann::json> events(const std::string& name) const;
    /// Waits until there are `count` of them. False if the program ends or time runs out before.
    bool tells(const std::string& event, std::size_t count = 1);

private:
    const TemporaryFolder folder_;
    pid_t process_ = -1;
    int status_ = still_runs;
};

/// Runs it to its end. Throws with its output if the exit status is not 0.
void run_to_end(const std::vector<std::string>& arguments, std::chrono::seconds limit = patience);

}  // namespace gainstage::test
