#include "tests/support/jack_server.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <thread>
#include <vector>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

namespace gainstage::test {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr int names = 4;

int status_of(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str());
}

/// Runs in the child process.
[[noreturn]] void become_server(const std::string& name, const JackServer::Config& config) {
#if defined(__linux__)
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves no server behind
#endif
    const int nowhere = open("/dev/null", O_RDWR);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(nowhere, fd);
    const std::string rate = std::to_string(config.rate_hz), period = std::to_string(config.period_frames);
    // -S: synchronous; -r: no real-time priority, because a test must not depend on it.
    std::vector<const char*> words{"jackd", "-n", name.c_str(), "-r"};
    if (config.synchronous) words.push_back("-S");
    words.insert(words.end(), {"-d", "dummy", "-r", rate.c_str(), "-p", period.c_str(), nullptr});
    execvp("jackd", const_cast<char* const*>(words.data()));
    _exit(127);
}

bool has_ended(pid_t process) {
    return waitpid(process, nullptr, WNOHANG) != 0;
}

}  // namespace

bool JackServer::is_available() {
    static const bool is = status_of("command -v jackd") == 0;
    if (!is) std::cout << "skipped: no JACK server: jackd is not installed" << std::endl;
    return is;
}

/// JACK keeps a list of at most eight servers on a machine. A killed server stays in it until another one
/// takes its name. So the tests share a few names, and only one process uses a name at a time.
void JackServer::take_name() {
    const fs::path folder = fs::temp_directory_path();
    for (int k = 0;; k = (k + 1) % names) {
        name_ = "gainstage-test-" + std::to_string(getuid()) + "-" + std::to_string(k);
        lock_ = open((folder / (name_ + ".lock")).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (lock_ < 0) throw std::runtime_error("no place for a lock");
        if (flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
        close(lock_);
        if (k == names - 1) std::this_thread::sleep_for(50ms);
    }
}

/// Removes what a killed server left behind: the semaphores of its clients would confuse the next server of
/// this name.
void JackServer::remove_remains() const {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/dev/shm", ignored))
        if (entry.path().filename().string().find("_" + name_ + "_") != std::string::npos)
            fs::remove(entry.path(), ignored);
}

JackServer::JackServer(const Config& config) : config_(config) {
    take_name();
    setenv("JACK_DEFAULT_SERVER", name_.c_str(), 1);
    setenv("JACK_NO_AUDIO_RESERVATION", "1", 1);
    try {
        start();
    } catch (...) {
        close(lock_);
        throw;
    }
}

void JackServer::start() {
    for (int attempt = 0; attempt < 3; ++attempt) {
        remove_remains();
        process_ = fork();
        if (process_ == 0) become_server(name_, config_);
        if (run("jack_wait -w -t 8") == 0) return;
        kill();  // the previous server of this name may not have ended yet
    }
    throw std::runtime_error("jackd did not start");
}

int JackServer::run(const std::string& command) const {
    return status_of("JACK_DEFAULT_SERVER=" + name_ + " timeout -s KILL 10 " + command);
}

void JackServer::kill() {
    if (process_ < 0) return;
    ::kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = -1;
}

void JackServer::hang() const {
    ::kill(process_, SIGSTOP);
}

void JackServer::end() {
    if (process_ >= 0) ::kill(process_, SIGINT);
    if (process_ >= 0) ::kill(process_, SIGCONT);
    for (int k = 0; k < 300 && process_ >= 0; ++k) {
        if (has_ended(process_))
            process_ = -1;
        else
            std::this_thread::sleep_for(10ms);
    }
    kill();
}

JackServer::~JackServer() {
    unsetenv("JACK_DEFAULT_SERVER");
    end();
    remove_remains();
    close(lock_);
}

}  // namespace gainstage::test
