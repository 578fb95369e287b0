#include "runtime/engine/change_in_flight.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "runtime/out_of_memory.hpp"
#include "runtime/realtime/denormals.hpp"
#include "runtime/sysexits.hpp"

namespace gainstage {

namespace {

using Stage = ChangeInFlight::Stage;

bool may_follow(Stage now, Stage next) {
    switch (next) {
        case Stage::building:
            return false;
        case Stage::warming:
            return now == Stage::building;
        case Stage::armed:
            return now == Stage::warming;
        case Stage::fading:
            return now == Stage::armed;
        case Stage::done:
            return now == Stage::fading;
        case Stage::failed:
            return now == Stage::building || now == Stage::warming || now == Stage::armed;
    }
    return false;
}

void require(bool holds, const char* what) {
    if (!holds) throw std::logic_error(std::string("a change: ") + what);
}

}  // namespace

ChangeInFlight::ChangeInFlight(ChangeRequest request, const KeyTable& keys)
    : request_(std::move(request)),
      keys_(keys),
      no_memory_{{.file = request_.graph.file,
                  .place = {},
                  .key = {},
                  .message = out_of_memory,
                  .exit_code = sysexits::environment}} {}

// The builder's jobs

void ChangeInFlight::build(const Arrangement* old, const ChangeConfig& wanted) {
    try {
        ChangeConfig config = wanted;
        config.arrange.given_up = &given_up_;
        arrangement_ = std::make_unique<Arrangement>(arrange(request_.graph, old, keys_, config.arrange));
        problems_ = std::move(arrangement_->problems);
        if (has_errors(problems_)) return;
        change_ = plan_change(old, *arrangement_, keys_, config);
        problems_.insert(problems_.end(), change_.problems.begin(), change_.problems.end());
    } catch (const GivenUp&) {
        was_given_up_ = true;
    } catch (const std::bad_alloc&) {
        be_without_memory();
    } catch (const std::exception& error) {
        blame(error.what());
    }
}

void ChangeInFlight::blame(const char* cause) noexcept {
    try {
        problems_ = {{.file = request_.graph.file, .place = {}, .key = {}, .message = cause}};
    } catch (...) {
        be_without_memory();
    }
}

void ChangeInFlight::be_without_memory() noexcept {
    problems_.swap(no_memory_);
    lacks_memory_ = true;
}

/// Flushes denormals here and not in the builder: nodes must be built to the same bits on every thread.
void ChangeInFlight::warm(KnobPassage knobs, std::uint64_t end, int max_frames) {
    const FlushDenormals flush;
    Warming& warming = *change_.transition->warming;
    while (warming.time < end && !given_up_.load(std::memory_order_relaxed)) {
        const std::uint64_t piece = std::min(end, warming.time + static_cast<std::uint64_t>(max_frames));
        warm_failure_ = run_warming(warming, knobs.move_due(warming, piece));
        if (warm_failure_ != WarmFailure::none) return;
    }
    knobs.move_due(warming, end);
}

// The control thread

bool ChangeInFlight::be_built() {
    require(stage_ == Stage::building && at_work_, "is built twice");
    at_work_ = false;
    if (has_errors(problems_) || was_given_up_) return false;
    given_up_ = false;  // too late: it is there
    Transition& transition = *change_.transition;
    transition.stamp = request_.order.stamp;
    transition.offline = request_.order.offline;
    if (request_.cold || (transition.warming && transition.warming->plan.histories.empty()))
        transition.warming.reset();
    move_to(Stage::warming);
    return true;
}

void ChangeInFlight::start_from(const KnobHistory& knobs, std::uint64_t sample) {
    require(stage_ == Stage::warming && !at_work_, "its newcomers begin while they are run");
    knobs.set_up(*change_.transition->warming, sample);
}

void ChangeInFlight::set_off() {
    require(stage_ == Stage::warming && !at_work_, "is warmed twice at once, or in the room");
    ++legs_;
    at_work_ = true;
}

void ChangeInFlight::come_back() {
    at_work_ = false;
    check();
}

void ChangeInFlight::be_ready() {
    require(stage_ == Stage::warming && !at_work_, "is ready before it is warm");
    ready_ = true;
}

void ChangeInFlight::be_armed() {
    require(ready_, "goes to the room before it is ready");
    move_to(Stage::armed);
}

void ChangeInFlight::begin() {
    move_to(Stage::fading);
}

ChangeInFlight::Built ChangeInFlight::finish() {
    check_step(Stage::done);
    Built built{std::move(request_.graph), std::move(arrangement_), std::move(change_.transition)};
    move_to(Stage::done);
    return built;
}

ChangeRequest ChangeInFlight::fail() {
    check_step(Stage::failed);
    change_.transition.reset();
    arrangement_.reset();
    move_to(Stage::failed);
    return std::move(request_);
}

bool ChangeInFlight::newcomer_tripped() const noexcept {
    return warming() && std::any_of(warming()->newcomers.begin(), warming()->newcomers.end(),
                                    [](const Slot* slot) { return slot->quarantine.tripped; });
}

void ChangeInFlight::move_to(Stage next) {
    check_step(next);
    stage_ = next;
    check();
}

void ChangeInFlight::check_step(Stage next) const {
    require(may_follow(stage_, next) && !at_work_, "takes a step that leads nowhere");
}

void ChangeInFlight::check() const {
    if (at_work_) return require(is_preparing(), "the builder works at what the room has");
    if (stage_ == Stage::building) return;  // a job has just ended; what it built is not yet judged
    const bool has_all = arrangement_ && change_.transition;
    const bool has_none = !arrangement_ && !change_.transition;
    require(built() ? has_all : has_none, "what was built and its stage do not agree");
}

}  // namespace gainstage
