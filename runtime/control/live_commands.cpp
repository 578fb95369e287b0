/// What a session is asked for: by commands, and by files that change.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "runtime/control/live_session.hpp"
#include "runtime/resolve/resolve.hpp"

namespace gainstage {

namespace {
const char* const nothing_plays = "nothing plays yet";
}  // namespace

void LiveSession::obey(Command&& command) {
    switch (command.kind) {
        case Command::Kind::set:
            return set(command);
        case Command::Kind::panic:
            return panic(std::move(command));
        case Command::Kind::reload:
            if (stage_ > Stage::playing) return command.answer(false, "the session is ending");
            if (!announced_) return command.answer(false, nothing_plays);
            reload({""});
            return command.answer(true);
        case Command::Kind::sync:
            return command.answer(true);
        case Command::Kind::quit:
            end_soon();
            return command.answer(true);
    }
}

void LiveSession::set(const Command& command) {
    const Arrangement* playing = engine_ ? engine_->playing() : nullptr;
    if (!playing) return command.answer(false, nothing_plays);
    if (!std::isfinite(command.value)) return command.answer(false, "the value is not a number");
    const FoundTarget found = find_target(playing->graph, command.address);
    if (!found.target) return command.answer(false, found.problem);
    const bool fits = engine_->set(*found.target, command.value, command.ms);
    command.answer(fits, fits ? "" : "busy");
}

/// Never refused: where the room's queue is full it is tried again.
void LiveSession::panic(Command&& command) {
    if (!engine_ || engine_->post({.kind = EventKind::panic})) return command.answer(true);
    if (owed_panic_) return command.answer(true);
    owed_panic_ = std::move(command);
}

void LiveSession::pay_owed_panic() {
    if (!owed_panic_) return;
    stir();
    if (!engine_->post({.kind = EventKind::panic})) return;
    owed_panic_->answer(true);
    owed_panic_.reset();
}

// ------------------------ files that change

/// Reads the patch and what it names, as a job of the builder.
void LiveSession::load(std::function<void(Resolved)> done) {
    const auto resolved = std::make_shared<Resolved>();
    builder_->run(
        [resolved, changed = std::exchange(changed_, {}), loader = loader_.get(), patch = config_.patch] {
            for (const std::string& file : changed) loader->forget(file);
            try {
                *resolved = loader->load(patch);
            } catch (const std::exception& error) {  // no memory, for example
                resolved->graph.reset();
                resolved->problems.push_back(
                    {.file = patch, .place = {}, .key = {}, .message = error.what()});
            }
        },
        [resolved, done = std::move(done)] { done(std::move(*resolved)); });
}

/// "" among the files: all of them.
void LiveSession::reload(const std::vector<std::string>& changed) {
    changed_.insert(changed_.end(), changed.begin(), changed.end());
    reload_again_ = is_loading_;
    if (std::exchange(is_loading_, true)) return;
    load([this](Resolved resolved) { on_reloaded(std::move(resolved)); });
}

/// A file that can't be used is reported; what plays plays on.
void LiveSession::on_reloaded(Resolved resolved) {
    is_loading_ = false;
    if (stage_ > Stage::playing) return;  // it ends
    stir();
    say(resolved.problems);
    if (resolved.graph) {
        watch(*resolved.graph);
        play(std::move(*resolved.graph));
    } else {
        say(Kind::note, "what was playing plays on");
    }
    if (reload_again_) reload({});
}

void LiveSession::play(Graph graph) {
    const AudioFormat& format = keeper_.format();
    if (channels_used(graph, Door::in) > format.in_channels ||
        channels_used(graph, Door::out) > format.out_channels)
        return say(Kind::problem,
                   fmt::format("{}: names device channels beyond the {} in and {} out that were opened; "
                               "start again to use them. What was playing plays on",
                               config_.patch, format.in_channels, format.out_channels));
    engine_->play(std::move(graph));
}

void LiveSession::watch(const Graph& graph) {
    if (!watcher_) return;
    std::vector<std::string> files = graph.files;
    if (std::find(files.begin(), files.end(), config_.patch) == files.end()) files.push_back(config_.patch);
    watcher_->watch(files);
}

}  // namespace gainstage
