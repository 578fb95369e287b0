/// The past of the device: kept once a channel, whoever reads it, and what newcomers hear of it.

#include "runtime/plan/change.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/clicks.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::device_past_test {

namespace {

std::string inputs(int count, const std::string& channels) {
    std::string links, nodes = node("out", "output", "channels = [1, 2]");
    for (int i = 0; i < count; ++i) {
        links += fmt::format("{}\"i{} -> out\"", i ? ", " : "", i);
        nodes += node(fmt::format("i{}", i), "input", "channels = " + channels);
    }
    return "format = 1\nlinks = [" + links + "]\n" + nodes;
}

std::size_t bytes_of_past(const Arrangement& arrangement) {
    std::size_t bytes = 0;
    for (const auto& past : arrangement.device_past)
        if (past) bytes += past->bytes();
    return bytes;
}

Arrangement arranged(const std::string& toml, std::size_t most_bytes = 0, bool with_histories = true) {
    KeyTable keys;
    return arrange(graph_of(toml), nullptr, keys,
                   {.with_histories = with_histories, .most_bytes = most_bytes, .rebuild = {}});
}

const std::string echo = node("echo", "delay", "delay_ms = 900.0");

}  // namespace

TEST_CASE("device past: a channel is kept once, however many inputs read it") {
    const Arrangement one = arranged(inputs(1, "[1, 2]")), many = arranged(inputs(50, "[1, 2]"));
    CHECK(many.device_past.size() == 2);
    CHECK(bytes_of_past(many) == bytes_of_past(one));
    CHECK(bytes_of_past(many) < 4'000'000);  // 8 s of two channels and a little more
    CHECK(bytes_of_past(arranged(inputs(3, "[4]"))) == bytes_of_past(one) / 2);
}

TEST_CASE("device past: check counts it without allocating it") {
    const Arrangement counted = arranged(inputs(3, "[1, 2]"), 0, false);
    CHECK(bytes_of_past(counted) == 0);
    CHECK(counted.memory.total() == arranged(inputs(3, "[1, 2]")).memory.total());
    CHECK(counted.memory.total() > 3'000'000);
}

TEST_CASE("device past: what takes too much memory is refused before it is allocated, with what takes most") {
    std::string links = "\"in -> d0\"", nodes;
    for (int n = 0; n < 40; ++n) {
        nodes += node(fmt::format("d{}", n), "delay");
        links += fmt::format(", \"d{} -> {}\"", n, n == 39 ? std::string("out") : fmt::format("d{}", n + 1));
    }
    const std::string toml = patch(links, nodes);
    CHECK_FALSE(has_errors(arranged(toml, 100'000'000).problems));
    const Arrangement refused = arranged(toml, 4'000'000);
    REQUIRE(has_errors(refused.problems));
    const Problem& problem = refused.problems.back();
    CHECK(problem.exit_code == 78);
    CHECK(problem.message.starts_with("takes more memory than 4.0 MB; what takes most: delay: "));
    CHECK(problem.message.find("--memory") != std::string::npos);
    CHECK(refused.memory.total() < 5'000'000);
    CHECK(has_errors(arranged(inputs(1, "[1, 2]"), 1'000'000).problems));  // the past alone is too much
}

TEST_CASE("memory: the sound between nodes counts too, and is refused where it makes too much") {
    const std::string toml = inputs(1, "[1, 2]");
    KeyTable keys;
    ArrangeConfig config{.most_bytes = 0, .rebuild = {}};
    Arrangement free = arrange(graph_of(toml), nullptr, keys, config);
    const std::size_t without = free.memory.total();
    CHECK_FALSE(has_errors(plan_change(nullptr, free, keys, {.arrange = config}).problems));
    CHECK(free.memory.total() >= without + 2 * 512 * sizeof(float));

    config.most_bytes = without;
    Arrangement tight = arrange(graph_of(toml), nullptr, keys, config);
    REQUIRE_FALSE(has_errors(tight.problems));
    const Change change = plan_change(nullptr, tight, keys, {.arrange = config});
    REQUIRE(has_errors(change.problems));
    CHECK(change.problems.back().exit_code == 78);
    CHECK(change.problems.back().message.starts_with("takes more memory than "));
    CHECK(change.transition == nullptr);
}

TEST_CASE("device past: an inserted node begins as if it had always heard the input, mute and all") {
    const std::string plain = patch("\"in -> a -> out\"", gain("a", 0.)),
                      with_echo = patch("\"in -> echo -> a -> out\"", gain("a", 0.) + echo);
    const Sound in = mono(programme(150'000));
    const auto played = [&](const std::string& first, bool edits) {
        EngineRig rig(first);
        rig.at(60'000, [](EngineRig& r) { r.set("in.mute", 1.f); });
        rig.at(90'000, [](EngineRig& r) { r.set("in.mute", 0.f); });
        if (edits) rig.at(100'000, [&](EngineRig& r) { r.edit_now(with_echo); });
        return rig.run(in, {64});
    };
    const Sound out = played(plain, true), always = played(with_echo, false);
    CHECK(bit_difference(cut(out, 101'300), cut(always, 101'300)) == "");
    CHECK(peak(part(always[0], 120'000, 130'000)) == 0.);  // the mute, 900 ms later
}

TEST_CASE("device past: an input that the edit brings hears the past of a channel that was read before") {
    const std::string plain = patch("\"in -> out\"", ""),
                      with_echo = patch("\"in -> out\", \"too -> echo -> out\"",
                                        node("too", "input", "channels = [1]") + echo);
    const Sound in = mono(programme(150'000));
    EngineRig rig(plain);
    rig.at(100'000, [&](EngineRig& r) { r.edit_now(with_echo); });
    CHECK(bit_difference(cut(rig.run(in, {64}), 101'300), cut(play(with_echo, in, {64}), 101'300)) == "");
}

}  // namespace gainstage::test::device_past_test
