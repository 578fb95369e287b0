#include "runtime/control/end_signals.hpp"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "runtime/control/wake.hpp"

namespace gainstage {

namespace {

std::atomic<int> signals_seen{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler writes it");

const Wake& wake() {
    static const Wake forever;
    return forever;
}

extern "C" void on_end_signal(int) {
    if (signals_seen.fetch_add(1) > 0) _exit(0);
    wake().call();
}

}  // namespace

EndSignals::EndSignals() {
    wake();  // made before a handler needs it
    std::signal(SIGINT, on_end_signal);
    std::signal(SIGTERM, on_end_signal);
}

EndSignals::~EndSignals() {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    signals_seen = 0;
    wake().clear();
}

int EndSignals::fd() const noexcept {
    return wake().fd();
}

bool EndSignals::have_come() const noexcept {
    return signals_seen.load() > 0;
}

}  // namespace gainstage
