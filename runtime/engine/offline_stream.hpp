#pragma once
/// The engine without a clock: files instead of hardware, events from lists or from a take's log.

#include <string>
#include <vector>

#include "runtime/engine/engine.hpp"
#include "runtime/engine/take.hpp"

namespace gainstage {

class OfflineStream {
public:
    /// `most_bytes`: what a patch may take.
    OfflineStream(const RoomConfig&, PatchLoader&, std::size_t most_bytes = half_of_memory());

    Engine& engine() noexcept { return engine_; }

    /// The patch to begin with, at full level from the first sample on. What it can't do comes back as
    /// problems.
    Problems start(Graph);
    /// Begins as the take began, with the ramp of a live stream, and repeats what happened to it.
    Problems start(Take);
    /// An event at event.stamp; stamps never go back. For knobs and controllers from files.
    void add(const Event& event) { events_.push_back(event); }

    /// Plays the next `frames` samples. `in` and `out` as AudioRoom::process has them.
    void process(const float* const* in, int in_channels, float* const* out, int out_channels, int frames);

    std::uint64_t now() const noexcept { return engine_.room().now(); }
    /// Problems of a replay that came up on the way (a node of the log that its patch doesn't have).
    const Problems& problems() const noexcept { return problems_; }

private:
    static constexpr int max_pointers = 64;  ///< channels, as patches may name them

    int piece_length(int frames) const;
    void post_due(std::uint64_t end);
    void change_due();
    void make_change(const LoggedChange&);
    bool post_logged(const LoggedEvent&);
    bool post_scene(const LoggedEvent&);

    PatchLoader& loader_;
    Engine engine_;
    std::vector<Event> events_;  // by stamp
    std::size_t next_event_ = 0;
    Take take_;
    std::size_t next_change_ = 0, next_logged_ = 0;
    Problems problems_;
};

}  // namespace gainstage
