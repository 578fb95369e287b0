#include "runtime/engine/offline_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/problem_list.hpp"

namespace gainstage {

namespace {

/// Files are not streams: their first sample may be a drum. A log may name any of 256 ports.
RoomConfig for_files(RoomConfig room) {
    room.start_ramp_ms = 0.f;
    room.decoders = 256;
    return room;
}

}  // namespace

OfflineStream::OfflineStream(const RoomConfig& room, PatchLoader& loader, std::size_t most_bytes)
    : loader_(loader), engine_(EngineConfig{.room = for_files(room), .most_bytes = most_bytes}) {}

Problems OfflineStream::start(Graph graph) {
    engine_.play(std::move(graph));
    engine_.tick();
    return engine_.refusal();
}

Problems OfflineStream::start(Take take) {
    take_ = std::move(take);
    engine_.replay();
    engine_.room().begin_with_ramp();
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
        const int count = piece_length(frames - done);
        for (int c = 0; c < ins; ++c) from[c] = in[c] + done;
        for (int c = 0; c < outs; ++c) to[c] = out[c] + done;
        post_due(now() + static_cast<std::uint64_t>(count));
        engine_.room().process(from.data(), ins, to.data(), outs, count);
        engine_.tick();
        done += count;
    }
}

/// A piece ends at the next change at the latest. It is short enough for the engine to act 100 ms after an
/// event, and for the room's queue to hold all events of the piece.
int OfflineStream::piece_length(int frames) const {
    const std::uint64_t begin = now();
    std::uint64_t end = begin + static_cast<std::uint64_t>(frames);
    const double ready_within = 0.4 * static_cast<double>(Engine::return_after_ms) / 1000.;
    end = std::min(
        end, begin + std::max<std::uint64_t>(1, static_cast<std::uint64_t>(
                                                    ready_within * engine_.room().config().sample_rate_hz)));
    if (next_change_ < take_.changes.size()) end = std::min(end, take_.changes[next_change_].order.stamp);
    constexpr std::size_t most = 1'024;
    if (next_event_ + most < events_.size()) end = std::min(end, events_[next_event_ + most].stamp);
    if (next_logged_ + most < take_.events.size())
        end = std::min(end, take_.events[next_logged_ + most].event.stamp);
    return static_cast<int>(std::max(end, begin + 1) - begin);
}

/// Posts what happens before `end`.
void OfflineStream::post_due(std::uint64_t end) {
    while (next_logged_ < take_.events.size() && take_.events[next_logged_].event.stamp < end &&
           post_logged(take_.events[next_logged_]))
        ++next_logged_;
    while (next_event_ < events_.size() && events_[next_event_].stamp < end &&
           engine_.post(events_[next_event_]))
        ++next_event_;
}

/// False: the queue is full, try again.
bool OfflineStream::post_logged(const LoggedEvent& logged) {
    if (logged.event.kind == EventKind::scene) return post_scene(logged);
    if (logged.event.kind != EventKind::knob) return engine_.post(logged.event);
    const Arrangement* playing = engine_.playing();
    const std::string address = logged.node + "." + logged.parameter;
    // A patch of an earlier version may have a node of that name.
    const bool is_node = playing && playing->graph.node_index(logged.node) >= 0;
    if (const auto knob = master_knob_of(address); knob && !is_node)
        return engine_.set(*knob, logged.event.value, logged.event.smooth_ms, logged.event.stamp);
    if (!playing) return true;  // the take's patch was refused and reported
    const FoundTarget found = find_target(playing->graph, address);
    if (found.target)
        return engine_.set(*found.target, logged.event.value, logged.event.smooth_ms, logged.event.stamp);
    problems_.push_back({.file = playing->graph.file,
                         .place = {},
                         .key = logged.node,
                         .message = "the take moves a knob that the patch does not have: " + found.problem});
    return true;
}

bool OfflineStream::post_scene(const LoggedEvent& logged) {
    const Arrangement* playing = engine_.playing();
    if (!playing) return true;
    const int scene = playing->graph.scene_index(logged.parameter);
    if (scene >= 0)
        return engine_.set({.kind = TargetKind::scene_named, .param = scene}, 0.f, logged.event.smooth_ms,
                           logged.event.stamp);
    problems_.push_back({.file = playing->graph.file,
                         .place = {},
                         .key = {},
                         .message = fmt::format("the take chooses a scene that the patch does not have: {}",
                                                in_quotes(logged.parameter))});
    return true;
}

void OfflineStream::change_due() {
    while (next_change_ < take_.changes.size() && take_.changes[next_change_].order.stamp <= now())
        make_change(take_.changes[next_change_++]);
}

void OfflineStream::make_change(const LoggedChange& change) {
    std::optional<Graph> graph;
    if (change.has_patch) {
        Resolved resolved = loader_.load_text(change.patch);
        problems_.insert(problems_.end(), resolved.problems.begin(), resolved.problems.end());
        if (!resolved.graph) return;
        graph = std::move(*resolved.graph);
    }
    engine_.play_as_ordered(std::move(graph), change.order);
    problems_.insert(problems_.end(), engine_.refusal().begin(), engine_.refusal().end());
}

}  // namespace gainstage
