#pragma once
/// The real program, `gainstage`, in a process of its own.

#include <sys/types.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.hpp"

namespace gainstage::test {

/// How long anything may take on a loaded machine before a test gives up on it.
inline constexpr std::chrono::seconds patience{20};

/// From its start to its end; killed if it still runs when this goes.
class Program {
public:
    static constexpr int still_runs = -1, killed = -2;

    explicit Program(const std::vector<std::string>& arguments);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    void signal(int number) const;
    bool is_running();
    /// Its exit status; `killed` where a signal ended it; `still_runs` after `limit`.
    int wait(std::chrono::milliseconds limit = patience);

    std::string standard_output() const { return folder_.read("stdout"); }
    std::string standard_error() const { return folder_.read("stderr"); }
    /// Both, for INFO.
    std::string words() const { return standard_output() + standard_error(); }

    /// What `run --json` has told so far: the objects whose "event" is this one.
    std::vector<nlohmann::json> events(const std::string& name) const;
    /// Waits until there are so many of them; false if the program ends or time runs out before.
    bool tells(const std::string& event, std::size_t count = 1);

private:
    const TemporaryFolder folder_;
    pid_t process_ = -1;
    int status_ = still_runs;
};

/// Runs it to its end; throws with what it said where that was not 0.
void run_to_end(const std::vector<std::string>& arguments);

}  // namespace gainstage::test
