#include "runtime/control/offline_stream.hpp"

#include <algorithm>
#include <array>

namespace gainstage {

OfflineStream::OfflineStream(const RoomConfig& room, PatchLoader& loader)
    : loader_(loader), engine_(EngineConfig{.room = room}) {}

Problems OfflineStream::start(Graph graph) {
    return engine_.play(std::move(graph));
}

Problems OfflineStream::start(Take take) {
    take_ = std::move(take);
    engine_.replay();
    change_due();
    return problems_;
}

void OfflineStream::process(const float* const* in, int in_channels, float* const* out, int out_channels,
                            int frames) {
    std::array<const float*, max_pointers> from{};
    std::array<float*, max_pointers> to{};
    const int ins = std::min(in_channels, max_pointers), outs = std::min(out_channels, max_pointers);
    for (int done = 0; done < frames;) {
        change_due();
        int count = frames - done;
        if (next_change_ < take_.changes.size())
            count = static_cast<int>(std::min<std::uint64_t>(
                static_cast<std::uint64_t>(count), take_.changes[next_change_].order.stamp - now()));
        for (int c = 0; c < ins; ++c) from[static_cast<std::size_t>(c)] = in[c] + done;
        for (int c = 0; c < outs; ++c) to[static_cast<std::size_t>(c)] = out[c] + done;
        post_due(now() + static_cast<std::uint64_t>(count));
        engine_.room().process(from.data(), ins, to.data(), outs, count);
        engine_.tick();
        done += count;
    }
}

/// Posts what happens before `end`; the room's queue takes what it can hold, the rest follows with the next
/// block.
void OfflineStream::post_due(std::uint64_t end) {
    while (next_logged_ < take_.events.size() && take_.events[next_logged_].event.stamp < end)
        add_logged(take_.events[next_logged_++]);
    while (next_event_ < events_.size() && events_[next_event_].stamp < end &&
           engine_.post(events_[next_event_]))
        ++next_event_;
}

void OfflineStream::add_logged(const LoggedEvent& logged) {
    Event event = logged.event;
    if (event.kind == EventKind::knob) {
        const Arrangement* playing = engine_.playing();
        const FoundTarget found = find_target(playing->graph, logged.node + "." + logged.parameter);
        if (!found.target) {
            problems_.push_back(
                {.file = playing->graph.file,
                 .place = {},
                 .key = logged.node,
                 .message = "the take moves a knob that the patch does not have: " + found.problem});
            return;
        }
        engine_.set(*found.target, event.value, event.smooth_ms, event.stamp);
        return;
    }
    engine_.post(event);
}

void OfflineStream::change_due() {
    while (next_change_ < take_.changes.size() && take_.changes[next_change_].order.stamp <= now())
        make_change(take_.changes[next_change_++]);
}

void OfflineStream::make_change(const LoggedChange& change) {
    std::optional<Graph> graph;
    if (change.has_patch) {
        Resolved resolved = loader_.load_text(change.text, change.file, change.models);
        problems_.insert(problems_.end(), resolved.problems.begin(), resolved.problems.end());
        if (!resolved.graph) return;
        graph = std::move(*resolved.graph);
    }
    const Problems problems = engine_.play_as_ordered(std::move(graph), change.order);
    problems_.insert(problems_.end(), problems.begin(), problems.end());
}

}  // namespace gainstage
