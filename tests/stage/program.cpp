#include "tests/stage/program.hpp"
#include "tests/support/places.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <sstream>
#include <thread>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

namespace gainstage::test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

/// `usual`: the file that is opened where the test wants nothing else.
void lead(int stream, int to, const char* usual, int flags) {
    if (to == Streams::closed)
        close(stream);
    else if (to >= 0)
        dup2(to, stream);
    else
        dup2(open(to == Streams::full ? "/dev/full" : usual, flags | O_CLOEXEC, 0600), stream);
}

/// Runs in the child process.
[[noreturn]] void become_program(char* const* arguments, const std::string& out, const std::string& err,
                                 const Streams& streams) {
#if defined(__linux__)
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves nothing behind
#endif
    if (streams.terminal >= 0) {
        setsid();
        ioctl(streams.terminal, TIOCSCTTY, 0);
    }
    if (streams.ignores_hangup) std::signal(SIGHUP, SIG_IGN);
    lead(STDIN_FILENO, streams.in, "/dev/null", O_RDONLY);
    lead(STDOUT_FILENO, streams.out, out.c_str(), O_WRONLY | O_CREAT);
    lead(STDERR_FILENO, streams.err, err.c_str(), O_WRONLY | O_CREAT);
    if (streams.descriptors > 0) {
        // Whoever runs the tests may have left some open.
        for (int inherited = 3; inherited < 1'024; ++inherited) close(inherited);
        const rlimit limit{.rlim_cur = static_cast<rlim_t>(streams.descriptors),
                           .rlim_max = static_cast<rlim_t>(streams.descriptors)};
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    execv(arguments[0], arguments);
    _exit(127);
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments, const Streams& streams) {
    // Everything is allocated before fork(): another thread may hold the lock of the heap at that moment.
    std::vector<std::string> words{program_path()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const std::string out = folder_.file("stdout"), err = folder_.file("stderr");
    process_ = fork();
    if (process_ == 0) become_program(pointers.data(), out, err, streams);
}

Program::~Program() {
    if (!is_running()) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
}

void Program::signal(int number) const {
    if (status_ == still_runs) kill(process_, number);
}

bool Program::is_running() {
    int status = 0;
    if (status_ == still_runs && waitpid(process_, &status, WNOHANG) == process_)
        status_ = WIFEXITED(status) ? WEXITSTATUS(status) : killed;
    return status_ == still_runs;
}

int Program::wait(std::chrono::milliseconds limit) {
    const auto end = Clock::now() + limit;
    while (is_running() && Clock::now() < end) std::this_thread::sleep_for(5ms);
    return status_;
}

std::vector<nlohmann::json> Program::events(const std::string& name) const {
    std::vector<nlohmann::json> found;
    std::istringstream lines(standard_output());
    for (std::string line; std::getline(lines, line);) {
        if (line.find('"' + name + '"') == std::string::npos) continue;  // a flood has a million lines
        // The last line may still be incomplete.
        const nlohmann::json object = nlohmann::json::parse(line, nullptr, false);
        if (object.is_object() && object.value("event", "") == name) found.push_back(object);
    }
    return found;
}

bool Program::tells(const std::string& event, std::size_t count) {
    const auto end = Clock::now() + patience;
    for (;;) {
        const bool ran = is_running();
        if (events(event).size() >= count) return true;
        if (!ran || Clock::now() > end) return false;
        std::this_thread::sleep_for(5ms);
    }
}

void run_to_end(const std::vector<std::string>& arguments, std::chrono::seconds limit) {
    Program program(arguments);
    if (const int status = program.wait(limit); status != 0)
        throw std::runtime_error("gainstage ended with " + std::to_string(status) + ":\n" + program.words());
}

}  // namespace gainstage::test
