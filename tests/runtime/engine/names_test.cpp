/// Ids of nodes that come and go.

#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::names_test {

namespace {

std::string named(int number) {
    const std::string id = fmt::format("n{}", number);
    return patch("\"in -> " + id + " -> out\"", gain(id, -6.));
}

constexpr int second = 48'000, edits = 60;

}  // namespace

TEST_CASE("an engine forgets the names of nodes that are gone for longer than the past is kept") {
    EngineRig rig(named(0));
    for (int n = 1; n <= edits; ++n)
        rig.at(static_cast<std::uint64_t>(n) * second, [n](EngineRig& r) { r.edit(named(n)); });
    // Of the latest node; the one of an id that is long gone, whose number others have got, moves nothing.
    rig.at((edits + 1) * second, [](EngineRig& r) { r.set(fmt::format("n{}.gain_db", edits), -12.f, 0.f); });
    const Event stale =
        rig.engine().event_for({.node = rig.engine().playing()->graph.node_index("n0"), .param = 0}, 24.f);
    rig.at((edits + 2) * second, [&](EngineRig& r) { r.engine().post(stale); });
    const Sound in = mono(sine((edits + 3) * second, 100., second, 0.5)), out = rig.run(in, {512});
    CHECK(rig.engine().counts().edits == edits);
    CHECK(rig.engine().keys().size() < 30);  // 18 within the past, two at the doors
    CHECK(std::abs(peak(part(out[0], (edits + 2) * second + 100)) - 0.5 * std::pow(10., -0.6)) < 1e-4);
}

}  // namespace gainstage::test::names_test
