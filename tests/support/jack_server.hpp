#pragma once
/// A JACK server for the test alone, with JACK's dummy driver instead of a sound card.

#include <sys/types.h>

#include <string>

namespace gainstage::test {

class JackServer {
public:
    struct Config {
        int rate_hz = 48'000, period_frames = 256;
        bool synchronous = true;  ///< a period ends when every client has played it
    };
    JackServer() : JackServer(Config()) {}
    /// Returns when clients can connect; clients of this process will find it. Throws if it does not start.
    explicit JackServer(const Config&);
    /// Ends the server. Clients of this process must be gone before.
    ~JackServer();
    JackServer(const JackServer&) = delete;
    JackServer& operator=(const JackServer&) = delete;

    /// False if jackd is not installed. Then prints so in the form that tools/test counts.
    static bool is_available();

    const std::string& name() const { return name_; }
    /// Runs one of JACK's commands on this server for at most 10 s. Returns its exit status.
    int run(const std::string& command) const;
    static constexpr int held_up = 137 << 8;  ///< run()'s status if the command was ended after those 10 s
    /// Ends it as a crash would.
    void kill();
    /// Ends it as its user would.
    void end();
    /// The next server of this name, after one that has ended. Clients of this process must be gone before.
    void start();
    /// Makes it hang for good: it stays there and does nothing.
    void hang() const;

private:
    void take_name();
    void remove_remains() const;

    const Config config_;
    std::string name_;
    int lock_ = -1;  // the name is ours while this file is locked
    pid_t process_ = -1;
};

}  // namespace gainstage::test
