#pragma once
/// A JACK server of the test's own, with JACK's dummy driver in place of a sound card.

#include <sys/types.h>

#include <string>

namespace gainstage::test {

class JackServer {
public:
    struct Config {
        int rate_hz = 48'000, period_frames = 256;
    };
    JackServer() : JackServer(Config()) {}
    /// Returns when clients may connect; this process's clients will find it. Throws when it does not come
    /// up.
    explicit JackServer(const Config&);
    /// Ends it. Clients of this process must have gone before.
    ~JackServer();
    JackServer(const JackServer&) = delete;
    JackServer& operator=(const JackServer&) = delete;

    /// False where jackd is not installed. Says so in the way that tools/test counts.
    static bool is_available();

    const std::string& name() const { return name_; }
    /// Runs one of JACK's own commands on this server, for 10 s at most; returns its exit status.
    int run(const std::string& command) const;
    static constexpr int held_up = 137 << 8;  ///< run()'s status of a command that was ended after those 10 s
    /// As if it had crashed.
    void kill();
    /// As if it hung: it is there, and does nothing. For good.
    void hang() const;

private:
    void take_name();
    void remove_remains() const;

    std::string name_;
    int lock_ = -1;  // the name is ours while this file is locked
    pid_t process_ = -1;
};

}  // namespace gainstage::test
