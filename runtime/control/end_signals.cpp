#include "runtime/control/end_signals.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>

#include "runtime/control/wake.hpp"

namespace gainstage {

namespace {

constexpr std::array end_numbers{SIGINT, SIGTERM, SIGQUIT, SIGHUP};
constexpr unsigned patience_s = 1;

std::atomic<int> signals_seen{0}, first_number{0}, sudden_code{0}, hurried_from{2};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler writes it");

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

extern "C" void on_end_signal(int number) {
    const int seen = signals_seen.fetch_add(1) + 1;
    if (seen == 1) first_number = number;
    if (seen > 2) _exit(sudden_code);
    if (seen == hurried_from) alarm(patience_s);
    wake().call();
}

extern "C" void on_patience_over(int) {
    _exit(sudden_code);
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

EndSignals::EndSignals(bool may_take_long) {
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

void EndSignals::set_sudden_code(int exit_code) const noexcept {
    sudden_code = exit_code;
}

}  // namespace gainstage
