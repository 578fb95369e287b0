/// Long work beside the control thread.

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/short_take.hpp"
#include "tests/support/test_nodes.hpp"

namespace gainstage::test::builder_test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

void take_up_until(Builder& builder, const std::function<bool()>& is_done) {
    const auto patience = Clock::now() + 60s;
    while (!is_done() && Clock::now() < patience) {
        builder.take_up();
        std::this_thread::sleep_for(1ms);
    }
    REQUIRE(is_done());
}

/// Holds the warming of `slow` nodes on any other thread than this one.
class HeldWarming {
public:
    HeldWarming() {
        while_warming() = [this, here = std::this_thread::get_id()] {
            if (std::this_thread::get_id() == here) return;
            inside_ = true;
            while (held_) std::this_thread::sleep_for(1ms);
        };
    }
    ~HeldWarming() {
        let_go();
        while_warming() = nullptr;
    }
    bool inside() const { return inside_; }
    void let_go() { held_ = false; }

private:
    std::atomic<bool> held_{true}, inside_{false};
};

std::string chain(const std::string& slow = "") {
    const bool has_slow = !slow.empty();
    return patch(has_slow ? "\"in -> a -> slow -> press -> out\"" : "\"in -> a -> out\"",
                 gain("a", -3.) + (has_slow ? node("slow", "slow", slow) + node("press", "compressor") : ""));
}

}  // namespace

TEST_CASE("a builder that builds at once has done a job when run returns") {
    AtOnceBuilder builder;
    std::string did;
    builder.run([&] { did += "job "; }, [&] { did += "done"; });
    CHECK(did == "job done");
}

TEST_CASE("a builder's thread does jobs in order, one at a time, and their ends on the control thread") {
    std::atomic<int> wakes{0}, inside{0};
    BuilderThread builder([&] { ++wakes; });
    std::vector<int> ended;
    std::atomic<bool> overlapped{false}, wrong_thread{false};
    const auto here = std::this_thread::get_id();
    for (int k = 0; k < 20; ++k)
        builder.run(
            [&] {
                overlapped = overlapped || ++inside != 1;
                wrong_thread = wrong_thread || std::this_thread::get_id() == here;
                std::this_thread::yield();
                --inside;
            },
            [&, k] {
                wrong_thread = wrong_thread || std::this_thread::get_id() != here;
                ended.push_back(k);
                if (k == 19) builder.run([] {}, [&] { ended.push_back(20); });
            });
    CHECK(ended.empty());
    take_up_until(builder, [&] { return ended.size() == 21; });
    CHECK(std::is_sorted(ended.begin(), ended.end()));
    CHECK(wakes >= 20);
    CHECK_FALSE(overlapped);
    CHECK_FALSE(wrong_thread);
}

TEST_CASE("a builder that gives up waits for its job and forgets the others") {
    BuilderThread builder;
    std::atomic<bool> begun{false}, over{false}, second{false};
    bool done = false;
    builder.run(
        [&] {
            begun = true;
            std::this_thread::sleep_for(20ms);
            over = true;
        },
        [&] { done = true; });
    builder.run([&] { second = true; }, [&] { done = true; });
    while (!begun) std::this_thread::yield();
    builder.give_up();
    CHECK(over);
    builder.take_up();
    std::this_thread::sleep_for(5ms);
    CHECK_FALSE(second);
    CHECK_FALSE(done);
}

TEST_CASE("while the builder is held, a turn is short, a panic is silence, a knob moves and a trip is told") {
    BuilderThread builder;
    const std::string bomb = node("bomb", "bomb", "at = 9000\nwhat = \"stuck_nan\"");
    ShortTake take(patch("\"in -> a -> bomb -> out\"", gain("a", -3.) + bomb), &builder);
    take.turns(100);
    HeldWarming held;
    take.order(patch("\"in -> a -> bomb -> slow -> out\"",
                     gain("a", -3.) + bomb + node("slow", "slow", "memory = 2400")));
    while (!held.inside()) take.turns(1);
    take.set("a.gain_db", -6.f);
    REQUIRE(take.engine().post({.kind = EventKind::panic}));
    Clock::duration longest{};
    for (int k = 0; k < 100; ++k) {
        take.blocks(1);
        const auto begin = Clock::now();
        take.engine().tick();
        longest = std::max(longest, Clock::now() - begin);
    }
    CHECK(take.engine().changing());
    CHECK(take.last(EngineNews::Kind::started)->stamp == 0);
    CHECK(take.last(EngineNews::Kind::tripped));
    int events = 0;
    for (const EngineNews& news : take.news()) events += news.kind == EngineNews::Kind::event;
    CHECK(events == 2);
    const double longest_ms = std::chrono::duration<double, std::milli>(longest).count();
    INFO("the longest turn took " << longest_ms << " ms");
    CHECK(longest < 100ms);  // a busy machine; the builder would be held for ever
    held.let_go();
    const auto patience = Clock::now() + 60s;
    while (take.engine().changing() && Clock::now() < patience) {
        take.turns(1);
        std::this_thread::sleep_for(100us);
    }
    CHECK(take.engine().counts().edits == 1);
}

TEST_CASE("knobs that move while the builder warms reach the newcomers: the take equals its replay") {
    BuilderThread builder;
    ShortTake take(chain(), &builder);
    take.turns(400);
    for (int round = 0; round < 6; ++round) {
        HeldWarming held;
        take.order(chain(fmt::format("memory = {}", 9'600 + round)));
        const auto patience = Clock::now() + 60s;
        while (!held.inside() && Clock::now() < patience) take.turns(1);
        for (int k = 0; k < 60; ++k) {
            take.set("a.gain_db", static_cast<float>(-(k % 20)), static_cast<float>(k % 30));
            if (round > 0 && k % 3 == 0) take.set("press.threshold_db", static_cast<float>(-10 - k % 30));
            take.turns(2);
        }
        held.let_go();
        while (take.engine().changing() && Clock::now() < patience) {
            if (round > 0) take.set("press.threshold_db", static_cast<float>(-20 - round));
            take.turns(1);
            std::this_thread::sleep_for(100us);
        }
        REQUIRE_FALSE(take.engine().changing());
    }
    take.turns(100);
    CHECK(take.engine().counts().edits == 6);
    CHECK(bit_difference(mono(take.out()), mono(take.replayed())) == "");
}

TEST_CASE("what is wrong with a patch comes as news, the first one's too") {
    BuilderThread builder;
    Engine engine(EngineConfig{.room = {.midi_ports = 0}, .builder = &builder});
    std::vector<std::string> failed;
    engine.listen([&](const EngineNews& news) {
        if (news.kind == EngineNews::Kind::failed) failed.push_back(news.text);
        if (news.kind == EngineNews::Kind::failed) CHECK(news.problem);
    });
    Graph graph = graph_of(patch("\"in -> slow -> out\"", node("slow", "slow", "memory = 1")));
    static const NodeType broken = [] {
        NodeType type = slow_type();
        type.make = [](const Setup&) -> std::unique_ptr<Node> { throw SetupError("it is broken"); };
        return type;
    }();
    graph.nodes.edit(graph.node_index("slow")).type = &broken;
    for (int attempt = 1; attempt <= 2; ++attempt) {
        engine.play(graph);
        CHECK(engine.refusal().empty());
        engine.tick();
        while (engine.preparing()) engine.tick();
        REQUIRE(engine.refusal().size() == 1);
        CHECK(engine.refusal().front().message == "it is broken");
        CHECK(failed.size() == static_cast<std::size_t>(attempt));
        CHECK(engine.playing() == nullptr);
    }
    engine.play(graph_of(patch("\"in -> a -> out\"", gain("a", -3.))));
    while (engine.preparing()) engine.tick();
    CHECK(engine.playing() != nullptr);
}

}  // namespace gainstage::test::builder_test
