#pragma once
/// A patch on stage: a JACK server, `gainstage run` as its client, and a tape connected to both its ends.

#include <optional>
#include <string>
#include <vector>

#include "tests/stage/program.hpp"
#include "tests/stage/tape.hpp"
#include "tests/support/jack_server.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/temporary_folder.hpp"

namespace gainstage::test {

/// The program ends before the tape, the tape before the server.
class Performance {
public:
    struct Config {
        int inputs = 1, outputs = 2;         ///< device channels of the patch
        std::vector<std::string> more = {};  ///< arguments of `run`
        std::string midi_port = {};          ///< of the program, for the tape's MIDI; empty: none
    };

    /// Starts the program, which records its input, and connects the tape.
    Performance(const JackServer&, const std::string& patch, const Config&);

    Program& program() { return *program_; }
    Tape& tape() { return tape_; }
    const TemporaryFolder& folder() const { return folder_; }

    /// Sends SIGINT; returns the exit status.
    int end();
    /// The recorded input of the engine, a WAV, once the program has ended.
    std::string heard() const { return folder_.file("heard.wav"); }
    /// `gainstage render` of that input, latency included.
    Sound rendered(const std::string& patch, const std::vector<std::string>& more = {},
                   std::chrono::seconds limit = patience) const;

private:
    const TemporaryFolder folder_;
    Tape tape_;
    std::optional<Program> program_;
};

/// "" if the tape is the rendered file bit for bit, from some period of the stream on, with silence past the
/// end of the file. Else where they differ.
std::string tape_difference(const Sound& tape, const Sound& rendered, int period);

}  // namespace gainstage::test
