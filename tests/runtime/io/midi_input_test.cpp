#include "runtime/io/midi_input.hpp"

#include <cstdlib>

#include "runtime/io/rtmidi_output.hpp"
#include "tests/support/catch.hpp"

namespace gainstage::test::midi_input_test {

namespace {

/// Makes sure that this test finds no JACK server, whatever runs on the machine.
void without_jack() {
    setenv("JACK_DEFAULT_SERVER", "gainstage-test-no-such-server", 1);
    setenv("JACK_NO_START_SERVER", "1", 1);
}

std::string refusal(const MidiPorts& ports, const std::string& name) {
    try {
        choose_midi_port(ports, name);
        return "accepted";
    } catch (const DeviceError& error) {
        return error.what();
    }
}

const MidiPorts ports{{"jack", "a2j:nanoKONTROL2 SLIDER/KNOB"},
                      {"jack", "keys:out"},
                      {"jack", "keys:out 2"},
                      {"alsa", "nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0"},
                      {"alsa", "FCB1010:FCB1010 MIDI 1 24:0"}};

}  // namespace

TEST_CASE("A MIDI port is found by a part of its name in any capitals, in the first API that has it") {
    CHECK(choose_midi_port(ports, "nanokontrol").api == "jack");
    CHECK(choose_midi_port(ports, "fcb1010").name == "FCB1010:FCB1010 MIDI 1 24:0");
}

TEST_CASE("The full name of a MIDI port wins over longer names that contain it") {
    CHECK(choose_midi_port(ports, "keys:out").name == "keys:out");
    CHECK(choose_midi_port(ports, "keys:out 2").name == "keys:out 2");
}

TEST_CASE("A missing MIDI port is an error that lists the existing ones") {
    CHECK(
        refusal(ports, "organ") ==
        "no MIDI port is called \"organ\"; there are: \"a2j:nanoKONTROL2 SLIDER/KNOB\" (jack), \"keys:out\" "
        "(jack), \"keys:out 2\" (jack), \"nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0\" (alsa), "
        "\"FCB1010:FCB1010 MIDI 1 24:0\" (alsa)");
    CHECK(refusal({}, "organ") ==
          "no MIDI port is called \"organ\"; there is none; \"virtual:NAME\" makes one for other programs to "
          "connect to");
}

TEST_CASE("A name that several MIDI ports contain is refused, not guessed") {
    CHECK(refusal(ports, "keys") ==
          "\"keys\" may be one of 2 MIDI ports; write more of the name; there are: \"keys:out\" (jack), "
          "\"keys:out 2\" (jack)");
}

TEST_CASE("A MIDI port of JACK is found by its alias, which names the controller") {
    const MidiPorts system{{"jack", "system:midi_capture_1", {"nanoKONTROL2:midi/capture_1"}},
                           {"jack", "system:midi_capture_2", {"Launch Control:midi/capture_1"}},
                           {"alsa", "nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0"}};
    CHECK(choose_midi_port(system, "nanokontrol").name == "system:midi_capture_1");
    CHECK(choose_midi_port(system, "Launch Control:midi/capture_1").name == "system:midi_capture_2");
}

TEST_CASE("A controller that JACK and the sequencer both show is taken from JACK, by whatever name") {
    const std::string nano = "nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0", pedal = "FCB1010:FCB1010 MIDI 1 24:0";
    const MidiPorts others{{"alsa", nano}, {"alsa", pedal}};
    const MidiPorts bridge{{"jack", "a2j:nanoKONTROL2 [20] (capture): nanoKONTROL2 MIDI 1"},
                           {"jack", "keys:out"}};
    CHECK(choose_midi_port(bridge, others, "nano").api == "jack");
    CHECK(choose_midi_port(bridge, others, nano).api == "jack");
    CHECK(choose_midi_port(bridge, others, pedal).name == pedal);
    CHECK(choose_midi_port(bridge, others, "FCB").api == "alsa");
    const MidiPorts by_alias{
        {"jack", "system:midi_capture_1", {"alsa:seq:nanoKONTROL2:nanoKONTROL2 MIDI 1"}}};
    CHECK(choose_midi_port(by_alias, others, nano).name == "system:midi_capture_1");
    // Nobody knows which of two is meant.
    const MidiPorts two{{"jack", "a2j:nanoKONTROL2 [20] (capture): nanoKONTROL2 MIDI 1"},
                        {"jack", "a2j:nanoKONTROL2 [28] (capture): nanoKONTROL2 MIDI 1"}};
    CHECK(choose_midi_port(two, others, nano).api == "alsa");
    CHECK(choose_midi_port({}, others, nano).name == nano);
    CHECK_THROWS_AS(choose_midi_port(bridge, others, "organ"), DeviceError);
}

TEST_CASE("Opening a missing MIDI port is one clear error, with or without a server") {
    without_jack();
    MidiQueue queue;
    CHECK_NOTHROW(list_midi_ports());
    CHECK_THROWS_AS(MidiInput("gainstage-test-no-such-port", queue), DeviceError);
    CHECK_THROWS_AS(MidiInput("virtual:", queue), DeviceError);
    CHECK_NOTHROW(list_midi_destinations());
    CHECK_THROWS_AS(RtMidiOutput("gainstage-test-no-such-port"), DeviceError);
    CHECK_THROWS_AS(RtMidiOutput("virtual:"), DeviceError);
}

}  // namespace gainstage::test::midi_input_test
