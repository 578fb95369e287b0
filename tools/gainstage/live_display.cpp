#include "tools/gainstage/live_display.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "runtime/plain_text.hpp"

namespace gainstage {

namespace {

/// Eight steps from -60 to 0 dBFS.
std::string meter(float db) {
    static constexpr const char* bars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const int step = std::clamp(static_cast<int>(std::lround((db + 60.f) / 60.f * 8.f)), 0, 8);
    return fmt::format("{}{:>4.0f}", bars[step], std::max(db, -99.f));
}

std::string meters(const std::vector<float>& channels) {
    std::string text;
    for (const float db : channels) text += (text.empty() ? "" : " ") + meter(db);
    return text;
}

/// A piece for each node. A node with one reading is known by it; of several each has its name.
std::vector<std::string> readings(const std::vector<NodeReading>& all) {
    std::vector<std::string> texts;
    for (std::size_t k = 0; k < all.size(); ++k) {
        const NodeReading& reading = all[k];
        const bool is_first = k == 0 || all[k - 1].node != reading.node;
        const bool is_last = k + 1 == all.size() || all[k + 1].node != reading.node;
        const bool is_reduction = reading.name == "gain_reduction_db";
        const float value = is_reduction ? -std::abs(reading.value) : reading.value;
        if (is_first) texts.push_back(reading.node);
        std::string& text = texts.back();
        if (!is_first || !is_last || !is_reduction) text += " " + short_name(reading.name);
        text += fmt::format(" {:.1f}", std::abs(value) < 0.05f ? 0.f : value);
        if (is_last) text += " " + reading.unit;
    }
    return texts;
}

std::size_t columns(int terminal) {
    winsize size{};
    return ioctl(terminal, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 100;
}

/// Characters, not bytes.
std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xc0) != 0x80; }));
}

/// As many pieces as the width holds, the first ones first; a piece is shown whole or not at all.
std::string fitted(const std::vector<std::string>& pieces, std::size_t width) {
    std::string line;
    for (const std::string& piece : pieces) {
        const std::string more = line.empty() ? piece : "  " + piece;
        if (!piece.empty() && width_of(line) + width_of(more) <= width) line += more;
    }
    return line;
}

std::string count(std::uint64_t number, const char* one, const char* many) {
    return fmt::format("{} {}", number, number == 1 ? one : many);
}

}  // namespace

std::string short_name(const std::string& reading) {
    const std::string name = reading.substr(0, reading.find("_db"));
    return name == "gain_reduction" ? "reduction" : name;
}

std::string status_line(const LiveStatus& status, double seconds, std::size_t width) {
    const std::string midi = text_of(status.last_midi);
    std::vector<std::string> pieces{fmt::format("{:7.1f} s", seconds)};
    if (!status.scene.empty()) pieces.push_back(plain_line(status.scene));
    if (status.master.mute > 0.f) pieces.push_back("MUTED");
    if (status.master.bypass > 0.f) pieces.push_back("BYPASSED");
    if (!midi.empty()) pieces.push_back("midi " + plain_line(midi));
    for (const std::string& id : status.resting) pieces.push_back(plain_line(id) + " silenced");
    if (status.xruns > 0) pieces.push_back(fmt::format("xruns {}", status.xruns));
    if (status.midi_late > 0) pieces.push_back(fmt::format("late midi {}", status.midi_late));
    if (!status.in_peak_db.empty()) pieces.push_back("in " + meters(status.in_peak_db));
    if (!status.out_peak_db.empty()) pieces.push_back("out " + meters(status.out_peak_db));
    pieces.push_back(
        fmt::format("load {:.0f} % (worst {:.0f})", status.usual_load * 100.f, status.worst_load * 100.f));
    for (const std::string& reading : readings(status.readings)) pieces.push_back(plain_line(reading));
    if (!status.in_peak_db.empty()) pieces.push_back("latency " + text_of(status.latency));
    return fitted(pieces, width);
}

LiveDisplay::LiveDisplay(Form form, int messages)
    : form_(form),
      errors_(messages, messages == STDERR_FILENO ? Outlet::Hold::own : Outlet::Hold::borrow),
      json_(STDOUT_FILENO),
      out_(form == Form::json ? json_ : errors_) {}

/// The count of what is missing leaves with the text that follows it, or not at all.
void LiveDisplay::write(const std::string& text) {
    const std::string before =
        missing_ > 0 ? note(fmt::format("{} line(s) are missing here: they could not be written", missing_))
                     : std::string();
    if (out_.write(before + text)) {
        missing_ = 0;
        return;
    }
    ++missing_;
    if (form_ == Form::json) say_that_it_is_lost();
}

std::string LiveDisplay::note(const std::string& text) const {
    if (form_ != Form::json) return (form_ == Form::terminal ? "\r\033[K" : "") + text + "\n";
    SessionReport report{.kind = SessionReport::Kind::note};
    report.text = text;
    return to_json(report) + "\n";
}

/// Once, to whoever reads standard error.
void LiveDisplay::say_that_it_is_lost() {
    if (std::exchange(is_loss_said_, true)) return;
    errors_.write(json_.error() == EPIPE
                      ? std::string("gainstage: nobody reads standard output any more; playing goes on\n")
                  : json_.error() == EBADF
                      ? std::string("gainstage: standard output was closed at the start; playing goes on\n")
                      : fmt::format("gainstage: standard output: cannot be written: {}; playing goes on\n",
                                    std::strerror(json_.error())));
}

/// For people.
void LiveDisplay::line(const std::string& text) {
    write((form_ == Form::terminal ? "\r\033[K" : "") + plain_line(text) + "\n");
}

void LiveDisplay::take(const SessionReport& report) {
    try {
        show_in_form(report);
    } catch (...) {  // no memory for its text
        ++missing_;
    }
}

void LiveDisplay::show_in_form(const SessionReport& report) {
    if (form_ == Form::json) return write(to_json(report) + "\n");
    if (report.answer) return answer(report);
    if (report.status) return show(*report.status, report.seconds);
    if (report.summary) return show(*report.summary);
    show(report);
}

/// Beside the lines for people, which leave by standard error.
void LiveDisplay::answer(const SessionReport& report) {
    if (!json_.write(to_json(report) + "\n")) say_that_it_is_lost();
}

void LiveDisplay::show(const SessionReport& report) {
    using Kind = SessionReport::Kind;
    switch (report.kind) {
        case Kind::event:
            if (report.event.kind != EventKind::scene) return;
            return line(fmt::format("{:8.2f} s  scene {}", report.seconds, report.parameter));
        case Kind::fade:
        case Kind::silent:
            return;
        case Kind::started:
        case Kind::problem:
        case Kind::refusal:
        case Kind::xrun:
        case Kind::device_lost:
            return line(report.text);
        default:
            return line(fmt::format("{:8.2f} s  {}", report.seconds, report.text));
    }
}

void LiveDisplay::show(const LiveStatus& status, double seconds) {
    if (form_ != Form::terminal) return;
    write("\r\033[K" + status_line(status, seconds, columns(out_.descriptor()) - 1));
}

void LiveDisplay::show(const LiveSummary& s) {
    if (!s.verdict.empty()) line(s.verdict);
    line(fmt::format("played {:.1f} s in {} blocks; {}, {}; worst block {:.0f} % of its time, at {:.1f} s",
                     s.seconds, s.blocks, count(s.xruns, "xrun", "xruns"),
                     count(s.late_blocks, "late block", "late blocks"), s.worst_load * 100.f, s.worst_at_s));
    line(fmt::format("{} changed, {}, {} refused, {} silenced", count(s.swaps, "model", "models"),
                     count(s.edits, "edit", "edits"), s.failures, count(s.trips, "node", "nodes")));
    if (s.midi_messages || s.midi_dropped)
        line(fmt::format("{} MIDI message(s), {} lost{}", s.midi_messages, s.midi_dropped,
                         s.midi_late > 0 ? fmt::format(", {} late", s.midi_late) : std::string()));
    if (s.recorded_s > 0.)
        line(fmt::format("{:.1f} s of input recorded{}", s.recorded_s,
                         s.record_lost_s > 0. ? fmt::format("; {:.1f} s of it are lost", s.record_lost_s)
                                              : std::string()));
    if (s.reports_lost)
        line(fmt::format("{} report(s) were not shown: they came faster than they could be", s.reports_lost));
    if (s.log_lost) line(fmt::format("{} line(s) of the log are missing", s.log_lost));
    if (s.moves_lost)
        line(fmt::format("{} move(s) of knobs are missing in what new instances were warmed on",
                         s.moves_lost));
    if (s.commands_refused)
        line(fmt::format("{} command(s) refused: more came at once than can wait", s.commands_refused));
    if (s.events_lost) line(fmt::format("{} event(s) lost: more came at once than can wait", s.events_lost));
    if (s.swaps_postponed)
        line(fmt::format("changes waited {} turn(s) for a place in a full queue", s.swaps_postponed));
    if (const auto pieces = s.shared_pieces + s.unshared_pieces; pieces > 0)
        line(
            fmt::format("other threads played a part of {:.2f} % of the pieces that have branches; longest "
                        "wait for one {:.0f} us; {} did not come back",
                        100. * static_cast<double>(s.shared_pieces) / static_cast<double>(pieces),
                        s.longest_wait_us, s.stalls));
    if (s.busiest.size() == 1 || (s.verdict.empty() && !s.busiest.empty()))
        line(fmt::format("busiest node: {}, {:.1f} % of each block", s.busiest.front().node,
                         s.busiest.front().load * 100.));
    else if (!s.busiest.empty())
        line(fmt::format("busiest nodes: {} of each block", load_text(s.busiest, 5)));
}

}  // namespace gainstage
