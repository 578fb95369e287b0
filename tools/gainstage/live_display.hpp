#pragma once
/// What a player sees while a patch plays: a status line on a terminal, plain lines elsewhere, JSON for
/// scripts. Answers to commands are JSON on standard output in every form.

#include <chrono>
#include <string>

#include "runtime/control/outlet.hpp"
#include "runtime/control/sink.hpp"

namespace gainstage {

/// The status on one line of at most `width` characters: the latest MIDI message first, then what matters
/// most. What does not fit is left out, piece by piece. Any thread.
std::string status_line(const LiveStatus&, double seconds, std::size_t width);

/// The name of a reading as a player reads it: "gain_reduction_db" is "reduction".
std::string short_name(const std::string& reading);

/// Writes to outlets of its own, so that it is heard while drivers' chatter on stderr is turned away. A line
/// that can't be written is lost and counted, and nothing else happens; the next one that can be begins with
/// how many are missing. May wait for a terminal: it stands behind a QueuedSink.
class LiveDisplay final : public Sink {
public:
    enum class Form { terminal, lines, json };

    /// `messages`: where they go, see Outlet.
    LiveDisplay(Form, int messages);

    /// Throws nothing.
    void take(const SessionReport&) override;

    /// How often the status is worth showing.
    std::chrono::milliseconds status_every() const {
        return std::chrono::milliseconds(form_ == Form::terminal ? 100 : 1'000);
    }

private:
    void show_in_form(const SessionReport&);
    void show(const SessionReport&);
    void show(const LiveStatus&, double seconds);
    void show(const LiveSummary&);
    void line(const std::string& text);
    void write(const std::string& text);
    void answer(const SessionReport&);
    std::string note(const std::string& text) const;
    void say_that_it_is_lost();

    const Form form_;
    Outlet errors_;  // stderr
    Outlet json_;    // stdout
    Outlet& out_;    // where it shows: one of them
    bool is_loss_said_ = false;
    std::uint64_t missing_ = 0;  // texts lost since the last one that was written
};

}  // namespace gainstage
