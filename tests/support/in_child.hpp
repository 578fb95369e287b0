#pragma once
/// Runs work in a child process, so that a test can see it end: an abort is then a result, not the end of the
/// tests.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>

namespace gainstage::test {

struct End {
    int status = 0;
    std::string said;  ///< on stderr
    bool peaceful() const { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }
};

/// Does the work in a child process.
inline End in_child(const std::function<void()>& work) {
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0) throw std::runtime_error("no pipe");
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        for (int s : {SIGABRT, SIGSEGV}) std::signal(s, SIG_DFL);  // not Catch's handlers
        dup2(pipe_ends[1], STDERR_FILENO);
        work();
        _exit(0);
    }
    close(pipe_ends[1]);
    End end;
    char text[4096];
    for (ssize_t n; (n = read(pipe_ends[0], text, sizeof text)) > 0;)
        end.said.append(text, static_cast<std::size_t>(n));
    close(pipe_ends[0]);
    waitpid(child, &end.status, 0);
    return end;
}

}  // namespace gainstage::test
