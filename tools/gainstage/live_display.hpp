#pragma once
/// What a player sees while a patch plays: a status line on a terminal, plain lines elsewhere, JSON for
/// scripts.

#include <string>

#include "runtime/control/live_session.hpp"

namespace gainstage {

class LiveDisplay {
public:
    enum class Form { terminal, lines, json };

    LiveDisplay(Form form, int rate_hz = 48'000) : form_(form), rate_hz_(rate_hz) {}

    void set_rate(int rate_hz) { rate_hz_ = rate_hz; }
    void show(const LiveNews&);
    void show(const LiveStatus&);
    void show(const LiveSummary&);

    /// How often the status is worth showing, in milliseconds.
    int status_every_ms() const { return form_ == Form::terminal ? 100 : 1'000; }

private:
    void line(const std::string& text);
    void show_engine(const EngineNews&);

    const Form form_;
    int rate_hz_;
};

}  // namespace gainstage
