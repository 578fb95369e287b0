#include "tests/support/midi_desk.hpp"

namespace gainstage::test::midi_table_test {

TEST_CASE("A new table inherits the last controller values and which mappings hold their knobs") {
    GraphMidi pickup = with_takeover(MidiTakeover::pickup);
    GraphMidi other = with_source(with_takeover(MidiTakeover::pickup), MidiSource::cc14, 2);
    other.entry.target = "amp.other";
    other.target.param = 1;
    Stage old({pickup, other});
    old.cc(0);
    old.cc(40);
    old.cc(0, 2);
    old.cc(64, 2);
    old.cc(1, 34);

    // The new plan has other nodes, another order of entries, and an entry that the old one lacks.
    GraphMidi stranger = with_source(with_takeover(MidiTakeover::pickup), MidiSource::cc, 9);
    stranger.entry.target = "echo.mix_percent";
    stranger.target.param = 2;
    GraphMidi moved_pickup = pickup, moved_other = other;
    moved_pickup.target.param = 4;
    moved_other.target.param = 3;
    Stage stage({stranger, moved_other, moved_pickup});
    stage.desk.knobs[4] = old.knob(0);
    stage.desk.knobs[3] = old.knob(1);
    {
        const test::RealtimeScope scope;
        stage.adopt(old);
    }
    stage.cc(127);  // far from 40, but it holds the knob
    CHECK(stage.knob(4) == 100.f);
    stage.cc(2, 34);  // the fine half joins the coarse half that the old table received
    CHECK(stage.knob(3) == Approx(100. * 8194 / 16383));
    stage.desk.knobs[2] = 60.f;
    stage.cc(2, 9);
    CHECK(stage.knob(2) == 60.f);
}

TEST_CASE("A control that held a stepped knob still holds it in a new table") {
    GraphMidi midi = with_takeover(MidiTakeover::pickup);
    midi.target.max = 2.f;
    midi.steps = 3;
    Stage old({midi}), stage({midi});
    old.cc(0);
    old.cc(76);  // step 1, beyond its middle
    stage.desk.knobs[0] = old.knob();
    stage.adopt(old);
    stage.cc(110);
    CHECK(stage.knob() == 2.f);
}

TEST_CASE("Mappings of one controller are told apart by the names of their targets") {
    GraphMidi held = with_takeover(MidiTakeover::pickup), free = held;
    free.entry.target = "amp.other";
    free.target.param = 1;
    Stage old({held, free});
    old.desk.knobs[1] = 90.f;
    old.cc(0);
    old.cc(40);
    held.target.param = 2;
    free.target.param = 3;
    Stage stage({free, held});
    stage.desk.knobs[2] = old.knob(0);
    stage.desk.knobs[3] = old.knob(1);
    stage.adopt(old);
    stage.cc(60);
    CHECK(stage.knob(2) == Approx(6000. / 127));
    CHECK(stage.knob(3) == 90.f);
}

TEST_CASE("A new entry inherits nothing from removed entries") {
    std::vector<GraphMidi> gone, fresh;
    for (int k = 0; k < 64; ++k) {
        GraphMidi midi = with_takeover(MidiTakeover::pickup);
        midi.target.param = 0;
        midi.entry.target = "gone.knob" + std::to_string(k);
        gone.push_back(midi);
        midi.target.param = 1;
        midi.entry.target = "fresh.knob" + std::to_string(k);
        fresh.push_back(midi);
    }
    Stage old(gone), stage(fresh);
    old.cc(0);
    old.cc(40);
    stage.desk.knobs[1] = old.knob(0);
    stage.adopt(old);
    stage.cc(100);
    CHECK(stage.knob(1) == old.knob(0));
}

TEST_CASE("Increments do not change the position of the control") {
    Stage stage({with_source(with_takeover(MidiTakeover::pickup), MidiSource::nrpn, 3)});
    stage.desk.knobs[0] = 50.f;
    stage.cc(0, 99);
    stage.cc(3, 98);
    stage.cc(100, 6);
    stage.cc(0, 96);
    const float after_tick = stage.knob();
    CHECK(after_tick == Approx(50. + 100. / 127));
    stage.cc(101, 6);  // still above the knob: nothing was crossed
    CHECK(stage.knob() == after_tick);
}

TEST_CASE("A mapping with an edited range keeps the position of the control but lets go of the knob") {
    Stage old({with_takeover(MidiTakeover::pickup)});
    old.cc(0);
    old.cc(100);
    Stage stage({with_range(with_takeover(MidiTakeover::pickup), 0., 50.)});
    stage.desk.knobs[0] = 10.f;  // a fifth of the new range
    stage.adopt(old);
    stage.cc(101);
    CHECK(stage.knob() == 10.f);
    stage.cc(20);  // crosses a fifth of 127, coming from 101
    CHECK(stage.knob() == Approx(1000. / 127));
}

TEST_CASE("A control does not hold a knob over another range, even if the knob did not move") {
    Stage old({with_takeover(MidiTakeover::pickup)});
    old.cc(0);
    old.cc(100);
    GraphMidi wider = with_takeover(MidiTakeover::pickup);
    wider.target.max = 200.f;
    Stage stage({wider});
    stage.desk.knobs[0] = old.knob();
    stage.adopt(old);
    stage.cc(101);
    CHECK(stage.knob() == old.knob());
}

TEST_CASE("Adopting an empty, a shorter or a longer table is harmless") {
    std::vector<GraphMidi> table;
    for (int k = 0; k < 8; ++k) {
        table.push_back(with_source(knob_mapping(), MidiSource::cc, k));
        table.back().target.param = k;
    }
    for (const std::size_t before : {0u, 3u, 8u})
        for (const std::size_t after : {0u, 3u, 8u}) {
            Stage old({table.begin(), table.begin() + before}), stage({table.begin(), table.begin() + after});
            for (int k = 0; k < 8; ++k) old.cc(9, k);
            stage.adopt(old);
            for (int k = 0; k < 8; ++k) stage.cc(127, k);
            CHECK(stage.desk.sets == static_cast<int>(after));
        }
}

}  // namespace gainstage::test::midi_table_test
