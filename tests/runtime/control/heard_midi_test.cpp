#include "runtime/control/heard_midi.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::heard_midi_test {

namespace {

Graph one_gain(const std::string& midi) {
    return graph_of(patch("\"in -> vol -> out\"", gain("vol", 0.) + midi));
}

/// What is said of a message while vol.gain_db stands at `value`.
std::string said(const Graph& graph, const std::vector<MidiMessage>& messages, float value = 0.f) {
    MidiListener listener;
    listener.set_ports({"nanoKONTROL2"});
    for (const MidiMessage& message : messages) listener.hear(message, 0);
    const HeardMidi heard = listener.latest(&graph, [&](const GraphTarget&) { return value; });
    CHECK(heard.port == "nanoKONTROL2");
    return text_of(heard);
}

MidiMessage cc(int number, int value) {
    return {.size = 3, .bytes = {0xb0, static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(value)}};
}

const std::string fader =
    "[[midi]]\nchannel = 1\ncc = 30\ntarget = \"vol.gain_db\"\nmin = -60.0\nmax = 0.0\n";

}  // namespace

TEST_CASE("every kind of message has its words") {
    CHECK(text_of(MidiMessage{}).empty());
    CHECK(text_of(MidiMessage{.size = 3, .bytes = {0x91, 60, 100}}) == "ch 2 note 60 on");
    CHECK(text_of(MidiMessage{.size = 3, .bytes = {0x81, 60, 0}}) == "ch 2 note 60 off");
    CHECK(text_of(MidiMessage{.size = 3, .bytes = {0xa0, 60, 5}}) == "ch 1 note 60 pressure = 5");
    CHECK(text_of(MidiMessage{.size = 2, .bytes = {0xc0, 5, 0}}) == "ch 1 program 5");
    CHECK(text_of(MidiMessage{.size = 2, .bytes = {0xdf, 7, 0}}) == "ch 16 pressure = 7");
    CHECK(text_of(MidiMessage{.size = 3, .bytes = {0xe0, 0, 64}}) == "ch 1 bend = 0");
}

TEST_CASE("a message is told with what it moves, or that nothing listens") {
    const Graph graph = one_gain(fader + "[[midi]]\nnote = 36\ntarget = \"out.mute\"\nmode = \"toggle\"\n" +
                                 "[[midi]]\nnrpn = 300\ntarget = \"vol.bypass\"\n");
    CHECK(said(graph, {cc(64, 127)}) == "ch 1 cc 64 = 127 (not mapped)");
    CHECK(said(graph, {{.size = 2, .bytes = {0xc0, 5, 0}}}) == "ch 1 program 5 (not mapped)");
    CHECK(said(graph, {cc(30, 127)}) == "ch 1 cc 30 = 127 -> vol.gain_db 0 dB");
    CHECK(said(graph, {{.size = 3, .bytes = {0x90, 36, 9}}}) == "ch 1 note 36 on -> out.mute");
    CHECK(said(graph, {{.size = 3, .bytes = {0xb1, 30, 127}}}) == "ch 2 cc 30 = 127 (not mapped)");
    // The parts of an NRPN: those that choose it, and its data.
    CHECK(said(graph, {cc(99, 2)}) == "ch 1 cc 99 = 2");
    CHECK(said(graph, {cc(99, 2), cc(98, 44), cc(6, 100)}) == "ch 1 cc 6 = 100 -> vol.bypass");
    CHECK(text_of(MidiListener().latest(&graph, nullptr)).empty());
}

TEST_CASE("a pick-up that waits says where its control must go") {
    const Graph graph = one_gain(fader);
    CHECK(said(graph, {cc(30, 64)}, 0.f) == "ch 1 cc 30 = 64 -> vol.gain_db waits: turn up to 127");
    CHECK(said(graph, {cc(30, 64)}, -60.f) == "ch 1 cc 30 = 64 -> vol.gain_db waits: turn down to 0");
    CHECK(said(graph, {cc(30, 64)}, -60.f + 60.f * 64.f / 127.f) ==
          "ch 1 cc 30 = 64 -> vol.gain_db -29.8 dB");
    CHECK(said(one_gain(fader + "takeover = \"jump\"\n"), {cc(30, 64)}, 0.f) ==
          "ch 1 cc 30 = 64 -> vol.gain_db 0 dB");
}

}  // namespace gainstage::test::heard_midi_test
