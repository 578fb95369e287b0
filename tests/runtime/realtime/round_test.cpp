/// Every order of the atomic steps of a round: the audio thread, two workers, one of which may stop anywhere
/// for ever. The steps are those of round.cpp, one load, store or exchange each; what is concluded from a
/// word is concluded by the same functions.

#include <deque>
#include <set>
#include <tuple>

#include "runtime/realtime/round.hpp"
#include "tests/support/catch.hpp"

namespace gainstage::test::round_test {

namespace {

constexpr int most_tasks = 3, most_rounds = 3, most_workers = 2;

struct Bound {
    int tasks, rounds, workers;
};
constexpr Bound several_rounds{2, 3, 1}, several_workers{2, 1, 2}, several_tasks{3, 2, 1};

/// Two plans that differ in who may run what, and in what must be over first.
struct Score {
    TaskSet anyone;
    TaskSet needs[most_tasks];
};
constexpr Score plans[most_rounds] = {{.anyone = 0b011, .needs = {0, 0, 0b010}},
                                      {.anyone = 0b110, .needs = {0, 0b001, 0b001}},
                                      {.anyone = 0b101, .needs = {0, 0b001, 0b011}}};

enum class At : std::uint8_t {
    out,          // between rounds; worker: looks for work
    write_needs,  // audio: the next plan's
    write_anyone,
    open_done,
    open_claimed,
    read_claimed,
    read_done,
    read_anyone,
    read_needs,
    take,
    run,
    finish_read,  // worker
    finish_take,  // worker; audio's fetch_or
    wait,         // audio: nothing to take; looks whether all is over, waits on, or gives up
    stop_claims,
    stop_finishes,
    over,  // audio: all rounds played
};

struct Thread {
    At at = At::out;
    std::uint64_t claimed = 0, done = 0;
    TaskSet anyone = 0, needs[most_tasks] = {}, begun = 0;
    int index = 0;  // of needs
    int task = -1;
    std::uint32_t round = 0;
    auto operator<=>(const Thread&) const = default;
};

struct State {
    std::uint64_t claimed = Round::word(0, Round::every_task), done = Round::word(0, Round::every_task);
    TaskSet anyone = 0, needs[most_tasks] = {};
    std::uint32_t number = 0;                        // the audio thread's own
    int playing = -1;                                // index of the plan that is played
    std::uint32_t opened[most_rounds] = {};          // the round's number
    int away = 0;                                    // workers in tasks that were given up
    std::uint8_t ran[most_rounds][most_tasks] = {};  // how often a task was begun
    std::uint8_t over[most_rounds] = {};             // tasks that were run to their end
    std::uint8_t lost[most_rounds] = {};
    Thread audio, worker[most_workers];
    auto operator<=>(const State&) const = default;
};

class Explorer {
public:
    explicit Explorer(Bound bound)
        : tasks(bound.tasks), rounds(bound.rounds), workers(bound.workers), all((1u << bound.tasks) - 1) {}

    void explore() {
        open_.push_back(State());
        seen_.insert(State());
        while (!open_.empty()) {
            const State state = open_.front();
            open_.pop_front();
            if (state.audio.at == At::over) ++ends_;
            audio(state);
            for (int w = 0; w < workers; ++w) work(state, w);
        }
    }
    std::size_t states() const { return seen_.size(); }
    std::size_t steps() const { return steps_; }
    std::size_t ends() const { return ends_; }

private:
    void go(const State& next) {
        ++steps_;
        check(next);
        if (seen_.insert(next).second) open_.push_back(next);
    }

    void check(const State& state) const {
        for (int r = 0; r < rounds; ++r)
            for (int t = 0; t < tasks; ++t)
                if (state.ran[r][t] > 1) FAIL("a task was run twice");
        const auto runs = [](const Thread& thread) {
            return thread.task >= 0 &&
                   (thread.at == At::run || thread.at == At::finish_read || thread.at == At::finish_take);
        };
        int away = 0;
        for (const Thread& worker : state.worker) {
            if (runs(worker) && is_in(state.lost[plan_of(state, worker.round)], worker.task)) ++away;
            if (worker.at != At::run) continue;
            const int plan = plan_of(state, worker.round);
            const bool is_lost = is_in(state.lost[plan], worker.task);
            const bool is_now = state.playing == plan && state.audio.at != At::over;
            if (!is_lost && !is_now) FAIL("a worker plays a round that is over");
            if (!is_in(static_cast<std::uint8_t>(plans[plan].anyone), worker.task))
                FAIL("a worker plays what is the audio thread's own");
            if (runs(state.audio) && state.playing == plan && state.audio.task == worker.task)
                FAIL("two play one task");
        }
        if (away != state.away) FAIL("a worker that was given up is not counted, or is counted for ever");
    }
    int plan_of(const State& state, std::uint32_t round) const {
        for (int plan = 0; plan < rounds; ++plan)
            if (state.opened[plan] == round) return plan;
        FAIL("a task of a round that was never opened");
        return 0;
    }
    static bool is_in(std::uint8_t set, int task) { return (set >> task & 1) != 0; }

    /// Takes a task: what must be over first is over.
    void begin(State& state, int plan, int task) const {
        ++state.ran[plan][task];
        for (int t = 0; t < tasks; ++t)
            if ((plans[plan].needs[task] >> t & 1) && !is_in(state.over[plan], t) &&
                !is_in(state.lost[plan], t))
                FAIL("a task began before what it needs was over");
    }

    /// The steps of Round::claim(). False: not one of them.
    template <class None>
    bool claim(const State& state, Thread& (*of)(State&, int), int number, bool is_audio, None none) {
        State next = state;
        Thread& me = of(next, number);
        switch (me.at) {
            case At::read_claimed:
                me.claimed = state.claimed;
                me.at = At::read_done;
                break;
            case At::read_done:
                me.done = state.done;
                me.at = At::read_anyone;
                if (Round::round_of(me.done) != Round::round_of(me.claimed)) none(me);
                break;
            case At::read_anyone:
                me.anyone = is_audio ? Round::every_task : state.anyone;
                me.at = At::read_needs;
                me.index = 0;
                break;
            case At::read_needs:
                me.needs[me.index] = state.needs[me.index];
                if (++me.index < tasks) break;
                me.task = Round::choose(Round::set_of(me.claimed), Round::set_of(me.done), me.anyone & all,
                                        [&](int t) { return me.needs[t]; });
                me.at = At::take;
                if (me.task < 0) none(me);
                break;
            case At::take:
                if (state.claimed != me.claimed) {  // the compare-and-swap fails and reads again
                    me.claimed = state.claimed;
                    me.task = -1;
                    me.at = At::read_done;
                    break;
                }
                next.claimed |= task_bit(me.task);
                me.round = Round::round_of(me.claimed);
                begin(next, plan_of(next, me.round), me.task);
                me.at = At::run;
                break;
            default:
                return false;
        }
        forget(me);
        go(next);
        return true;
    }
    /// What is never read again does not tell states apart.
    static void forget(Thread& me) {
        if (me.at == At::read_claimed || me.at == At::out || me.at == At::wait || me.at == At::run) {
            const Thread was = me;
            me = Thread();
            me.at = was.at;
            if (was.at == At::run) {
                me.task = was.task;
                me.round = was.round;
            }
        }
    }

    void work(const State& state, int number) {
        const auto of = [](State& s, int w) -> Thread& { return s.worker[w]; };
        if (claim(state, of, number, false, [](Thread& me) { me.at = At::out; })) return;
        State next = state;
        Thread& me = next.worker[number];
        switch (me.at) {
            case At::out:
                me.at = At::read_claimed;
                break;
            case At::run:
                me.at = At::finish_read;
                break;
            case At::finish_read:
                me.done = state.done;
                me.at = At::finish_take;
                break;
            case At::finish_take:
                if (Round::round_of(me.done) != me.round) {  // given up: only this worker touches the task
                    if (!is_in(state.lost[plan_of(state, me.round)], me.task))
                        FAIL("a task is neither over nor lost");
                    --next.away;
                    me.at = At::out;
                } else if (state.done != me.done) {
                    me.done = state.done;
                } else {
                    next.done |= task_bit(me.task);
                    next.over[plan_of(state, me.round)] |= static_cast<std::uint8_t>(task_bit(me.task));
                    me.at = At::out;
                }
                break;
            default:
                return;
        }
        forget(me);
        go(next);
    }

    void audio(const State& state) {
        const auto of = [](State& s, int) -> Thread& { return s.audio; };
        if (claim(state, of, 0, true, [](Thread& me) { me.at = At::wait; })) return;
        State next = state;
        Thread& me = next.audio;
        switch (me.at) {
            case At::out:
                // While a worker is away, plans are played alone, without rounds.
                if (state.playing + 1 == rounds || state.away > 0) {
                    me.at = At::over;
                    break;
                }
                ++next.playing;
                me.index = 0;
                me.at = At::write_needs;
                break;
            case At::write_needs:
                next.needs[me.index] = plans[state.playing].needs[me.index];
                if (++me.index == tasks) me.at = At::write_anyone;
                break;
            case At::write_anyone:
                next.anyone = plans[state.playing].anyone;
                ++next.number;
                me.at = At::open_done;
                break;
            case At::open_done:
                next.opened[state.playing] = state.number;
                next.done = Round::word(state.number, ~all);
                me.at = At::open_claimed;
                break;
            case At::open_claimed:
                next.claimed = Round::word(state.number, ~all);
                me.at = At::read_claimed;
                break;
            case At::run:
                me.at = At::finish_take;
                break;
            case At::finish_take:
                next.done |= task_bit(me.task);
                next.over[state.playing] |= static_cast<std::uint8_t>(task_bit(me.task));
                me.at = At::wait;
                break;
            case At::wait: {
                if (Round::set_of(state.done) == Round::every_task) {
                    if (state.over[state.playing] != all) FAIL("a round ended before its tasks");
                    me.at = At::out;
                    break;
                }
                State patient = state;
                patient.audio.at = At::read_claimed;
                forget(patient.audio);
                go(patient);
                me.at = At::stop_claims;
                break;
            }
            case At::stop_claims:
                me.begun = Round::set_of(state.claimed) & all;
                next.claimed = Round::word(state.number, Round::every_task);
                me.at = At::stop_finishes;
                break;
            case At::stop_finishes: {
                ++next.number;
                const TaskSet done = Round::set_of(state.done) & all;
                next.done = Round::word(next.number, Round::every_task);
                const TaskSet lost = Round::lost(me.begun, done);
                next.lost[state.playing] = static_cast<std::uint8_t>(lost);
                next.away += std::popcount(lost);
                for (int t = 0; t < tasks; ++t)  // alone, at once: nobody else can begin anything
                    if (!(done >> t & 1) && !(lost >> t & 1)) {
                        begin(next, state.playing, t);
                        next.over[state.playing] |= static_cast<std::uint8_t>(task_bit(t));
                    }
                if ((next.over[state.playing] | next.lost[state.playing]) != all)
                    FAIL("a task was forgotten");
                me.at = At::out;
                break;
            }
            default:
                return;
        }
        forget(me);
        go(next);
    }

    const int tasks, rounds, workers;
    const TaskSet all;
    std::deque<State> open_;
    std::set<State> seen_;
    std::size_t steps_ = 0, ends_ = 0;
};

}  // namespace

TEST_CASE("in every order of its steps a round runs each task once, in time, or loses it to one worker") {
    std::size_t states = 0;
    for (const Bound bound : {several_rounds, several_workers, several_tasks}) {
        Explorer explorer(bound);
        explorer.explore();
        WARN("rounds: " << bound.tasks << " tasks, " << bound.rounds << " rounds, " << bound.workers
                        << " worker(s): " << explorer.states() << " states, " << explorer.steps()
                        << " steps, " << explorer.ends() << " ends");
        CHECK(explorer.ends() > 0);
        states += explorer.states();
    }
    CHECK(states > 10'000);
}

}  // namespace gainstage::test::round_test
