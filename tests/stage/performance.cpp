#include "tests/stage/performance.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <bit>
#include <csignal>
#include <stdexcept>

#include "runtime/io/sound_file.hpp"

namespace gainstage::test {

namespace {

/// Two clients of one name would get others.
std::string client_name() {
    static int count = 0;
    return "stage" + std::to_string(++count) + "-" + std::to_string(getpid());
}

std::vector<std::string> joined(std::vector<std::string> words, const std::vector<std::string>& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

float sample(const Channel& channel, int at) {
    return at < static_cast<int>(channel.size()) ? channel[at] : 0.f;
}

/// Number of frames at the start of the tape that equal those of the file from `begin` on.
int equal_frames(const Sound& tape, const Sound& file, int begin) {
    const int length = static_cast<int>(tape[0].size());
    for (int k = 0; k < length; ++k)
        for (std::size_t c = 0; c < tape.size(); ++c)
            if (std::bit_cast<std::uint32_t>(sample(tape[c], k)) !=
                std::bit_cast<std::uint32_t>(sample(file[c], begin + k)))
                return k;
    return length;
}

}  // namespace

Performance::Performance(const JackServer&, const std::string& patch, const Config& config)
    : tape_(config.inputs, config.outputs) {
    const std::string name = client_name();
    program_.emplace(joined({"run", patch, "--json", "--api", "jack", "--device", "system", "--no-connect",
                             "--name", name, "--record", heard()},
                            config.more));
    if (!program_->tells("started"))
        throw std::runtime_error("gainstage did not start:\n" + program_->words());
    tape_.connect(name);
    if (!config.midi_port.empty()) tape_.connect_midi(name + ":" + config.midi_port);
}

int Performance::end() {
    program_->signal(SIGINT);
    return program_->wait();
}

Sound Performance::rendered(const std::string& patch, const std::vector<std::string>& more,
                            std::chrono::seconds limit) const {
    const std::string out = folder_.file("rendered.wav");
    run_to_end(joined({"render", patch, heard(), "-o", out, "--keep-latency", "-q"}, more), limit);
    return read_sound_file(out).channels;
}

std::string tape_difference(const Sound& tape, const Sound& rendered, int period) {
    if (tape.size() != rendered.size()) return "not as many channels";
    const int length = static_cast<int>(tape[0].size());
    int best = 0, best_begin = 0;
    for (int begin = 0; begin < static_cast<int>(rendered[0].size()); begin += period) {
        const int equal = equal_frames(tape, rendered, begin);
        if (equal == length) return {};
        if (equal > best) best = equal, best_begin = begin;
    }
    return fmt::format("equal for {} of {} frames at most, from {} of the stream on", best, length,
                       best_begin);
}

}  // namespace gainstage::test
