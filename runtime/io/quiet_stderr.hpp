#pragma once
/// Silence from libraries that talk to stderr on their own.

namespace gainstage {

/// While one of these lives, nothing reaches stderr, from any thread: ALSA, JACK and PulseAudio write some
/// sixty lines about hardware that nobody asked for. Any thread; several may live at the same time. Who has
/// something to say meanwhile needs a descriptor of its own, made before.
class QuietStderr {
public:
    QuietStderr();
    ~QuietStderr();
    QuietStderr(const QuietStderr&) = delete;
    QuietStderr& operator=(const QuietStderr&) = delete;
};

}  // namespace gainstage
