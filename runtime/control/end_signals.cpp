#include "runtime/control/end_signals.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <deque>

#include "runtime/control/wake.hpp"

namespace gainstage {

namespace {

#if defined(SIGPWR)
constexpr std::array end_numbers{SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGXCPU, SIGPWR};
#else
constexpr std::array end_numbers{SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGXCPU};
#endif
constexpr unsigned patience_s = 1;

std::atomic<int> signals_seen{0}, first_number{0}, sudden_code{0}, hurried_from{2}, words_to{STDERR_FILENO};
std::atomic<const std::string*> last_words{nullptr};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler writes it");
static_assert(std::atomic<const std::string*>::is_always_lock_free, "a signal handler reads it");

const Wake& wake() {
    static const Wake forever;
    return forever;
}

/// As they were before.
struct Earlier {
    std::array<struct sigaction, end_numbers.size()> ends;
    struct sigaction alarm;
};
Earlier earlier;

/// A terminal that is held is not waited for.
[[noreturn]] void end_suddenly() {
    const std::string* const words = last_words;
    pollfd room{.fd = words_to, .events = POLLOUT, .revents = 0};
    if (words && poll(&room, 1, 0) > 0) [[maybe_unused]]
        const ssize_t count = write(room.fd, words->data(), words->size());
    _exit(sudden_code);
}

extern "C" void on_end_signal(int number) {
    // The system repeats it with every second of processor time: that is nobody's impatience.
    if (number == SIGXCPU && signals_seen > 0) return;
    const int seen = signals_seen.fetch_add(1) + 1;
    if (seen == 1) first_number = number;
    if (seen > 2) end_suddenly();
    if (seen == hurried_from) alarm(patience_s);
    wake().call();
}

extern "C" void on_patience_over(int) {
    if (signals_seen >= hurried_from) end_suddenly();  // else it is somebody else's
}

void handle(int number, void (*handler)(int), struct sigaction& before) {
    sigaction(number, nullptr, &before);
    if (number == SIGHUP && before.sa_handler == SIG_IGN) return;
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, nullptr);
}

}  // namespace

EndSignals::EndSignals(bool may_take_long, int last_words_to) {
    words_to = last_words_to;
    hurried_from = may_take_long ? 2 : 1;
    wake();  // made before a handler needs it
    for (std::size_t k = 0; k < end_numbers.size(); ++k)
        handle(end_numbers[k], on_end_signal, earlier.ends[k]);
    handle(SIGALRM, on_patience_over, earlier.alarm);
}

EndSignals::~EndSignals() {
    for (std::size_t k = 0; k < end_numbers.size(); ++k) sigaction(end_numbers[k], &earlier.ends[k], nullptr);
    alarm(0);  // after the handlers that set it
    sigaction(SIGALRM, &earlier.alarm, nullptr);
    signals_seen = 0;
    first_number = 0;
    sudden_code = 0;
    last_words = nullptr;
    wake().clear();
}

int EndSignals::fd() const noexcept {
    return wake().fd();
}

int EndSignals::count() const noexcept {
    return signals_seen.load();
}

int EndSignals::number() const noexcept {
    return first_number.load();
}

void EndSignals::set_sudden_end(int exit_code, const std::string& words) const {
    static std::deque<std::string>& kept = *new std::deque<std::string>;  // a handler may be reading one
    if (!words.empty()) kept.push_back(words);
    last_words = words.empty() ? nullptr : &kept.back();
    sudden_code = exit_code;
}

}  // namespace gainstage
