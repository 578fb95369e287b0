/// The law of the buffer layout: what a step reads is what was written for it, whatever the order in which
/// several threads run the tasks.

#include "runtime/plan/compile/layout.hpp"

#include <algorithm>
#include <random>
#include <set>

#include "tests/support/catch.hpp"

namespace gainstage::test::layout_test {

namespace {

/// Steps over buffers, in tasks. Owns the lists that StepBuffers points to.
struct Program {
    struct Line {
        std::vector<BufferId> reads, writes;
        int task = 0;
    };
    std::vector<Line> lines;
    int buffers = 1;

    std::vector<StepBuffers> steps() const {
        std::vector<StepBuffers> list;
        for (const Line& line : lines) list.push_back({line.reads, line.writes, line.task});
        return list;
    }
    Layout layout() const { return lay_out(steps(), buffers); }

    int tasks() const { return lines.empty() ? 1 : lines.back().task + 1; }
};

/// Every step writes one or two new buffers and reads some of those before it, as a plan does; silence too,
/// and one buffer twice now and then.
Program random_program(std::mt19937& random) {
    const auto number = [&](int least, int most) {
        return std::uniform_int_distribution<int>(least, most)(random);
    };
    Program program;
    const int steps = number(1, 40), tasks = number(1, 5), reach = number(1, 40);
    for (int s = 0; s < steps; ++s) {
        Program::Line line;
        line.task = s * tasks / steps;
        for (int r = number(0, 3); r > 0; --r)
            line.reads.push_back(number(std::max(0, program.buffers - reach), program.buffers - 1));
        if (!line.reads.empty() && number(0, 4) == 0) line.reads.push_back(line.reads.front());
        for (int w = number(0, 2); w > 0; --w) line.writes.push_back(program.buffers++);
        program.lines.push_back(line);
    }
    return program;
}

std::set<int> places_of(const Layout& layout, const std::vector<BufferId>& buffers) {
    std::set<int> places;
    for (const BufferId b : buffers) places.insert(layout.place[b]);
    return places;
}

/// Runs the program with buffers' numbers for sound, and says where a step reads another number than its
/// buffer's.
std::string wrong_sound(const Program& program, const Layout& layout, const std::vector<int>& task_order) {
    std::vector<BufferId> memory(static_cast<std::size_t>(layout.places), silence);
    for (const int task : task_order)
        for (std::size_t s = 0; s < program.lines.size(); ++s) {
            const Program::Line& line = program.lines[s];
            if (line.task != task) continue;
            for (const BufferId b : line.reads)
                if (memory[layout.place[b]] != b)
                    return "step " + std::to_string(s) + " hears another buffer";
            for (const BufferId b : line.writes) memory[layout.place[b]] = b;
        }
    return {};
}

/// Task t hears task u.
std::vector<std::set<int>> needs_of(const Program& program) {
    std::vector<int> writer(static_cast<std::size_t>(program.buffers), -1);
    std::vector<std::set<int>> needs(static_cast<std::size_t>(program.tasks()));
    for (const Program::Line& line : program.lines) {
        for (const BufferId b : line.reads)
            if (writer[b] >= 0 && writer[b] != line.task) needs[line.task].insert(writer[b]);
        for (const BufferId b : line.writes) writer[b] = line.task;
    }
    return needs;
}

/// An order in which the tasks may run: each after those that it hears, else by chance.
std::vector<int> random_order(const Program& program, std::mt19937& random) {
    const auto needs = needs_of(program);
    std::vector<int> order, waiting;
    for (int t = 0; t < program.tasks(); ++t) waiting.push_back(t);
    while (!waiting.empty()) {
        std::shuffle(waiting.begin(), waiting.end(), random);
        const auto next = std::find_if(waiting.begin(), waiting.end(), [&](int t) {
            return std::all_of(needs[t].begin(), needs[t].end(), [&](int need) {
                return std::find(order.begin(), order.end(), need) != order.end();
            });
        });
        order.push_back(*next);
        waiting.erase(next);
    }
    return order;
}

/// The tasks that use a buffer.
std::set<int> users_of(const Program& program, BufferId buffer) {
    std::set<int> users;
    for (const Program::Line& line : program.lines)
        for (const auto* list : {&line.reads, &line.writes})
            if (std::find(list->begin(), list->end(), buffer) != list->end()) users.insert(line.task);
    return users;
}

/// What breaks the law about crossings; empty: nothing.
std::string wrong_crossing(const Program& program, const Layout& layout) {
    std::vector<std::set<BufferId>> owners(static_cast<std::size_t>(layout.places));
    std::vector<std::set<int>> tasks(owners.size());
    for (BufferId b = 1; b < program.buffers; ++b) {
        if (layout.place[b] == Layout::none) return "a written buffer has no place";
        owners[layout.place[b]].insert(b);
        tasks[layout.place[b]].merge(users_of(program, b));
        const bool crosses = users_of(program, b).size() > 1;
        if (crosses != (layout.stand_in[b] != Layout::none)) return "a stand-in is missing or too many";
        if (crosses) owners[layout.stand_in[b]].insert(-b);
    }
    for (BufferId b = 1; b < program.buffers; ++b) {
        if (layout.stand_in[b] == Layout::none) {
            if (tasks[layout.place[b]].size() > 1) return "two tasks share a place";
        } else if (owners[layout.place[b]].size() > 1 || owners[layout.stand_in[b]].size() > 1) {
            return "a crossing shares its place, or that of its stand-in";
        }
    }
    return owners[layout.place[silence]].empty() ? "" : "silence shares its place";
}

}  // namespace

TEST_CASE("layout: a chain of any length takes two buffers, and silence one") {
    Program chain;
    for (int s = 0; s < 100; ++s) {
        Program::Line line;
        if (s > 0) line.reads = {s};
        line.writes = {s + 1};
        chain.lines.push_back(std::move(line));
    }
    chain.buffers = 101;
    const Layout layout = chain.layout();
    CHECK(layout.places == 3);
    CHECK(layout.place[1] != layout.place[2]);
    CHECK(layout.place[1] == layout.place[3]);
}

TEST_CASE("layout: what nobody hears gives its place back at once") {
    Program program;
    for (int s = 0; s < 10; ++s) program.lines.push_back({.reads = {}, .writes = {s + 1}, .task = 0});
    program.buffers = 11;
    CHECK(program.layout().places == 2);
}

TEST_CASE("layout: a crossing between tasks has a place and a stand-in of its own") {
    Program program;
    program.lines = {{.reads = {}, .writes = {1, 2}, .task = 0},
                     {.reads = {1}, .writes = {3}, .task = 0},
                     {.reads = {2}, .writes = {4}, .task = 1}};
    program.buffers = 5;
    const Layout layout = program.layout();
    CHECK(layout.stand_in[2] != Layout::none);
    CHECK(layout.stand_in[1] == Layout::none);
    CHECK(wrong_crossing(program, layout) == "");
}

TEST_CASE(
    "layout: in random programs no two live buffers share memory, and no output lies where an input does") {
    std::mt19937 random(1);
    int crossings = 0, reused = 0;
    for (int round = 0; round < 2'000; ++round) {
        const Program program = random_program(random);
        const Layout layout = program.layout();
        INFO("round " << round);
        REQUIRE(wrong_sound(program, layout, random_order(program, random)) == "");
        REQUIRE(wrong_sound(program, layout, random_order(program, random)) == "");
        REQUIRE(wrong_crossing(program, layout) == "");
        for (const Program::Line& line : program.lines) {
            const auto read = places_of(layout, line.reads), written = places_of(layout, line.writes);
            REQUIRE(written.size() == line.writes.size());
            for (const int place : written) REQUIRE_FALSE(read.contains(place));
        }
        crossings += static_cast<int>(
            std::count_if(layout.stand_in.begin(), layout.stand_in.end(), [](int p) { return p >= 0; }));
        reused += program.buffers - layout.places;
    }
    CHECK(crossings > 1'000);  // the programs are such that the law says something
    CHECK(reused > 1'000);
}

}  // namespace gainstage::test::layout_test
