/// Every order in which a change can be ordered, built, warmed, refused, begun, disturbed and handed back,
/// within a bound: the real engine and the real room, with a builder whose jobs run when the explorer says.

#include <deque>
#include <map>
#include <set>

#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/realtime_guard.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/test_nodes.hpp"

namespace gainstage::test::change_model_test {

namespace {

constexpr double rate_hz = 200.;  // a fade is 5 samples, a quarantine 20
constexpr int block_frames = 4;

/// What all fuses know.
struct Fuses {
    bool lit = false;            // whoever plays now blows
    bool fail_to_build = false;  // constructors throw
    int alive = 0;
    bool dead_one_played = false;  // the audio thread reached what was freed
    std::function<void()> inside;  // called in the middle of the next block
    std::set<const void*> dead;
    std::vector<void*> graves;  // no address comes twice
};
Fuses* fuses = nullptr;

/// A wire that remembers, blows when it is lit, and knows when it has been freed.
class Fuse final : public Node {
public:
    explicit Fuse(const Setup& setup) : memory_(setup.options.get<std::int64_t>("memory")) {
        if (fuses->fail_to_build) throw SetupError("this fuse can't be built");
        ++fuses->alive;
    }
    ~Fuse() override {
        --fuses->alive;
        fuses->dead.insert(this);
    }
    static void* operator new(std::size_t size) { return ::operator new(size); }
    static void operator delete(void* place) { fuses->graves.push_back(place); }

    void process(const Block& block) noexcept override {
        if (fuses->dead.contains(this)) fuses->dead_one_played = true;
        if (const auto inside = std::exchange(fuses->inside, nullptr)) inside();
        for (int k = 0; k < block.frames; ++k)
            block.out(0)[k] = fuses->lit ? std::numeric_limits<float>::quiet_NaN() : block.in(0)[k];
    }
    std::int64_t memory_samples() const noexcept override { return memory_; }

private:
    const std::int64_t memory_;
};

/// Jobs wait until the explorer runs them.
class HeldBuilder final : public Builder {
public:
    void run(Task job, Task done) override { waiting_.push_back({std::move(job), std::move(done)}); }
    void take_up() override {
        for (std::deque<Job> over = std::exchange(over_, {}); Job & job : over) job.done();
    }
    void give_up() override {
        waiting_.clear();
        over_.clear();
    }
    void work() {
        waiting_.front().job();
        over_.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    std::size_t waiting() const { return waiting_.size(); }
    std::size_t over() const { return over_.size(); }

private:
    struct Job {
        Task job, done;
    };
    std::deque<Job> waiting_, over_;
};

/// The n-th patch; each has a fuse of its own.
const Graph& song(int number) {
    static std::map<int, Graph> songs;
    const auto [at, is_new] = songs.try_emplace(number);
    if (is_new) {
        static const NodeType type = [] {
            NodeType fuse = slow_type();
            fuse.name = "fuse";
            fuse.make = make_node<Fuse>;
            return fuse;
        }();
        at->second = graph_of(
            patch("\"in -> fuse -> out\"", node("fuse", "slow", fmt::format("memory = {}", 4 + number))),
            rate_hz);
        at->second.nodes.edit(at->second.node_index("fuse")).type = &type;
    }
    return at->second;
}

/// One way through the life of an engine, a letter each step:
///   p  a patch is ordered        b  one whose node can't be built
///   w  the builder does a job    W  ... while a block plays    f  ... in which a newcomer blows
///   t  a turn                    a  a block                    m  a block with a turn in its middle
///   x  a block in which whatever plays blows
///   s  whatever is being built stands back
class World {
    /// Thousands of worlds are made.
    static constexpr QueueSizes little{.midi = 16, .due = 16, .moves = 63, .log = 64, .reports = 64};

public:
    explicit World(const std::string& path) {
        fuses = &state_;
        engine_.emplace(EngineConfig{.room = {.sample_rate_hz = rate_hz,
                                              .max_frames = block_frames,
                                              .decoders = 1,
                                              .time_nodes = false,
                                              .start_ramp_ms = 0.f,
                                              .queues = little},
                                     .builder = &builder_});
        engine_->listen([this](const EngineNews& news) { ++told_[news.kind]; });
        for (const char step : path) take(step);
    }
    ~World() {
        engine_.reset();
        fuses = nullptr;
        for (void* place : state_.graves) ::operator delete(place);
    }

    std::string steps() const {
        std::string all = "tam";
        if (orders_ < 2) all += "p";
        if (orders_ == 1) all += "b";
        if (builder_.waiting() > 0) all += "w";
        if (builder_.waiting() > 0 && is_warming()) all += failures_ < 1 ? "Wf" : "W";
        if (blown_ < 1) all += "x";
        if (stops_ < 1 && is_building()) all += "s";
        return all;
    }

    void take(char step) {
        switch (step) {
            case 'p':
                last_good_ = ++orders_;
                engine_->play(song(orders_));
                break;
            case 'b':
                ++orders_;
                bad_order_ = true;
                engine_->play(song(100));
                break;
            case 'w':
                work();
                break;
            case 'W':
                state_.inside = [this] { block(); };
                work();
                break;
            case 'f':
                ++failures_;
                state_.lit = true;
                work();
                state_.lit = false;
                break;
            case 's':
                ++stops_;
                engine_->stand_back();
                break;
            case 't':
                engine_->tick();
                break;
            case 'a':
                block();
                break;
            case 'm':
                state_.inside = [this] { engine_->tick(); };
                block();
                state_.inside = nullptr;
                break;
            case 'x':
                ++blown_;
                state_.lit = true;
                block();
                state_.lit = false;
                break;
        }
        check();
    }

    /// What tells one state from another.
    std::string key() const {
        const Residents& residents = engine_->residents();
        std::string key = fmt::format("{}{}{}{}{} b{}{} ", orders_, bad_order_, failures_, blown_, stops_,
                                      builder_.waiting(), builder_.over());
        if (const ChangeInFlight* change = residents.change()) {
            key +=
                fmt::format("c{}{}{}{}{}{}{}{}{}", static_cast<int>(change->stage()), change->is_ready(),
                            change->request().is_return, change->request().attempts, change->request().cold,
                            change->request().order.returning.size(), change->is_given_up(),
                            change->request().supersedes, change->request().stood_back);
            const std::uint64_t now = engine_->room().now(), stamp = change->request().order.stamp;
            key += fmt::format(" {}", stamp > now ? (stamp - now + block_frames - 1) / block_frames : 0);
            if (change->transition()) {
                key += fmt::format(" s{}", static_cast<int>(change->transition()->stage.load()));
                // A newcomer's lag decides how many legs it takes; beyond some blocks it changes nothing.
                if (const Warming* warming = change->warming())
                    key += fmt::format(" w{}", std::min<std::uint64_t>(now - warming->time, 32));
            }
        }
        key += fmt::format(" {}{}", engine_->changing(), engine_->silent());
        for (const auto& [id, patient] : engine_->ward().patients()) {
            key += fmt::format(" q{}{}", patient.latched, patient.cold);
            if (!residents.change())
                key += fmt::format("{}", std::min<std::uint64_t>(engine_->room().now() - patient.since, 24));
        }
        if (const Arrangement* playing = residents.playing()) {
            key += fmt::format(" p{}", playing->graph.nodes.back().options.get<std::int64_t>("memory"));
            for (const auto& slot : playing->slots) key += slot->quarantine.tripped ? "T" : "";
        }
        return key;
    }

    /// Everything that is on its way comes to its end.
    void drain() {
        for (int turn = 0; turn < 60; ++turn) {
            while (builder_.waiting() > 0) work();
            engine_->tick();
            block();
            check();
        }
        REQUIRE_FALSE(engine_->changing());
        REQUIRE(builder_.waiting() + builder_.over() == 0);
        REQUIRE(engine_->ward().patients().size() <= (told_[Kind::latched] > 0 ? 1 : 0));
        REQUIRE(told_[Kind::started] == told_[Kind::finished] + told_[Kind::returned]);
        REQUIRE(state_.alive == (engine_->playing() ? 1 : 0));
        if (last_good_ == orders_ && orders_ > 0 && told_[Kind::failed] == 0) {
            REQUIRE(engine_->playing());
            REQUIRE(engine_->residents().graph().patch_text == song(last_good_).patch_text);
        }
    }

private:
    using Kind = EngineNews::Kind;

    bool is_building() const {
        const ChangeInFlight* change = engine_->residents().change();
        return change && change->stage() == ChangeInFlight::Stage::building;
    }
    bool is_warming() const {
        const ChangeInFlight* change = engine_->residents().change();
        return change && change->stage() == ChangeInFlight::Stage::warming;
    }
    /// Song 100 can't be built.
    void work() {
        const ChangeInFlight* change = engine_->residents().change();
        state_.fail_to_build = change && change->stage() == ChangeInFlight::Stage::building &&
                               change->request().graph.patch_text == song(100).patch_text;
        builder_.work();
        state_.fail_to_build = false;
        state_.inside = nullptr;
    }
    void block() {
        const float in[block_frames] = {0.1f, 0.2f, -0.1f, -0.2f};
        float out[block_frames];
        const float* from = in;
        float* to = out;
        engine_->room().process(&from, 1, &to, 1, block_frames);
        for (const float x : out) REQUIRE(std::isfinite(x));
    }
    void check() {
        REQUIRE_FALSE(state_.dead_one_played);
        // What plays, what comes, and one more where a newcomer's past is run through a copy.
        REQUIRE(state_.alive <= 3);
        REQUIRE(told_[Kind::finished] + told_[Kind::returned] <= told_[Kind::started]);
    }

    Fuses state_;
    HeldBuilder builder_;
    std::optional<Engine> engine_;
    std::map<Kind, int> told_;
    int orders_ = 0, last_good_ = 0, failures_ = 0, blown_ = 0, stops_ = 0;
    bool bad_order_ = false;
};

}  // namespace

TEST_CASE("whatever happens to changes in whatever order, each ends once, and nothing is freed that plays") {
    const bool watched = realtime_guard() == RealtimeGuard::in_process;  // the others are too slow for all
    const std::size_t most_states = watched ? 50'000 : 600;
    std::set<std::string> seen;
    std::deque<std::string> open{""};
    std::size_t steps = 0, deepest = 0;
    while (!open.empty() && seen.size() < most_states) {
        const std::string path = open.front();
        open.pop_front();
        INFO("path: " << path);
        World world(path);
        ++steps;
        if (!seen.insert(world.key()).second) continue;
        deepest = path.size();
        for (const char step : world.steps()) open.push_back(path + step);
        world.drain();
    }
    WARN("changes: " << seen.size() << " states, " << steps << " paths, up to " << deepest << " steps deep"
                     << (open.empty() ? ", all there are" : ""));
    CHECK((!watched || open.empty()));
    CHECK(seen.size() > 500);
}

TEST_CASE("a change that takes a step out of its order is refused") {
    ChangeInFlight change({.graph = song(1), .order = {}}, KeyTable());
    Fuses here;
    fuses = &here;
    CHECK_THROWS_AS(change.begin(), std::logic_error);
    change.build(nullptr,
                 {.arrange = {.sample_rate_hz = rate_hz, .max_frames = block_frames, .rebuild = {}}});
    CHECK_THROWS_AS(change.be_armed(), std::logic_error);
    REQUIRE(change.be_built());
    CHECK_THROWS_AS(change.be_built(), std::logic_error);
    CHECK_THROWS_AS(change.be_armed(), std::logic_error);
    CHECK_THROWS_AS(change.finish(), std::logic_error);
    change.be_ready();
    change.be_armed();
    CHECK_THROWS_AS(change.set_off(), std::logic_error);
    change.begin();
    CHECK_THROWS_AS(change.fail(), std::logic_error);
    {
        const ChangeInFlight::Built built = change.finish();
        CHECK(built.transition);
    }
    CHECK(change.stage() == ChangeInFlight::Stage::done);
    CHECK_THROWS_AS(change.fail(), std::logic_error);
    for (void* place : here.graves) ::operator delete(place);
    fuses = nullptr;
}

TEST_CASE("what a worker may still be in is kept until it is back") {
    Fuses here;
    fuses = &here;
    {
        Residents residents;
        const auto pass = [&](int number, bool worker_away) {
            ChangeInFlight& change = residents.admit(std::make_unique<ChangeInFlight>(
                ChangeRequest{.graph = song(number), .order = {}}, KeyTable()));
            CHECK_THROWS_AS(residents.admit(nullptr), std::logic_error);
            change.build(residents.playing(),
                         {.arrange = {.sample_rate_hz = rate_hz, .max_frames = block_frames, .rebuild = {}}});
            REQUIRE(change.be_built());
            change.be_ready();
            change.be_armed();
            change.begin();
            residents.settle(worker_away);
        };
        pass(1, false);
        CHECK(here.alive == 1);
        pass(2, true);  // the first one, and both in the fade
        CHECK(residents.has_retired());
        CHECK(here.alive == 2);
        pass(3, true);
        CHECK(here.alive == 3);
        residents.free_retired();
        CHECK(here.alive == 1);
        pass(4, false);
        CHECK(here.alive == 1);
    }
    CHECK(here.alive == 0);
    for (void* place : here.graves) ::operator delete(place);
    fuses = nullptr;
}

}  // namespace gainstage::test::change_model_test
