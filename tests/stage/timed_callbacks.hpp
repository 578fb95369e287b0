#pragma once
/// How long the process callbacks of JACK clients take, ours and others of this process.

#include <string>

namespace gainstage::test {

/// While it lives, the clients that set a callback are timed. One at a time.
class TimedCallbacks {
public:
    static constexpr int periods = 10'000;

    TimedCallbacks();
    /// The clients are closed.
    ~TimedCallbacks();
    TimedCallbacks(const TimedCallbacks&) = delete;
    TimedCallbacks& operator=(const TimedCallbacks&) = delete;

    /// Periods of this client that were timed, 10,000 at most.
    int count(const std::string& client) const;
    /// Of these.
    double median_us(const std::string& client) const;
};

}  // namespace gainstage::test
