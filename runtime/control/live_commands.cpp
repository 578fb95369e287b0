/// What a session is asked for: by commands, and by files that change.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "runtime/control/live_session.hpp"
#include "runtime/number_text.hpp"
#include "runtime/out_of_memory.hpp"
#include "runtime/problem_list.hpp"
#include "runtime/resolve/resolve.hpp"
#include "runtime/sysexits.hpp"

namespace gainstage {

namespace {

constexpr float longest_move_ms = 1e6f;
const char* const nothing_plays = "nothing plays yet";
const char* const time_too_long = "the time is no number, or longer than 1,000 s";

/// Words of the vocabulary that this version can't obey.
const char* why_not_here(Command::Kind kind) {
    switch (kind) {
        case Command::Kind::song:
        case Command::Kind::arm:
            return "this version of Gainstage has no songs: a session plays one patch";
        case Command::Kind::tap:
            return "this version of Gainstage has no tempo";
        case Command::Kind::dump:
            return "this version of Gainstage remembers no sound; --record keeps a take";
        default:
            return "this version of Gainstage can't learn; write a [[midi]] table into the patch";
    }
}

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
            return is_of_master(command.address) ? set_master(command) : set(command);
        case Command::Kind::get:
            return get(command);
        case Command::Kind::nodes:
            return tell_nodes(command);
        case Command::Kind::status:
            return tell_how_it_stands(command);
        case Command::Kind::panic:
            return panic(command);
        case Command::Kind::reload:
            if (stage_ > Stage::playing) return answer(command, false, "the session is ending");
            if (!announced_) return answer(command, false, nothing_plays);
            reload({""});
            return answer(command, true);
        case Command::Kind::sync:
            return answer(command, true);
        case Command::Kind::quit:
            end_soon();
            return answer(command, true);
        case Command::Kind::save:
            return save(command);
        case Command::Kind::undo:
            return undo(command);
        case Command::Kind::scene:
            return choose_scene(command);
        case Command::Kind::song:
        case Command::Kind::arm:
        case Command::Kind::tap:
        case Command::Kind::dump:
        case Command::Kind::learn:
            return answer(command, false, why_not_here(command.kind));
    }
}

// ------------------------ answers

void LiveSession::answer(const Command& command, bool done, std::string reason) {
    answer(command, {.done = done, .reason = std::move(reason)});
}

void LiveSession::answer(const Command& command, Answer answer) {
    if (engine_) {
        answer.at = engine_->room().now();
        answer.seconds = static_cast<double>(answer.at) / rate();
    }
    command.answer(std::move(answer));
}

void LiveSession::answer_with(const Command& command, AnswerBody body) {
    answer(command, {.done = true, .body = std::make_shared<const AnswerBody>(std::move(body))});
}

// ------------------------ knobs

namespace {

std::string range_text(const std::string& address, const ParamSpec& spec) {
    return fmt::format("{} goes from {} to {}{}{}", shown(address), number_text(double{spec.min}),
                       number_text(double{spec.max}), spec.unit.empty() ? "" : " ", spec.unit);
}

bool is_beyond(const ParamSpec& spec, float value) {
    return !(value >= spec.min && value <= spec.max);
}

/// What is wrong with the value and the time of a `set`; empty: nothing.
std::string fault_of(const Command& command, const ParamSpec& spec) {
    if (!std::isfinite(command.value)) return "the value is not a number";
    if (!(command.ms <= longest_move_ms)) return time_too_long;
    const std::string asked = number_text(double{command.value});
    if (is_beyond(spec, command.value))
        return fmt::format("{}, not to {}", range_text(command.address, spec), asked);
    const bool is_switch = spec.steps == 2 && spec.min == 0.f && spec.max == 1.f;
    if (is_switch && command.value != 0.f && command.value != 1.f)
        return fmt::format("{} is 0 or 1 (off or on), not {}", shown(command.address), asked);
    return {};
}

/// Of bypass and mute, which are no knobs of the node's own.
const ParamSpec& switch_spec() {
    static const ParamSpec spec{.name = "switch", .steps = 2};
    return spec;
}

const ParamSpec& spec_of(const Graph& graph, const GraphTarget& target) {
    return target.kind == TargetKind::parameter ? graph.nodes[target.node].params[target.param]
                                                : switch_spec();
}

FoundTarget find_knob(const Graph& graph, const std::string& address) {
    if (address == "tempo_bpm") return {.target = {}, .problem = "this version of Gainstage has no tempo"};
    FoundTarget found = find_target(graph, address);
    if (found.target && found.target->kind == TargetKind::panic)
        return {.target = {}, .problem = "panic is a command of its own, and no knob"};
    return found;
}

FoundTarget find_choice(const Graph& graph, const Choice& choice) {
    switch (choice.kind) {
        case Choice::Kind::number:
            return find_scene(graph, std::to_string(choice.number));
        case Choice::Kind::next:
            return find_scene(graph, "next");
        case Choice::Kind::previous:
            return find_scene(graph, "previous");
        default:
            break;
    }
    // What stands in quotation marks is a name: neither a number nor "next".
    if (FoundTarget found = find_scene(graph, choice.name);
        !found.target || graph.scene_index(choice.name) >= 0)
        return found;
    return {.target = {}, .problem = "there is no scene " + in_quotes(choice.name)};
}

std::string no_master_knob(const std::string& address) {
    Names names;
    for (const ParamSpec& spec : master_specs()) names.push_back(spec.name);
    const std::string_view wrong = std::string_view(address).substr(address.find('.') + 1);
    return ProblemList("").unknown("the master has no " + in_quotes(wrong), wrong, "its knobs", names);
}

}  // namespace

void LiveSession::set(const Command& command) {
    const Arrangement* playing = engine_ ? engine_->playing() : nullptr;
    if (!playing) return answer(command, false, nothing_plays);
    const FoundTarget found = find_knob(playing->graph, command.address);
    if (!found.target) return answer(command, false, found.problem);
    const ParamSpec& spec = spec_of(playing->graph, *found.target);
    if (const std::string fault = fault_of(command, spec); !fault.empty())
        return answer(command, false, fault);
    const float value = nearest_value(spec, command.value);
    if (owes() || !engine_->set(*found.target, value, command.ms)) return answer(command, false, "busy");
    remember_asked(command.address, value);
    answer_with(command, {KnobValue{.address = command.address, .unit = spec.unit, .value = value}});
}

void LiveSession::set_master(const Command& command) {
    if (!engine_ || stage_ < Stage::building) return answer(command, false, nothing_plays);
    const auto knob = master_knob_of(command.address);
    if (!knob) return answer(command, false, no_master_knob(command.address));
    const ParamSpec& spec = master_specs()[static_cast<int>(*knob)];
    if (const std::string fault = fault_of(command, spec); !fault.empty())
        return answer(command, false, fault);
    const Arrangement* playing = engine_->playing();
    const int longest = engine_->room().longest_bypass();
    if (*knob == MasterKnob::bypass && command.value > 0.f && playing && playing->latency_samples > longest)
        return answer(command, false,
                      fmt::format("the patch is {} samples late, and the bypass can wait for {} only",
                                  playing->latency_samples, longest));
    if (!engine_->set(*knob, command.value, command.ms)) {
        if (!is_urgent(command)) return answer(command, false, "busy");
        if (owed_mute_) answer(*owed_mute_, false, "replaced by a later one");
        owed_mute_ = command;
        return;
    }
    remember_asked(command.address, command.value);
    answer_with(command, {KnobValue{.address = command.address, .unit = spec.unit, .value = command.value}});
}

/// Never refused as "busy", and in the order of the commands, for `next` counts from the scene before.
void LiveSession::choose_scene(const Command& command) {
    const Arrangement* playing = engine_ ? engine_->playing() : nullptr;
    if (!playing) return answer(command, false, nothing_plays);
    if (!(command.ms <= longest_move_ms)) return answer(command, false, time_too_long);
    const FoundTarget found = find_choice(playing->graph, command.choice);
    if (!found.target) return answer(command, false, found.problem);
    if (!owed_scenes_.empty() || !engine_->set(*found.target, 0.f, command.ms))
        return owed_scenes_.push_back(command);
    asked_.clear();  // the scene's values are the latest now
    answer(command, true);
}

void LiveSession::get(const Command& command) {
    const Arrangement* playing = engine_ ? engine_->playing() : nullptr;
    if (!playing) return answer(command, false, nothing_plays);
    KnobValue knob{.address = command.address, .unit = {}};
    std::optional<float> value = asked_lately(command.address);
    if (is_of_master(command.address)) {
        const auto of_master = master_knob_of(command.address);
        if (!of_master) return answer(command, false, no_master_knob(command.address));
        knob.unit = master_specs()[static_cast<int>(*of_master)].unit;
        if (!value) value = engine_->room().master_knobs()[*of_master];
    } else {
        const FoundTarget found = find_knob(playing->graph, command.address);
        if (!found.target) return answer(command, false, found.problem);
        knob.unit = spec_of(playing->graph, *found.target).unit;
        if (!value) value = engine_->value_of(*found.target);
    }
    if (!value) return answer(command, false, "nothing of it is known yet; ask again in a moment");
    knob.value = *value;
    answer_with(command, {std::move(knob)});
}

/// Samples until a move that is asked for now has surely come back.
std::uint64_t LiveSession::asked_for() const {
    return 3 * static_cast<std::uint64_t>(std::max(keeper_.format().block_frames, 1));
}

void LiveSession::remember_asked(const std::string& address, float value) {
    constexpr std::size_t most = 256;
    const std::uint64_t now = engine_->room().now();
    if (asked_.size() >= most)
        std::erase_if(asked_, [&](const auto& one) { return now > one.second.at + asked_for(); });
    asked_[address] = {.value = value, .at = now};
}

std::optional<float> LiveSession::asked_lately(const std::string& address) const {
    const auto found = asked_.find(address);
    if (found == asked_.end() || engine_->room().now() > found->second.at + asked_for()) return std::nullopt;
    return found->second.value;
}

// ------------------------ what plays

void LiveSession::tell_nodes(const Command& command) {
    const Arrangement* playing = engine_ ? engine_->playing() : nullptr;
    if (!playing) return answer(command, false, nothing_plays);
    const Graph& graph = playing->graph;
    PlayingNodes nodes{.name = graph.name,
                       .file = graph.file,
                       .nodes = graph.nodes,
                       .links = graph.links,
                       .values = {},
                       .master = engine_->room().master_knobs()};
    for (int n = 0; n < static_cast<int>(graph.nodes.size()); ++n) {
        const auto value = [&](TargetKind kind, int param) {
            const auto known = engine_->value_of({.kind = kind, .node = n, .param = param});
            nodes.values.push_back(known.value_or(std::numeric_limits<float>::quiet_NaN()));
        };
        for (int p = 0; p < static_cast<int>(graph.nodes[n].params.size()); ++p)
            value(TargetKind::parameter, p);
        value(TargetKind::bypass, -1);
        value(TargetKind::mute, -1);
    }
    answer_with(command, {std::move(nodes)});
}

void LiveSession::tell_how_it_stands(const Command& command) {
    const Arrangement* playing = engine_ ? engine_->playing() : nullptr;
    if (!playing || !announced_) return answer(command, false, nothing_plays);
    AudioFormat device = keeper_.format();
    device.block_frames = block_said_;
    answer_with(command, {PlayingStatus{.status = status(Peaks::keep),
                                        .name = playing->graph.name,
                                        .file = playing->graph.file,
                                        .device = std::move(device)}});
}

// ------------------------ to silence

/// Never refused: where the room's queue is full it is tried again.
void LiveSession::panic(Command& command) {
    if (!engine_ || engine_->post({.kind = EventKind::panic})) return answer(command, true);
    if (owed_panic_) return answer(command, true);
    owed_panic_ = std::move(command);
}

void LiveSession::pay_owed() {
    save_when_settled();
    if (owed_panic_) {
        stir();
        if (!engine_->post({.kind = EventKind::panic})) return;
        answer(*owed_panic_, true);
        owed_panic_.reset();
    }
    if (owed_mute_) {
        stir();
        const Command command = *std::exchange(owed_mute_, std::nullopt);
        set_master(command);
    }
    if (owed_scenes_.empty()) return;
    stir();
    for (const Command& command : std::exchange(owed_scenes_, {})) choose_scene(command);
}

/// Something that could not be posted yet must not be overtaken.
bool LiveSession::owes() const noexcept {
    return owed_panic_ || owed_mute_ || !owed_scenes_.empty();
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
