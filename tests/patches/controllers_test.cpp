// Every controller of a shipped patch moves what its file says, to the end of the range.

#include <cmath>

#include "tests/patches/shipped.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"

namespace gainstage::test::controllers_test {
namespace {

constexpr int frames = 5 * 48'000;
/// After this time, nothing is left of a knob move in the first samples (echoes, compressors), nor of where a
/// model's knob stood when it came to rest.
constexpr int settled = frames - 24'000;

/// Soft enough to pass every limiter unchanged, loud enough to work every compressor.
Sound programme() {
    return Sound(3, pink_noise(frames, 5, 0.15f));
}

/// RMS of the difference between the ends of two takes, in dB relative to the first.
double difference_db(const Sound& a, const Sound& b) {
    double differs = 0., sounds = 0.;
    for (std::size_t c = 0; c < a.size(); ++c)
        for (int k = settled; k < frames; ++k) {
            const double x = a[c][k], y = b[c][k];
            differs += (x - y) * (x - y);
            sounds += x * x;
        }
    return to_db(std::sqrt(differs / std::max(sounds, 1e-12)));
}

int channel_of(const PatchMidi& midi) {
    return midi.channel > 0 ? midi.channel - 1 : 0;  // "omni" hears channel 1, too
}

/// Moves the control to its lowest, then to its highest position: past any value that pickup waits for.
void swing(Shipped& patch, const PatchMidi& midi) {
    const int channel = channel_of(midi), control = 0xB0 + channel;
    const auto both = [&](int frame, int value) {
        switch (midi.source) {
            case MidiSource::cc:
                patch.midi(frame, {control, midi.number, value});
                break;
            case MidiSource::cc14:
                patch.midi(frame, {control, midi.number, value});
                patch.midi(frame, {control, midi.number + 32, value});
                break;
            case MidiSource::nrpn:
                patch.midi(frame, {control, 99, midi.number >> 7});
                patch.midi(frame, {control, 98, midi.number & 127});
                patch.midi(frame, {control, 6, value});
                patch.midi(frame, {control, 38, value});
                break;
            case MidiSource::pitchbend:
                patch.midi(frame, {0xE0 + channel, value, value});
                break;
            case MidiSource::note:
                patch.midi(frame, {0x90 + channel, midi.number, value});
                break;
            case MidiSource::program:
                break;  // moves no knob
        }
    };
    both(0, 0);
    both(1, 127);
}

std::string name_of(const std::filesystem::path& file) {
    return file.stem().string();
}

bool is_knob(const GraphMidi& midi) {
    return midi.entry.mode == MidiMode::absolute && midi.target.kind == TargetKind::parameter;
}

/// Several mappings of one control move together.
void set_all_of(Shipped& expected, const Graph& graph, const PatchMidi& control) {
    for (const GraphMidi& midi : graph.midi)
        if (is_knob(midi) && midi.entry.source == control.source && midi.entry.number == control.number)
            expected.with(midi.entry.target, static_cast<float>(midi.entry.max));
}

TEST_CASE("every knob and fader of a shipped patch, turned fully up, sounds like its `max` in the file") {
    for (const auto& file : shipped_patches()) {
        const std::string name = name_of(file);
        Shipped as_it_is(name);
        const Sound untouched = as_it_is.play(programme());
        for (const GraphMidi& midi : as_it_is.graph().midi) {
            if (!is_knob(midi)) continue;
            INFO(name + ": " + midi.entry.target);
            Shipped by_hand(name), by_file(name);
            swing(by_hand, midi.entry);
            set_all_of(by_file, by_hand.graph(), midi.entry);
            const Sound moved = by_hand.play(programme());
            // The hand takes another way there for about 40 ms at the start; 4.5 s later that is inaudible.
            CHECK(difference_db(moved, by_file.play(programme())) < -60.);
            CHECK(difference_db(moved, untouched) >
                  -40.);  // and the knob is heard: the difference is at least a hundredth of the sound
        }
    }
}

struct Encoder {
    int cc, up, down;
    const char* target;
    float start, span;  ///< max - min
};

TEST_CASE("every endless encoder of the MIDI showcase moves its knob by 1/127 of its range a tick") {
    const Encoder encoder = GENERATE(Encoder{71, 1, 127, "drive.drive_db", 9.f, 36.f},
                                     Encoder{72, 65, 63, "opto.peak_reduction", 12.f, 100.f},
                                     Encoder{73, 1, 65, "again.gain_db", -8.f, 39.f});
    for (const bool is_up : {true, false}) {
        INFO(encoder.target << (is_up ? " up" : " down"));
        Shipped by_hand("midi-showcase"), by_file("midi-showcase");
        constexpr int ticks = 12;
        for (int k = 0; k < ticks; ++k)
            by_hand.midi(k, {0xB0, encoder.cc, is_up ? encoder.up : encoder.down});
        by_file.with(encoder.target, encoder.start + (is_up ? 1.f : -1.f) * ticks * encoder.span / 127.f);
        const Sound moved = by_hand.play(programme());
        CHECK(difference_db(moved, by_file.play(programme())) < -60.);
        CHECK(difference_db(moved, Shipped("midi-showcase").play(programme())) > -30.);
    }
}

TEST_CASE("the showcase's first pad switches the drive out, and in again") {
    const Sound in = programme(), untouched = Shipped("midi-showcase").play(in);
    const auto pressed = [&](int times) {
        Shipped patch("midi-showcase");
        for (int k = 0; k < times; ++k) patch.midi(2 * k, {0x99, 36, 100}).midi(2 * k + 1, {0x89, 36, 0});
        return patch.play(in);
    };
    CHECK(difference_db(pressed(1), Shipped("midi-showcase").with("drive.bypass", 1.f).play(in)) < -60.);
    CHECK(difference_db(pressed(1), untouched) > -30.);
    CHECK(difference_db(pressed(2), untouched) < -60.);
}

TEST_CASE("the showcase's second pad and the singer's pedal mute while they are held") {
    const auto [name, on, number] =
        GENERATE(std::make_tuple("midi-showcase", 0x99, 37), std::make_tuple("vocal", 0xB0, 64));
    Shipped patch(name);
    patch.midi(24'000, {on, number, 127}).midi(72'000, {on, number, 0});
    const Sound out = patch.play(programme());
    CHECK(rms_db(part(out[0], 12'000, 24'000)) > -60.);
    CHECK(peak(part(out[0], 28'800, 71'000)) ==
          0.);  // 100 ms after the press; aligned, so the release shows early
    CHECK(rms_db(part(out[0], 76'800, 96'000)) > -60.);
}

TEST_CASE("the red button silences the echo, and the notes after it sound") {
    const std::string name = GENERATE(as<std::string>(), "midi-showcase", "echo");
    const Sound in = joined(mono(pink_noise(24'000, 5, 0.3f)), mono(silence(96'000)));
    const Sound left_alone = Shipped(name).play(in);
    const Sound stopped = Shipped(name).midi(36'000, {0xB0, 119, 127}).play(in);
    CHECK(rms_db(part(left_alone[0], 43'200)) > -70.);
    CHECK(peak(part(stopped[0], 43'200)) == 0.);
    const Sound again = joined(in, mono(pink_noise(24'000, 6, 0.3f)));
    CHECK(rms_db(part(Shipped(name).midi(36'000, {0xB0, 119, 127}).play(again)[0], 125'000)) > -40.);
}

}  // namespace
}  // namespace gainstage::test::controllers_test
