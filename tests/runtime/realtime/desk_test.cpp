/// Messages become moves of knobs; each MIDI port has a decoder of its own.

#include "runtime/realtime/desk.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/realtime_guard.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::desk_test {

namespace {

/// Two knobs: one listens to 14-bit controller 1, the other to NRPN 3.
class TwoKnobs {
public:
    TwoKnobs() {
        const std::string mappings =
            "[[midi]]\nchannel = 1\ncc14 = 1\ntarget = \"a.gain_db\"\nmin = -16.383\nmax = 0.0\n"
            "takeover = \"jump\"\n"
            "[[midi]]\nchannel = 1\nnrpn = 3\ntarget = \"b.gain_db\"\nmin = -16.383\nmax = 0.0\n"
            "takeover = \"jump\"\n";
        const ChangeConfig config{.arrange = {.with_histories = false, .rebuild = {}}};
        arrangement_ =
            arrange(graph_of(patch("\"in -> a -> b -> out\"", gain("a", -3.) + gain("b", -3.) + mappings)),
                    nullptr, keys_, config.arrange);
        transition_ = std::move(plan_change(nullptr, arrangement_, keys_, config).transition);
    }
    void cc(int port, int number, int value) {
        Event event{.kind = EventKind::midi, .port = static_cast<std::uint8_t>(port)};
        event.midi = {.size = 3,
                      .bytes = {0xb0, static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(value)}};
        const RealtimeScope scope;
        desk_.receive(*transition_->score, event, ++now_);
    }
    void nrpn(int port, int parameter, int coarse, int fine) {
        for (const auto& [number, value] :
             {std::pair{99, parameter / 128}, {98, parameter % 128}, {6, coarse}, {38, fine}})
            cc(port, number, value);
    }
    /// Where a knob goes, in steps of a 14-bit control.
    double at(const char* node) const {
        const int index = arrangement_.graph.node_index(node);
        return (16.383 + double{arrangement_.slots[index]->ramps[0].to}) * 1'000.;
    }
    std::uint64_t moves() { return trail_.count() - std::exchange(moves_seen_, trail_.count()); }
    Desk& desk() { return desk_; }
    Score& score() { return *transition_->score; }

private:
    KeyTable keys_;
    Arrangement arrangement_;
    std::unique_ptr<Transition> transition_;
    KnobTrail trail_;
    Outbox outbox_{1'024, 16};
    Desk desk_{48'000., 256, trail_, outbox_};
    std::uint64_t now_ = 0, moves_seen_ = 0;
};

}  // namespace

TEST_CASE("the 14-bit halves of two ports do not tangle") {
    TwoKnobs knobs;
    knobs.cc(0, 1, 64);  // coarse
    knobs.cc(0, 33, 5);  // fine: this one speaks 14 bits
    CHECK(knobs.at("a") == Approx(64 * 128 + 5).margin(1.));
    knobs.cc(1, 1, 10);  // another controller, 7 bits as far as is known
    CHECK(knobs.at("a") == Approx(16'383. * 10 / 127).margin(1.));
    knobs.cc(0, 33, 6);  // joins the 64 of its own port, not the 10
    CHECK(knobs.at("a") == Approx(64 * 128 + 6).margin(1.));
    knobs.cc(1, 33, 7);
    CHECK(knobs.at("a") == Approx(10 * 128 + 7).margin(1.));
}

TEST_CASE("two ports that interleave their NRPNs each set their own parameter") {
    TwoKnobs knobs;
    knobs.cc(0, 99, 0);
    knobs.cc(1, 99, 0);
    knobs.cc(0, 98, 3);  // port 0 selects NRPN 3
    knobs.cc(1, 98, 9);  // port 1 selects NRPN 9, to which nothing listens
    knobs.cc(1, 6, 100);
    CHECK(knobs.at("b") == Approx(13'383.).margin(1.));  // where it stood
    knobs.cc(0, 6, 50);
    knobs.cc(1, 38, 99);
    knobs.cc(0, 38, 1);
    CHECK(knobs.at("b") == Approx(50 * 128 + 1).margin(1.));
    knobs.nrpn(255, 3, 20, 2);  // the last port that an event can name
    CHECK(knobs.at("b") == Approx(20 * 128 + 2).margin(1.));
}

TEST_CASE("every move is told once, and a knob that is not there moves nothing") {
    TwoKnobs knobs;
    knobs.moves();
    knobs.cc(0, 1, 64);
    CHECK(knobs.moves() == 1);
    const RealtimeScope scope;
    knobs.desk().turn(knobs.score(), {.key = 1'000, .knob = 1, .value = -1.f}, 5);
    knobs.desk().turn(knobs.score(), {.key = 0, .knob = 1, .value = -1.f}, 5);
    CHECK(knobs.moves() == 0);
}

}  // namespace gainstage::test::desk_test
