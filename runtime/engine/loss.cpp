#include "runtime/engine/loss.hpp"

#include <fmt/format.h>

namespace gainstage {

const char* word_of(Loss::Kind kind) noexcept {
    switch (kind) {
        case Loss::Kind::lines:
            return "lines";
        case Loss::Kind::midi:
            return "midi";
        case Loss::Kind::events:
            return "events";
        case Loss::Kind::moves:
            return "moves";
        case Loss::Kind::frames:
            return "frames";
    }
    return "";
}

namespace {

const char* what_of(Loss::Kind kind) noexcept {
    switch (kind) {
        case Loss::Kind::lines:
            return "line(s) of the log are missing";
        case Loss::Kind::midi:
            return "MIDI message(s) were lost in a full queue";
        case Loss::Kind::events:
            return "event(s) were lost in a full queue";
        case Loss::Kind::moves:
            return "move(s) of knobs are missing in what new instances were warmed on";
        case Loss::Kind::frames:
            return "frame(s) of the recording are silence";
    }
    return "";
}

}  // namespace

std::string text_of(const Loss& loss, double rate_hz) {
    return fmt::format("{} {}, from {:.2f} s to {:.2f} s", loss.count, what_of(loss.kind),
                       static_cast<double>(loss.from) / rate_hz, static_cast<double>(loss.to) / rate_hz);
}

}  // namespace gainstage
