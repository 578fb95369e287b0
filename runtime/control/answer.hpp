#pragma once
/// What a command asked for, as plain values: the session takes them down, whoever shows them makes the text.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/control/session_report.hpp"
#include "runtime/graph/graph.hpp"
#include "runtime/io/audio_stream.hpp"
#include "runtime/realtime/master.hpp"

namespace gainstage {

/// set, get: a knob, and where it is going.
struct KnobValue {
    std::string address;
    std::string unit;
    float value = 0.f;
};

/// nodes: what plays. Shares its nodes with the graph, so it is cheap to take down.
struct PlayingNodes {
    std::string name, file;  ///< of the patch
    NodeList nodes;
    std::vector<GraphLink> links;
    /// Per node its knobs, then bypass and mute: where they are going. NaN: not known.
    std::vector<float> values;
    MasterKnobs master;
};

/// status: how things stand.
struct PlayingStatus {
    LiveStatus status;
    std::string name, file;  ///< of the patch
    AudioFormat device;
};

/// save, undo: a file of the user's that was written.
struct WrittenFile {
    std::string file;
    std::string former;              ///< where the text lies that it held before; "": there was none
    std::vector<std::string> wrote;  ///< save: the addresses; empty: nothing was to be saved
};

struct AnswerBody {
    std::variant<KnobValue, PlayingNodes, PlayingStatus, WrittenFile> value;
};

/// The answer as a report: `done` or `refused`. Any thread.
SessionReport report_of(const Answer&);

}  // namespace gainstage
