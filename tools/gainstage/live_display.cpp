#include "tools/gainstage/live_display.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace gainstage {

using nlohmann::json;

namespace {

/// Words for scripts; they are part of the interface.
const char* name_of(LiveNews::Kind kind) {
    switch (kind) {
        case LiveNews::Kind::started:
            return "started";
        case LiveNews::Kind::problem:
            return "problem";
        case LiveNews::Kind::refusal:
            return "refusal";
        case LiveNews::Kind::xrun:
            return "xrun";
        case LiveNews::Kind::device_lost:
            return "device_lost";
        default:
            return "note";
    }
}

const char* name_of(EngineNews::Kind kind) {
    switch (kind) {
        case EngineNews::Kind::started:
            return "fade";
        case EngineNews::Kind::finished:
            return "playing";
        case EngineNews::Kind::unchanged:
            return "unchanged";
        case EngineNews::Kind::failed:
            return "failed";
        case EngineNews::Kind::tripped:
            return "quarantine";
        case EngineNews::Kind::latched:
            return "latched";
        case EngineNews::Kind::stalled:
            return "stalled";
        case EngineNews::Kind::returned:
            return "returned";
        case EngineNews::Kind::clamped:
            return "clamped";
        case EngineNews::Kind::event:
            return "event";
        case EngineNews::Kind::silent:
            return "silent";
        default:
            return "note";
    }
}

void print_json(const json& object) {
    fmt::print("{}\n", object.dump(-1, ' ', false, json::error_handler_t::replace));
    std::fflush(stdout);
}

/// Eight steps from -60 to 0 dBFS.
std::string meter(float db) {
    static constexpr const char* bars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const int step = std::clamp(static_cast<int>(std::lround((db + 60.f) / 60.f * 8.f)), 0, 8);
    return fmt::format("{}{:>4.0f}", bars[step], std::max(db, -99.f));
}

std::string meters(const std::vector<float>& channels) {
    std::string text;
    for (const float db : channels) text += meter(db) + " ";
    return text;
}

std::size_t columns() {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 100;
}

/// Cut to the terminal's width, counting characters, not bytes.
std::string cut(const std::string& text, std::size_t width) {
    std::size_t seen = 0, at = 0;
    for (; at < text.size(); ++at) {
        if ((text[at] & 0xc0) != 0x80 && seen++ == width) break;
    }
    return text.substr(0, at);
}

}  // namespace

void LiveDisplay::line(const std::string& text) {
    const char* clear = form_ == Form::terminal ? "\r\033[K" : "";
    fmt::print(stderr, "{}{}\n", clear, text);
    std::fflush(stderr);
}

void LiveDisplay::show(const LiveNews& news) {
    if (news.engine) return show_engine(*news.engine);
    if (form_ == Form::json) return print_json({{"event", name_of(news.kind)}, {"text", news.text}});
    line(news.text);
}

void LiveDisplay::show_engine(const EngineNews& news) {
    const double seconds = static_cast<double>(news.stamp) / rate_hz_;
    if (form_ == Form::json) {
        json object{{"event", name_of(news.kind)}, {"at", news.stamp}, {"seconds", seconds}};
        if (!news.text.empty()) object["text"] = news.text;
        if (!news.node.empty()) object["node"] = news.node;
        if (!news.swapped.empty()) object["swapped"] = news.swapped;
        if (news.kind == EngineNews::Kind::event)
            object["kind"] = news.event.kind == EventKind::midi   ? "midi"
                             : news.event.kind == EventKind::knob ? "knob"
                                                                  : "action";
        return print_json(object);
    }
    const bool quiet = news.kind == EngineNews::Kind::event || news.kind == EngineNews::Kind::started ||
                       news.kind == EngineNews::Kind::silent;
    if (!quiet) line(fmt::format("{:8.2f} s  {}", seconds, news.text));
}

void LiveDisplay::show(const LiveStatus& status) {
    if (form_ == Form::json)
        return print_json({{"event", "status"},
                           {"seconds", status.seconds},
                           {"in_peak_dbfs", status.in_peak_db},
                           {"out_peak_dbfs", status.out_peak_db},
                           {"load", status.load},
                           {"worst_load", status.worst_load},
                           {"xruns", status.xruns},
                           {"gain_reduction_db", status.gain_reduction_db},
                           {"last_midi", status.last_midi}});
    if (form_ != Form::terminal) return;
    std::string text = fmt::format("{:7.1f} s  in {}out {} load {:3.0f} % (worst {:.0f})  xruns {}",
                                   status.seconds, meters(status.in_peak_db), meters(status.out_peak_db),
                                   status.load * 100.f, status.worst_load * 100.f, status.xruns);
    for (const auto& [node, db] : status.gain_reduction_db)
        text += fmt::format("  {} {:.1f} dB", node, std::abs(db) < 0.05f ? 0.f : -std::abs(db));
    if (!status.last_midi.empty()) text += "  midi " + status.last_midi;
    fmt::print(stderr, "\r\033[K{}", cut(text, columns() - 1));
    std::fflush(stderr);
}

void LiveDisplay::show(const LiveSummary& s) {
    if (form_ == Form::json)
        return print_json({{"event", "summary"},
                           {"seconds", s.seconds},
                           {"blocks", s.blocks},
                           {"xruns", s.xruns},
                           {"late_blocks", s.late_blocks},
                           {"worst_load", s.worst_load},
                           {"worst_at_s", s.worst_at_s},
                           {"swaps", s.swaps},
                           {"edits", s.edits},
                           {"quarantines", s.trips},
                           {"refused", s.failures},
                           {"midi_messages", s.midi_messages},
                           {"midi_dropped", s.midi_dropped},
                           {"reports_lost", s.reports_lost},
                           {"events_lost", s.events_lost},
                           {"swaps_postponed_turns", s.swaps_postponed},
                           {"shared_pieces", s.shared_pieces},
                           {"unshared_pieces", s.unshared_pieces},
                           {"longest_wait_us", s.longest_wait_us},
                           {"stalls", s.stalls},
                           {"slowest_node", s.slowest_node},
                           {"slowest_node_load", s.slowest_node_load},
                           {"recorded_s", s.recorded_s},
                           {"record_lost_s", s.record_lost_s},
                           {"device_lost", s.device_lost}});
    line(
        fmt::format("played {:.1f} s in {} blocks; {} xrun(s), {} late block(s); worst block {:.0f} % of its "
                    "time, at {:.1f} s",
                    s.seconds, s.blocks, s.xruns, s.late_blocks, s.worst_load * 100.f, s.worst_at_s));
    line(fmt::format("{} swap(s), {} edit(s), {} refused; {} quarantine(s)", s.swaps, s.edits, s.failures,
                     s.trips));
    if (s.midi_messages || s.midi_dropped)
        line(fmt::format("{} MIDI message(s), {} lost", s.midi_messages, s.midi_dropped));
    if (s.recorded_s > 0.)
        line(fmt::format("{:.1f} s of input recorded{}", s.recorded_s,
                         s.record_lost_s > 0. ? fmt::format("; {:.1f} s of it are lost", s.record_lost_s)
                                              : std::string()));
    if (s.reports_lost)
        line(fmt::format("{} report(s) lost: the log of this take is not complete", s.reports_lost));
    if (s.events_lost) line(fmt::format("{} event(s) lost: more came at once than can wait", s.events_lost));
    if (s.swaps_postponed)
        line(fmt::format("changes waited {} turn(s) for a place in a full queue", s.swaps_postponed));
    if (const auto pieces = s.shared_pieces + s.unshared_pieces; pieces > 0)
        line(
            fmt::format("other threads played a part of {:.2f} % of the pieces that have branches; longest "
                        "wait for one {:.0f} us; {} did not come back",
                        100. * static_cast<double>(s.shared_pieces) / static_cast<double>(pieces),
                        s.longest_wait_us, s.stalls));
    if (!s.slowest_node.empty())
        line(fmt::format("most time went to {}: {:.1f} % of what there is", s.slowest_node,
                         s.slowest_node_load * 100.));
}

}  // namespace gainstage
