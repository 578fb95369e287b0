#pragma once
/// Another host with a gain, to compare ours with.

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <string>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

namespace gainstage::test {

/// jalv plays the amplifier of LV2's examples: a gain of 0 dB, one channel. Ports "NAME:in" and "NAME:out".
class Jalv {
public:
    /// False: it is not installed. Then prints so in the form that tools/test counts.
    static bool is_available() {
        static const bool is = std::system("command -v jalv >/dev/null 2>&1") == 0 &&
                               std::filesystem::exists("/usr/lib/lv2/eg-amp.lv2/manifest.ttl");
        if (!is) std::cout << "skipped: no other host: jalv and lv2-examples are not installed" << std::endl;
        return is;
    }

    explicit Jalv(const std::string& name) : name_(name) {
        int input[2]{};  // it ends when its input does
        if (pipe(input) != 0) throw std::runtime_error("no pipe");
        for (const int end : input) fcntl(end, F_SETFD, FD_CLOEXEC);
        process_ = fork();
        if (process_ == 0) {
#if defined(__linux__)
            prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves nothing behind
#endif
            const int nowhere = open("/dev/null", O_RDWR);
            dup2(input[0], STDIN_FILENO);
            dup2(nowhere, STDOUT_FILENO);
            dup2(nowhere, STDERR_FILENO);
            execlp("jalv", "jalv", "-x", "-n", name_.c_str(), "http://lv2plug.in/plugins/eg-amp", nullptr);
            _exit(127);
        }
        close(input[0]);
        input_ = input[1];
    }
    ~Jalv() {
        kill(process_, SIGKILL);
        waitpid(process_, nullptr, 0);
        close(input_);
    }
    Jalv(const Jalv&) = delete;
    Jalv& operator=(const Jalv&) = delete;

    const std::string& name() const {
        return name_;
    }
    pid_t process() const {
        return process_;
    }

private:
    const std::string name_;
    pid_t process_ = -1;
    int input_ = -1;
};

}  // namespace gainstage::test
