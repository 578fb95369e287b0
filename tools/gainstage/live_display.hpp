#pragma once
/// What a player sees while a patch plays: a status line on a terminal, plain lines elsewhere, JSON for
/// scripts.

#include <chrono>
#include <string>

#include "runtime/control/sink.hpp"

namespace gainstage {

/// Writes to descriptors of its own, so that it is heard while drivers' chatter on stderr is turned away.
/// What can't be written is lost, nothing else. May wait for a terminal: it stands behind a QueuedSink.
class LiveDisplay final : public Sink {
public:
    enum class Form { terminal, lines, json };

    explicit LiveDisplay(Form);
    ~LiveDisplay() override;
    LiveDisplay(const LiveDisplay&) = delete;
    LiveDisplay& operator=(const LiveDisplay&) = delete;

    void take(const SessionReport&) override;

    /// How often the status is worth showing.
    std::chrono::milliseconds status_every() const {
        return std::chrono::milliseconds(form_ == Form::terminal ? 100 : 1'000);
    }

private:
    void line(const std::string& text);
    void show(const SessionReport&);
    void show(const LiveStatus&, double seconds);
    void show(const LiveSummary&);
    void write(const std::string& text) const;

    const Form form_;
    const int out_;  // stdout for JSON, else stderr
};

}  // namespace gainstage
