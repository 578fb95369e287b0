// The first comment of every shipped patch says what one hears. These tests measure it, on sounds made for
// it.

#include <cmath>
#include <numbers>

#include "tests/patches/shipped.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"

namespace gainstage::test::claims_test {
namespace {

constexpr double rate = shipped_rate_hz;

int at(double seconds) {
    return static_cast<int>(std::lround(seconds * rate));
}

double amplitude(double dbfs) {
    return std::pow(10., dbfs / 20.);
}

Channel tone(double seconds, double hz, double dbfs) {
    return sine(at(seconds), hz, rate, amplitude(dbfs));
}

Channel sum(Channel a, const Channel& b) {
    for (std::size_t k = 0; k < a.size(); ++k) a[k] += b[k];
    return a;
}

/// The same sound at every input of the patch.
Sound everywhere(const Channel& sound) {
    return Sound(3, sound);
}

double level(const Channel& sound, double from_s, double to_s) {
    return rms_db(part(sound, at(from_s), at(to_s)));
}

/// Level of one frequency in the last half second.
double level_at(const Channel& sound, double hz) {
    const Samples end = part(sound, static_cast<int>(sound.size()) - at(0.5));
    return to_db(std::abs(component(end, hz, rate)));
}

/// Gain of a steady tone.
double gain_db(Shipped patch, double hz, double dbfs) {
    const Channel in = tone(2., hz, dbfs);
    return level_at(patch.play(everywhere(in))[0], hz) - level_at(in, hz);
}

/// Loud (1.5 s), then 20 dB softer (1.5 s).
Sound loud_then_soft(double loud_dbfs) {
    Channel sound = pink_noise(at(3.), 11, 1.f);
    const double now_db = rms_db(sound);
    for (int k = 0; k < at(3.); ++k)
        sound[k] *= static_cast<float>(amplitude(loud_dbfs - now_db - (k < at(1.5) ? 0. : 20.)));
    return everywhere(sound);
}

struct Passages {
    double loud_gain_db, soft_gain_db;
    double evened_db() const { return soft_gain_db - loud_gain_db; }
};

/// Both are measured in their last half second, when every detector has settled.
Passages passages(Shipped patch, double loud_dbfs = -18.) {
    const Sound in = loud_then_soft(loud_dbfs), out = patch.play(in);
    return {level(out[0], 1., 1.5) - level(in[0], 1., 1.5), level(out[0], 2.5, 3.) - level(in[0], 2.5, 3.)};
}

double harmonics_db(Shipped patch, double hz, double dbfs) {
    const int frames = at(1.);
    const double exact_hz = whole_periods_hz(hz, frames, rate);
    const Sound out = patch.play(everywhere(tone(2., exact_hz, dbfs)));
    return distortion(part(out[0], at(1.)), exact_hz, rate).harmonics_db;
}

}  // namespace

TEST_CASE("every shipped patch keeps to -1 dBFS whatever comes in, and falls silent after it") {
    // 1e-3 dB: the gain of the limiter is a float, and so is the sample it multiplies.
    for (const auto& file : shipped_patches()) {
        INFO(file.filename().string());
        for (const Channel& sound : {white_noise(at(1.), 2, 1.f), square(at(1.), 110., rate, 1.f),
                                     bursts(at(1.), 997., rate, 0.05, 0.15, 1., 0.)}) {
            const Sound out =
                Shipped(file.stem().string()).play(everywhere(joined(mono(sound), mono(silence(at(9.))))[0]));
            CHECK(all_finite(out));
            for (const Channel& channel : out) {
                CHECK(peak_db(channel) < -1. + 1e-3);
                CHECK(level(channel, 0., 1.) > -40.);
                CHECK(level(channel, 9.5, 10.) <
                      -90.);  // the longest tail, echo's: 24 repeats of 5 dB and more
            }
        }
    }
}

TEST_CASE("hello evens out and drives gently") {
    CHECK(passages(Shipped("hello")).evened_db() > 4.);
    CHECK(harmonics_db(Shipped("hello"), 220., -14.) > -45.);  // audible
    CHECK(harmonics_db(Shipped("hello"), 220., -14.) < -20.);  // gently
}

TEST_CASE("vocal: no rumble, no boxiness, even words, tamed s, some air") {
    const auto soft = [](double hz) { return gain_db(Shipped("vocal"), hz, -44.); };  // below the compressors
    const double voice = soft(1'000.);
    CHECK(soft(35.) - voice < -15.);  // two poles at 90 Hz: -16.4 dB
    CHECK(soft(320.) - voice < -1.5);
    CHECK(soft(15'000.) - voice > 2.);
    CHECK(passages(Shipped("vocal")).evened_db() > 5.);

    // An "s": a vowel with a loud 6.5 kHz tone on it. The de-esser works on that tone alone.
    const Sound vowel = everywhere(tone(2., 400., -20.));
    const Sound ess = everywhere(sum(tone(2., 400., -30.), tone(2., 6'500., -16.)));
    const auto taken_db = [](const Sound& in, double hz) {
        return level_at(Shipped("vocal").with("deess.ratio", 1.f).play(in)[0], hz) -
               level_at(Shipped("vocal").play(in)[0], hz);
    };
    CHECK(taken_db(ess, 6'500.) > 3.);
    CHECK(taken_db(vowel, 400.) < 0.5);
}

TEST_CASE("vocal: the noise between phrases is 12 dB lower, the phrases are not") {
    Channel in = pink_noise(at(3.), 3, 1.f);
    const double now_db = rms_db(in);
    for (int k = 0; k < at(3.); ++k)
        in[k] *= static_cast<float>(amplitude((k < at(1.) ? -20. : -62.) - now_db));
    const Sound with = Shipped("vocal").play(mono(in));
    const Sound without = Shipped("vocal").with("gate.bypass", 1.f).play(mono(in));
    CHECK(level(without[0], 2.5, 3.) - level(with[0], 2.5, 3.) == Approx(12.).margin(1.));
    CHECK(level(without[0], 0.5, 1.) == Approx(level(with[0], 0.5, 1.)).margin(0.2));
}

TEST_CASE("vocal's scenes: a steadier and airier chorus, and speech without rumble or shine") {
    const auto scene = [](const char* name) { return Shipped("vocal").scene(name); };
    const auto soft = [&](const char* name, double hz) {
        return gain_db(scene(name), hz, -44.) - gain_db(scene(name), 1'000., -44.);
    };
    CHECK(passages(scene("chorus")).evened_db() > passages(scene("verse")).evened_db() + 0.5);
    CHECK(soft("chorus", 15'000.) > soft("verse", 15'000.) + 1.);
    CHECK(std::abs(soft("talk", 15'000.)) < 1.);
    CHECK(soft("talk", 60.) < soft("verse", 60.) - 2.);
    for (const char* name : {"chorus", "talk"}) {  // nobody reaches for the fader
        INFO(name);
        const Sound in = loud_then_soft(-18.);
        CHECK(level(scene(name).play(in)[0], 0.5, 1.5) ==
              Approx(level(scene("verse").play(in)[0], 0.5, 1.5)).margin(2.5));
    }
}

TEST_CASE("guitar-high-gain's scenes: clean, the patch itself, and a solo that stands out") {
    const auto scene = [](const char* name) { return Shipped("guitar-high-gain").scene(name); };
    const auto loudness = [&](const char* name) {
        return level(scene(name).play(loud_then_soft(-18.))[0], 0.5, 1.5);
    };
    CHECK(harmonics_db(scene("clean"), 400., -16.) < -25.);
    CHECK(harmonics_db(scene("crunch"), 400., -16.) > -20.);
    CHECK(loudness("clean") == Approx(loudness("crunch")).margin(4.));
    CHECK(loudness("solo") > loudness("crunch") + 2.);
    // A program change on stage leads to the same sound as beginning there.
    const Sound in = everywhere(tone(2., 400., -16.));
    for (const auto& [program, name] : {std::pair{0, "clean"}, {2, "solo"}}) {
        const Sound changed = Shipped("guitar-high-gain").program(0, program).play(in);
        CHECK(level(changed[0], 1.5, 2.) == Approx(level(scene(name).play(in)[0], 1.5, 2.)).margin(0.05));
    }
}

TEST_CASE("guitar-parallel: soft passages are lifted, loud ones and the attack of the pick stay") {
    const Passages heard = passages(Shipped("guitar-parallel"));
    CHECK(heard.soft_gain_db > 6.);
    CHECK(heard.loud_gain_db < 4.);
    // A pick: 30 ms of loud tone, then the string rings 26 dB below it.
    const Sound in = mono(bursts(at(2.), 400., rate, 0.03, 0.97, amplitude(-10.), amplitude(-36.)));
    const Sound out = Shipped("guitar-parallel").play(in);
    const auto attack = [&](const Sound& sound) { return peak_db(part(sound[0], at(1.), at(1.03))); };
    CHECK(attack(out) - attack(in) > 0.);
    CHECK(attack(out) - attack(in) < 4.);
    CHECK(level(out[0], 1.6, 1.9) - level(in[0], 1.6, 1.9) > 6.);
}

TEST_CASE("guitar-high-gain: tight, driven hard, and silent the moment the strings stop") {
    // Strings for one second, over hum and hiss at -60 dBFS.
    Channel in = sum(tone(2., 100., -62.), white_noise(at(2.), 4, static_cast<float>(amplitude(-62.))));
    const Channel string = tone(1., 196., -16.);
    for (std::size_t k = 0; k < string.size(); ++k) in[k] += string[k];
    const Sound gated = Shipped("guitar-high-gain").play(mono(in));
    const Sound open = Shipped("guitar-high-gain").with("gate.bypass", 1.f).play(mono(in));
    CHECK(level(gated[0], 0.5, 1.) == Approx(level(open[0], 0.5, 1.)).margin(0.1));
    CHECK(level(open[0], 1.5, 2.) > -50.);  // the hum after a high gain
    CHECK(level(gated[0], 1.5, 2.) < -90.);
    CHECK(level(gated[0], 1.2, 1.25) < level(gated[0], 0.5, 1.) - 40.);  // 0.2 s after the strings
    CHECK(harmonics_db(Shipped("guitar-high-gain"), 400., -16.) > -20.);
    CHECK(gain_db(Shipped("guitar-high-gain"), 60., -70.) <
          gain_db(Shipped("guitar-high-gain"), 800., -70.) - 15.);
}

TEST_CASE("two-sounds: clean at the heel, rough and louder at the toe, no hole in between") {
    const auto foot = [](int position) { return Shipped("two-sounds").midi(0, {0xB0, 11, position}); };
    CHECK(harmonics_db(foot(0), 220., -14.) < -45.);
    CHECK(harmonics_db(foot(127), 220., -14.) > -25.);
    const Sound in = loud_then_soft(-18.);
    const double heel = level(foot(0).play(in)[0], 0.5, 1.5), toe = level(foot(127).play(in)[0], 0.5, 1.5);
    CHECK(toe > heel);
    for (const int position : {16, 32, 48, 64, 80, 96, 112})
        CHECK(level(foot(position).play(in)[0], 0.5, 1.5) > std::min(heel, toe) - 1.);
}

TEST_CASE("bass: the low end stays in place and clean, the mids growl, and the two halves fit together") {
    const double soft = gain_db(Shipped("bass"), 60., -30.), loud = gain_db(Shipped("bass"), 60., -10.);
    CHECK(soft - loud > 8.);
    CHECK(harmonics_db(Shipped("bass"), 60., -14.) < -25.);
    CHECK(harmonics_db(Shipped("bass"), 700., -14.) > -20.);
    for (const double hz : {60., 120., 250., 500., 1'000.}) {
        Shipped halves("bass");
        halves.with("grit.bypass", 1.f).with("hold.bypass", 1.f).with("sum.level2_db", 0.f);
        CHECK(gain_db(halves, hz, -40.) == Approx(0.).margin(hz < 100. ? 0.5 : 0.15));  // `subsonic`, 28 Hz
    }
}

TEST_CASE("drum-bus: glued, not pumped by the kick, its hits standing out") {
    CHECK(passages(Shipped("drum-bus"), -14.).evened_db() > 4.);
    // A cymbal under a kick drum: how far it sinks while the kick sounds (without the tape, which would mix
    // the two).
    const Channel kick = bursts(at(2.), 55., rate, 0.2, 0.3, amplitude(-6.), 0.);
    const Channel both = sum(tone(2., 3'000., -26.), kick);
    const auto sinks_db = [&](Shipped patch) {
        const Sound out = patch.with("tape.bypass", 1.f).play({both, both});
        const auto cymbal = [&](double from, double to) {
            return to_db(std::abs(component(part(out[0], at(from), at(to)), 3'000., rate)));
        };
        return cymbal(1.45, 1.5) - cymbal(1.1, 1.2);
    };
    CHECK(sinks_db(Shipped("drum-bus")) < 1.);
    CHECK(sinks_db(Shipped("drum-bus").with("no_kick.bypass", 1.f)) > 3.);
    // A snare's first 4 ms against the rest of it.
    const Channel snare = bursts(at(2.), 900., rate, 0.2, 0.3, amplitude(-12.), 0.);
    const Sound hit = Shipped("drum-bus").play({snare, snare});
    CHECK(peak_db(part(hit[0], at(1.), at(1.004))) - peak_db(part(hit[0], at(1.15), at(1.2))) > 2.);
}

TEST_CASE("stereo-master: steadier by one or two decibels, a touch wider in tone, the image in its place") {
    const double evened = passages(Shipped("stereo-master"), -14.).evened_db();
    CHECK(evened > 1.);
    CHECK(evened < 3.);
    const auto soft = [](double hz) { return gain_db(Shipped("stereo-master"), hz, -40.); };
    CHECK(soft(60.) - soft(1'000.) == Approx(0.9).margin(0.3));
    CHECK(soft(16'000.) - soft(1'000.) == Approx(1.3).margin(0.4));
    CHECK(peak(part(Shipped("stereo-master").play({tone(1., 440., -3.), silence(at(1.))})[1], 0)) == 0.);
    // A direct voltage of -20 dBFS is gone after a second.
    CHECK(std::abs(mean(part(Shipped("stereo-master").play(everywhere(constant(at(2.), 0.1f)))[0], at(1.)))) <
          1e-4);
}

TEST_CASE("two-chains: the voice in the middle, the guitar to the left, neither in the chain of the other") {
    const Channel voice = tone(2., 300., -20.), guitar = tone(2., 1'000., -18.), nothing = silence(at(2.));
    const Sound voice_alone = Shipped("two-chains").play({voice, nothing});
    const Sound guitar_alone = Shipped("two-chains").play({nothing, guitar});
    const Sound together = Shipped("two-chains").play({voice, guitar});
    CHECK(max_difference(voice_alone[0], voice_alone[1]) < 1e-6);  // cos and sin of 45 degrees, in float
    const double left = level(guitar_alone[0], 1., 2.), right = level(guitar_alone[1], 1., 2.);
    CHECK(left - right ==
          Approx(to_db(1. / std::tan(0.3 * std::numbers::pi / 2.))).margin(0.1));  // constant power
    double worst = 0.;
    for (std::size_t k = 0; k < nothing.size(); ++k)
        worst = std::max(worst, std::abs(double{together[0][k]} - voice_alone[0][k] - guitar_alone[0][k]));
    CHECK(worst < 1e-6);  // they meet in a sum below the limiter and nowhere else
}

TEST_CASE("duo: the guitar steps back 4 dB while the voice sings, each in its place, each with its mute") {
    const Channel guitar = tone(8., 1'000., -20.);
    Channel voice = tone(8., 300., -20.);
    for (int k = 0; k < at(8.); ++k)
        if (k < at(1.) || k >= at(3.)) voice[k] = 0.f;
    const Sound out = Shipped("duo").play({voice, guitar});
    const auto heard = [&](const Sound& sound, int side, double hz, double from, double to) {
        return to_db(std::abs(component(part(sound[side], at(from), at(to)), hz, rate)));
    };
    const double before = heard(out, 0, 1'000., 0.5, 1.);
    CHECK(heard(out, 0, 1'000., 2.5, 3.) - before == Approx(-4.).margin(0.3));
    CHECK(heard(out, 0, 1'000., 7.5, 8.) - before == Approx(0.).margin(0.3));
    CHECK(heard(out, 0, 300., 2., 3.) == Approx(heard(out, 1, 300., 2., 3.)).margin(0.01));
    CHECK(before - heard(out, 1, 1'000., 0.5, 1.) ==
          Approx(to_db(1. / std::tan(0.3 * std::numbers::pi / 2.))).margin(0.1));  // constant power
    const Sound alone = Shipped("duo").with("voice.mute", 1.f).play({voice, guitar});
    CHECK(heard(alone, 0, 1'000., 2.5, 3.) == Approx(before).margin(0.1));
    CHECK(heard(alone, 0, 300., 2., 3.) < -100.);
    const Sound none = Shipped("duo").with("guitar.mute", 1.f).play({silence(at(8.)), guitar});
    for (const Channel& side : none) CHECK(level(side, 1., 8.) < -100.);  // after the fade of the mute
}

TEST_CASE("talkover: the music steps back 12 dB while somebody speaks, and comes back") {
    const Channel music = tone(8., 1'000., -20.);
    Channel speech = tone(8., 300., -20.);
    for (int k = 0; k < at(8.); ++k)
        if (k < at(1.) || k >= at(3.)) speech[k] = 0.f;
    const Sound out = Shipped("talkover").play({music, music, speech});
    const auto heard = [&](double from, double to) {
        return to_db(std::abs(component(part(out[0], at(from), at(to)), 1'000., rate)));
    };
    const double before = heard(0.5, 1.);
    CHECK(heard(2.5, 3.) - before == Approx(-12.).margin(2.));
    CHECK(heard(3.2, 3.3) - before < -6.);  // waits for the end of the sentence
    CHECK(heard(7.5, 8.) - before == Approx(0.).margin(0.3));
}

TEST_CASE("echo: repeats every 375 ms, each darker and softer") {
    const int every = at(0.375), start = at(0.1);  // past the ramp that begins a stream
    Channel in = silence(at(2.5));
    const Channel click = white_noise(at(0.02), 8, 0.3f);
    std::copy(click.begin(), click.end(), in.begin() + start);
    const Sound out = Shipped("echo").play(mono(in));
    const auto repeat = [&](int n) { return part(out[0], start + n * every, start + n * every + at(0.1)); };
    const auto bright = [&](int n) {  // steepness relative to the level: rises with the mean frequency
        double steps = 0.;
        const Samples x = repeat(n);
        for (std::size_t k = 1; k < x.size(); ++k) steps += std::pow(double{x[k]} - x[k - 1], 2.);
        return std::sqrt(steps / static_cast<double>(x.size())) / rms(x);
    };
    CHECK(peak(part(out[0], start + at(0.06), start + every)) < 1e-6);  // nothing before its time
    for (int n = 1; n < 5; ++n) {
        INFO("repeat " << n);
        CHECK(rms_db(repeat(n)) < rms_db(repeat(n - 1)) - 3.);
        if (n > 1) CHECK(bright(n) < bright(n - 1));
    }
    // The first repeat has not passed the filters of the loop: it is the sound itself, 6 dB softer, to the
    // sample.
    double worst = 0.;
    for (int k = 0; k < at(0.02); ++k)
        worst = std::max(worst, std::abs(repeat(1)[k] - amplitude(-6.) * click[k]));
    CHECK(worst < 1e-6);
}

TEST_CASE("dry-wet: at 0 % the sound itself, to the sample; at 100 % only its distortion; aligned between") {
    const Channel in = tone(2., 500., -12.);
    const Sound dry = Shipped("dry-wet").with("blend.mix_percent", 0.f).play(mono(in));
    CHECK(max_difference(part(dry[0], at(0.1)), part(in, at(0.1))) < 1e-7);  // one rounding
    const Sound wet = Shipped("dry-wet").with("blend.mix_percent", 100.f).play(mono(in));
    CHECK(distortion(part(wet[0], at(1.)), 500., rate).harmonics_db > -20.);
    const Sound half = Shipped("dry-wet").with("blend.mix_percent", 50.f).play(mono(in));
    double worst = 0.;
    for (std::size_t k = static_cast<std::size_t>(at(0.1)); k < in.size(); ++k)
        worst = std::max(worst, std::abs(half[0][k] - 0.5 * (double{dry[0][k]} + wet[0][k])));
    CHECK(worst < 1e-6);
}

TEST_CASE("six-optos: each of the six evens out by itself, more with more peak reduction, and nothing hums") {
    const int fader = GENERATE(1, 2, 3, 4, 5, 6);
    const auto alone = [&](float peak_reduction) {
        Shipped patch("six-optos");
        for (int k = 1; k <= 6; ++k)
            patch.with("blend.level" + std::to_string(k) + "_db", k == fader ? 0.f : -120.f);
        for (const char* opto : {"state_space", "grey", "selective", "convolution", "encoder", "recurrent"})
            patch.with(opto + std::string(".peak_reduction"), peak_reduction);
        return patch;
    };
    INFO("fader " << fader);
    const double little = passages(alone(4.f), -8.).evened_db(),
                 much = passages(alone(25.f), -8.).evened_db();
    CHECK(much > 4.);
    CHECK(much > little + 1.);
    // The windows of the encoder begin with a small tick even at silence: -55 dBFS after 9 dB of make-up. The
    // others are below -90.
    CHECK(rms_db(part(alone(12.f).play(mono(silence(at(1.))))[0], at(0.5))) < (fader == 5 ? -50. : -90.));
}

TEST_CASE("midi-showcase, untouched: filtered, driven, its echo 330 ms later") {
    CHECK(gain_db(Shipped("midi-showcase"), 16'000., -40.) <
          gain_db(Shipped("midi-showcase"), 1'000., -40.) - 9.);
    CHECK(harmonics_db(Shipped("midi-showcase"), 220., -14.) > -45.);
    Channel in = silence(at(1.));
    const Channel burst = white_noise(at(0.02), 8, 0.2f);
    std::copy(burst.begin(), burst.end(), in.begin() + at(0.1));
    const Sound out = Shipped("midi-showcase").play(mono(in));
    CHECK(level(out[0], 0.43, 0.45) > level(out[0], 0.1, 0.12) - 20.);
    CHECK(level(out[0], 0.2, 0.42) < level(out[0], 0.43, 0.45) - 30.);
}

}  // namespace gainstage::test::claims_test
