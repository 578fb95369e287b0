#pragma once
/// `gainstage run` as a JACK client without connections.

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/stage/program.hpp"

namespace gainstage::test {

class Player {
public:
    explicit Player(const std::string& patch, const std::vector<std::string>& more = {})
        : name_(fmt::format("player{}-{}", ++count_, getpid())), program_(words(patch, more)) {
        if (!program_.tells("started")) throw std::runtime_error("it did not start:\n" + program_.words());
    }
    const std::string& name() const { return name_; }
    Program& program() { return program_; }
    /// Its exit status.
    int end() {
        program_.signal(SIGINT);
        return program_.wait();
    }

private:
    std::vector<std::string> words(const std::string& patch, const std::vector<std::string>& more) const {
        std::vector<std::string> all{"run",      patch,    "--json", "--api", "jack",
                                     "--device", "system", "--name", name_};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    static inline int count_ = 0;
    const std::string name_;
    Program program_;
};

}  // namespace gainstage::test
