#include "runtime/node_memory.hpp"

#include <array>
#include <limits>
#include <memory>
#include <numeric>
#include <vector>

#include "runtime/node.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/realtime_guard.hpp"

namespace gainstage::test::node_memory_test {

namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

struct Part {
    double pole = 0.5;
    int cached = 0;  // not named
    void list_state(StateList& list) { list.add(pole); }
};

/// Everything that may be named. What is not, shows that nothing else is touched.
struct Everything final : Node {
    int number = 7;
    std::array<Part, 2> parts;
    std::vector<std::vector<float>> lines{{0.f, 0.f}, {1.f, 2.f, 3.f}};
    std::vector<float> row{1.f, 2.f, 3.f, 4.f}, empty;
    bool started = false;
    std::array<float, 3> before{};  // while started
    std::int64_t written = 0;
    std::vector<float> ring = std::vector<float>(6);  // two for each of `written`
    int filled = 1;
    std::vector<float> past{5.f, 6.f, 7.f};  // `filled` of them
    int phase = 2;                           // a clock
    int loads = 0;

    void process(const Block&) noexcept override {}
    void list_state(StateList& list) override {
        list.add(number, parts, lines, std::span(row).first(2), empty);
        list.add(started, written, filled);
        list.add_while(started, before);
        list.add_first(written, ring, 2);
        list.add_first(filled, past);
        list.add_clock(phase);
    }
    void after_load() noexcept override { ++loads; }

    void spoil() {
        number = -1, filled = 3, written = 40, started = true, phase = 9;
        parts.fill({nan, 9});
        for (auto* values : {&lines[0], &lines[1], &row, &ring, &past})
            std::fill(values->begin(), values->end(), nan);
        before.fill(nan);
    }
};

bool all_nan(std::span<const float> values) {
    return std::all_of(values.begin(), values.end(), [](float x) { return x != x; });
}

}  // namespace

TEST_CASE("node memory: a reset puts back what was named, as it was built, and nothing else") {
    Everything node;
    NodeMemory memory(node);
    node.spoil();
    {
        const RealtimeScope audio_thread;
        memory.reset();
    }
    CHECK(node.number == 7);
    CHECK(node.parts[1].pole == 0.5);
    CHECK(node.parts[1].cached == 9);
    CHECK(node.lines == Everything().lines);
    CHECK(node.row[0] == 1.f);
    CHECK(node.row[1] == 2.f);
    CHECK(all_nan(std::span(node.row).last(2)));
    CHECK(node.loads == 1);
    // what does not matter in a node just built is left alone
    CHECK_FALSE(node.started);
    CHECK(node.written == 0);
    CHECK(node.filled == 1);
    CHECK(all_nan(node.before));
    CHECK(all_nan(node.ring));
    CHECK(node.past[0] == 5.f);
    CHECK(all_nan(std::span(node.past).last(2)));
}

TEST_CASE("node memory: a copy takes what matters to the twin now") {
    const auto copied = [](bool started, std::int64_t written) {
        auto made = std::make_unique<Everything>();
        Everything &node = *made, twin;
        NodeMemory memory(node);
        const NodeMemory memory_of_twin(twin);
        twin.number = 8, twin.parts[0].pole = 0.25, twin.parts[0].cached = 1;
        twin.lines[1][2] = 9.f;
        twin.row = {10.f, 20.f, 30.f, 40.f};
        twin.started = started, twin.before = {1.f, 2.f, 3.f};
        twin.written = written;
        std::iota(twin.ring.begin(), twin.ring.end(), 1.f);
        node.spoil();
        {
            const RealtimeScope audio_thread;
            memory.copy(memory_of_twin);
        }
        return made;
    };
    const auto early = copied(false, 2);
    CHECK(early->number == 8);
    CHECK(early->parts[0].pole == 0.25);
    CHECK(early->parts[0].cached == 9);
    CHECK(early->lines[1] == std::vector<float>{1.f, 2.f, 9.f});
    CHECK(early->row[1] == 20.f);
    CHECK(all_nan(std::span(early->row).last(2)));
    CHECK(early->loads == 1);
    CHECK(all_nan(early->before));
    CHECK(early->ring[3] == 4.f);
    CHECK(all_nan(std::span(early->ring).last(2)));
    for (const std::int64_t written : {std::int64_t{3}, std::int64_t{4}, std::int64_t{1} << 62}) {
        const auto late = copied(true, written);
        CHECK(late->before[2] == 3.f);
        CHECK(late->ring[5] == 6.f);
    }
}

TEST_CASE("node memory: a reset puts back a state that was kept, with the clocks as they were built") {
    Everything node, twin;
    NodeMemory memory(node), memory_of_twin(twin);
    node.spoil();
    node.number = 70, node.past = {50.f, 60.f, 70.f}, node.lines[1][2] = 30.f;
    node.parts.fill({0.25, 9});
    node.started = false;  // a node names a flag of add_while() as a clock, if it comes to rest
    memory.keep();
    CHECK(node.phase == 2);
    CHECK(node.number == 70);
    memory_of_twin.keep(memory.image());
    for (auto* one : {&node, &twin}) {
        NodeMemory& its = one == &node ? memory : memory_of_twin;
        if (one == &node) {
            node.spoil();
            const RealtimeScope audio_thread;
            its.reset();
        }
        CHECK(one->number == 70);
        CHECK(one->phase == 2);
        CHECK(one->filled == 3);
        CHECK(one->past == std::vector<float>{50.f, 60.f, 70.f});
        CHECK(one->lines[1][2] == 30.f);
        CHECK(one->parts[1].pole == 0.25);
        CHECK_FALSE(one->started);
    }
    CHECK(memory.image() == memory_of_twin.image());
    CHECK(memory.kept_bytes() > 0);
}

TEST_CASE("node memory: its size is that of all that was named") {
    Everything node;
    const std::size_t floats = 5 + 2 + 3 + 6 + 3;
    CHECK(NodeMemory(node).bytes() == floats * sizeof(float) + 3 * sizeof(int) + 2 * sizeof(double) +
                                          sizeof(bool) + sizeof(std::int64_t));
}

}  // namespace gainstage::test::node_memory_test
