#pragma once
/// Where a session's reports go: display, log, and whatever else listens.

#include "runtime/control/session_report.hpp"

namespace gainstage {

/// One report after the other. The session calls take() on its control thread, so take() must return at once;
/// a sink that writes to something slow stands behind a QueuedSink. A sink that throws is not called again.
class Sink {
public:
    virtual ~Sink() = default;
    virtual void take(const SessionReport&) = 0;
};

}  // namespace gainstage
