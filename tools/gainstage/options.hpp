#pragma once
/// The options of each command: command_line.cpp fills them in, the command's own file reads them. What the
/// machine file says stands in them where the command line says nothing.

#include <string>
#include <vector>

#include "runtime/control/live_config.hpp"
#include "tools/gainstage/machine_file.hpp"

namespace gainstage {

struct BenchOptions {
    std::string file;
    double rate_hz = 48'000.;
    double seconds = 2.;  ///< of sound for each block size and phase
    bool json = false;
};

struct CheckOptions {
    std::vector<std::string> patches;
    double rate_hz = 0.;         ///< 0: the rate that a model insists on, else 48 kHz
    std::size_t most_bytes = 0;  ///< 0: half of the machine's
    int block_frames = 0;        ///< of the device that it is to play on; 0: its latency is not asked for
    MachineFile machine;
    bool rate_is_given = false, block_is_given = false;  ///< on the command line
    bool json = false;
};

struct DevicesOptions {
    MachineFile machine;
    bool json = false;
};

struct InfoOptions {
    std::string model;
    bool json = false, without_probe = false;
};

struct LatencyOptions {
    AudioRequest audio;
    MachineFile machine;
    int in_channel = 1, out_channel = 1;
    bool json = false;
};

struct NodesOptions {
    std::string type;  ///< empty: all
    bool json = false;
};

struct RenderOptions {
    std::string patch, out, midi, automate, events;
    std::string scene;                  ///< empty: as the patch says
    std::vector<std::string> in;        ///< one render each
    std::vector<std::string> together;  ///< CHANNEL=FILE: one render of all
    int block = 512, threads = 1;
    std::size_t most_bytes = 0;  ///< 0: half of the machine's
    bool keep_latency = false, strict = false, incomplete = false, json = false, quiet = false;
};

struct RunOptions {
    LiveConfig config;
    MachineFile machine;
    std::string session;  ///< as `send` names it; empty: the usual name
    bool json = false;
    bool commands = false;  ///< from standard input
};

struct SendOptions {
    std::string session;             ///< empty: the usual name
    std::string command;             ///< its word, or the whole line
    std::vector<std::string> words;  ///< those behind it
    double seconds = 5.;             ///< to wait for the answer
    bool json = false;
};

}  // namespace gainstage
