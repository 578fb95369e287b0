/// What a session is asked for: by commands, and by files that change.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "runtime/control/live_session.hpp"
#include "runtime/out_of_memory.hpp"
#include "runtime/resolve/resolve.hpp"
#include "runtime/sysexits.hpp"

namespace gainstage {

namespace {
const char* const nothing_plays = "nothing plays yet";
}  // namespace

/// Every command is answered once, also where there is no memory to obey it.
void LiveSession::obey_or_answer(Command& command) {
    try {
        obey(command);
    } catch (const std::bad_alloc&) {
        try {
            command.answer(false, "no memory");
        } catch (...) {  // not even for an answer
        }
        throw;
    }
}

void LiveSession::obey(Command& command) {
    switch (command.kind) {
        case Command::Kind::set:
            return set(command);
        case Command::Kind::panic:
            return panic(command);
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
    if (!(command.ms <= 1e6f)) return command.answer(false, "the time is no number, or longer than 1,000 s");
    const FoundTarget found = find_target(playing->graph, command.address);
    if (!found.target) return command.answer(false, found.problem);
    const bool fits = engine_->set(*found.target, command.value, command.ms);
    command.answer(fits, fits ? "" : "busy");
}

/// Never refused: where the room's queue is full it is tried again.
void LiveSession::panic(Command& command) {
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
    const auto no_memory = std::make_shared<Problems>(  // made while there is some
        Problems{{.file = config_.patch,
                  .place = {},
                  .key = {},
                  .message = out_of_memory,
                  .exit_code = sysexits::environment}});
    Builder::Task job = [resolved, no_memory, changed = changed_, loader = loader_.get(),
                         patch = config_.patch] {
        try {
            for (const std::string& file : changed) loader->forget(file);
            *resolved = loader->load(patch);
        } catch (const std::exception& error) {
            resolved->graph.reset();
            resolved->problems.swap(*no_memory);
            if (is_out_of_memory(error)) return;
            patiently([&] { resolved->problems.front().message = error.what(); });
            resolved->problems.front().exit_code = Problem().exit_code;
        }
    };
    builder_->run(std::move(job), [resolved, done = std::move(done)] { done(std::move(*resolved)); });
    changed_.clear();
}

/// "" among the files: all of them.
void LiveSession::reload(const std::vector<std::string>& changed) {
    changed_.insert(changed_.end(), changed.begin(), changed.end());
    reload_again_ = true;
    reload_on();
}

/// One reading at a time.
void LiveSession::reload_on() {
    if (!reload_again_ || is_loading_) return;
    reload_again_ = false;
    is_loading_ = true;
    if (engine_) engine_->stand_back();
    try {
        load([this](Resolved resolved) {
            is_loading_ = false;
            on_reloaded(std::move(resolved));
        });
    } catch (const std::bad_alloc&) {
        is_loading_ = false;
        throw;
    }
}

/// A file that can't be used is reported; what plays plays on.
void LiveSession::on_reloaded(Resolved resolved) {
    if (stage_ > Stage::playing) return;  // it ends
    stir();
    say(resolved.problems);
    if (resolved.graph) {
        watch(*resolved.graph);
        play(std::move(*resolved.graph));
    } else {
        ++refused_files_;
        say(Kind::note, "what was playing plays on");
    }
}

void LiveSession::play(Graph graph) {
    const AudioFormat& format = keeper_.format();
    if (channels_used(graph, Door::in) > format.in_channels ||
        channels_used(graph, Door::out) > format.out_channels) {
        ++refused_files_;
        return say(Kind::problem,
                   fmt::format("{}: names device channels beyond the {} in and {} out that were opened; "
                               "start again to use them. What was playing plays on",
                               config_.patch, format.in_channels, format.out_channels));
    }
    engine_->play(std::move(graph));
}

void LiveSession::watch(const Graph& graph) {
    if (!watcher_) return;
    std::vector<std::string> files = graph.files;
    if (std::find(files.begin(), files.end(), config_.patch) == files.end()) files.push_back(config_.patch);
    watcher_->watch(files);
}

}  // namespace gainstage
