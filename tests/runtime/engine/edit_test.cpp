/// Patches that are edited while they play: what stays, what moves, what fades, what is refused.

#include "tests/support/catch.hpp"
#include "tests/support/clicks.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::edit_test {

namespace {

const std::string source = source_dir();
const std::string opto = source + "/models/opto-textbook.safetensors";
const std::string bus = source + "/models/bus-textbook.safetensors";

int seconds(double s) {
    return static_cast<int>(s * scene_rate_hz);
}

Sound edited_at(int at, const std::string& before, const std::string& after, const Sound& in,
                Partition partition = {}) {
    EngineRig rig(before);
    rig.at(static_cast<std::uint64_t>(at), [&](EngineRig& r) { r.edit(after); });
    Sound out = rig.run(in, partition);
    REQUIRE(rig.engine().counts().edits == 1);
    return out;
}

Sound from(const Sound& sound, int frame) {
    return cut(sound, frame);
}

constexpr int fade = 1'200;  ///< fade_ms = 25

/// A path beside the edited one, on a device channel of its own.
const std::string bystander = node("side", "output", "channels = [2]") +
                              node("press", "compressor", "threshold_db = -35") + grey_box("box", opto);
const std::string bystander_links = "\"in -> press -> box -> side\"";

/// The whole patch. The edited path reads the same input.
std::string scene(const std::string& links, const std::string& nodes) {
    return patch(links + ", " + bystander_links, nodes + bystander);
}

struct Edit {
    const char* name;
    std::string before, after;
};

const std::string comp = node("comp", "compressor", "threshold_db = -30\nrelease_ms = 300");
const std::string tone = node("tone", "filter", "cutoff_hz = 3000.0");

std::vector<Edit> all_edits() {
    return {
        {"insert", scene("\"in -> comp -> out\"", comp), scene("\"in -> tone -> comp -> out\"", tone + comp)},
        {"insert a model", scene("\"in -> comp -> out\"", comp),
         scene("\"in -> comp -> glue -> out\"", comp + grey_box("glue", bus))},
        {"remove", scene("\"in -> tone -> comp -> out\"", tone + comp), scene("\"in -> comp -> out\"", comp)},
        {"reorder", scene("\"in -> tone -> comp -> out\"", tone + comp),
         scene("\"in -> comp -> tone -> out\"", tone + comp)},
        {"rewire", scene("\"in -> tone -> comp -> out\"", tone + comp),
         scene("\"in -> comp -> out\", \"in -> tone -> out\"", tone + comp)},
        {"a sidechain", scene("\"in -> tone -> out\", \"in -> comp -> out\"", tone + comp),
         scene("\"in -> tone -> comp.sidechain\", \"in -> comp -> out\"", tone + comp)},
        {"a change upstream of a survivor", scene("\"in -> a -> comp -> out\"", gain("a", -3.) + comp),
         scene("\"in -> a -> comp -> out\"",
               node("a", "saturate", "drive_db = 1.0\noutput_db = -4.0") + comp)},
        {"another type under the same name", scene("\"in -> comp -> out\"", comp),
         scene("\"in -> comp -> out\"", node("comp", "gate"))},
        {"an option", scene("\"in -> tone -> out\"", tone),
         scene("\"in -> tone -> out\"", node("tone", "filter", "mode = \"highpass\""))},
        {"a loop begins", scene("\"in -> a -> out\"", gain("a", -3.)),
         scene("\"in -> a -> out\", \"a -> echo -> back -> a\"",
               gain("a", -3.) + gain("back", -6.) + node("echo", "delay", "delay_samples = 71"))},
        {"a loop ends",
         scene("\"in -> a -> out\", \"a -> echo -> back -> a\"",
               gain("a", -3.) + gain("back", -6.) + node("echo", "delay", "delay_samples = 71")),
         scene("\"in -> a -> out\"", gain("a", -3.))},
        {"a node in a loop",
         scene("\"in -> a -> out\", \"a -> echo -> back -> a\"",
               gain("a", -3.) + gain("back", -6.) + node("echo", "delay", "delay_samples = 71")),
         scene("\"in -> a -> out\", \"a -> echo -> tone -> back -> a\"",
               gain("a", -3.) + gain("back", -6.) + tone + node("echo", "delay", "delay_samples = 71"))},
        {"another delay in a loop",
         scene("\"in -> a -> out\", \"a -> echo -> back -> a\"",
               gain("a", -3.) + gain("back", -6.) + node("echo", "delay", "delay_samples = 71")),
         scene("\"in -> a -> out\", \"a -> echo -> back -> a\"",
               gain("a", -3.) + gain("back", -6.) + node("echo", "delay", "delay_samples = 7"))},
        {"a new output", scene("\"in -> a -> out\"", gain("a", -3.)),
         scene("\"in -> a -> out\", \"a -> b -> extra\"",
               gain("a", -3.) + gain("b", -3.) + node("extra", "output", "channels = [3]"))},
    };
}

}  // namespace

TEST_CASE("parallel paths that an edit leaves alone come out bit for bit the same") {
    const Sound in = mono(programme(seconds(1.2)));
    for (const Edit& edit : all_edits()) {
        INFO(edit.name);
        const Sound still = play(edit.before, in),
                    edited = edited_at(seconds(0.8), edit.before, edit.after, in);
        CHECK(bit_difference(mono(still[1]), mono(edited[1])) == "");
        CHECK(bit_difference(cut(still, 0, seconds(0.8)), cut(edited, 0, seconds(0.8))) == "");
        CHECK(all_finite(edited));
        const std::string name = edit.name;
        if (name != "a new output") CHECK(max_difference(still[0], edited[0]) > 1e-4);
    }
}

TEST_CASE("an edit gives the same bits in blocks of any size") {
    const Sound in = mono(programme(seconds(0.7)));
    for (const Edit& edit : all_edits()) {
        INFO(edit.name);
        const Sound reference = edited_at(seconds(0.4) + 5, edit.before, edit.after, in, {512});
        for (const Partition partition : {Partition{1}, Partition{64}, Partition::random(6)})
            CHECK(bit_difference(reference,
                                 edited_at(seconds(0.4) + 5, edit.before, edit.after, in, partition)) == "");
    }
}

TEST_CASE("no edit clicks on a steady tone") {
    const double hz = GENERATE(100., 440.);
    const Sound in = mono(sine(seconds(2.), hz, scene_rate_hz, 0.3));
    for (const Edit& edit : all_edits()) {
        INFO(edit.name << " at " << hz << " Hz");
        Sound out = edited_at(seconds(1.) + 31, edit.before, edit.after, in, {64});
        out = from(out, seconds(0.7));
        const int at = seconds(0.3) + 31;
        // The search ends when survivors and newcomers have settled on their new input.
        CHECK_FALSE(find_click(out[0], at - 8, at + seconds(0.5)).found());
    }
}

TEST_CASE("a survivor plays on: a neutral node inserted before it changes no bit") {
    const Sound in = mono(programme(seconds(2)));
    const std::string before = patch("\"in -> comp -> box -> out\"", comp + grey_box("box", opto)),
                      after = patch("\"in -> a -> comp -> box -> out\"",
                                    gain("a", 0.) + comp + grey_box("box", opto));
    CHECK(bit_difference(play(before, in), edited_at(seconds(1.3), before, after, in)) == "");
    CHECK(bit_difference(play(after, in), edited_at(seconds(1.3), after, before, in)) == "");
}

TEST_CASE("the fade sits at the first survivor downstream, which hears old and new mixed") {
    Sound in = mono(programme(seconds(1.5)));
    std::fill_n(in[0].begin(), settled_in,
                0.f);  // silence, so that the ramp at the start of a stream changes nothing
    const int at = seconds(1) + 7;
    const auto through = [&](const std::string& first) {
        return patch("\"in -> a -> comp -> out\"", first + comp);
    };
    const std::string clean = gain("a", -3.), dirty = node("a", "saturate", "drive_db = 20.0");
    const Sound out = edited_at(at, through(clean), through(dirty), in);

    // The input of the compressor, mixed by hand: the same operations in the same order.
    const auto feed = [&](const std::string& first) {
        return play(patch("\"in -> a -> out\"", first), in)[0];
    };
    const Channel old = feed(clean), fresh = feed(dirty);
    Channel mixed(old.size());
    const FadeCurve curve = raised_cosine(fade);
    for (int k = 0; k < static_cast<int>(old.size()); ++k) {
        const auto i = static_cast<std::size_t>(k);
        const float weight = k < at ? 0.f : k < at + fade ? curve[k - at] : 1.f;
        mixed[i] = weight == 1.f ? fresh[i] : old[i] + (fresh[i] - old[i]) * weight;
    }
    const Sound expected = play(patch("\"in -> comp -> out\"", comp), mono(mixed));
    CHECK(bit_difference(expected, out) == "");
}

TEST_CASE("an inserted model begins as if it had always been there") {
    const Sound in = mono(programme(seconds(7)));
    const std::string before = patch("\"in -> comp -> out\"", comp),
                      after = patch("\"in -> comp -> box -> out\"", comp + grey_box("box", opto));
    const int at = seconds(6);
    const Sound always = play(after, in), edited = edited_at(at, before, after, in);
    CHECK(max_difference(part(always[0], 0, at), part(edited[0], 0, at)) > 0.01);
    // The compressor upstream runs again over the past of its input; both have more of it than they remember.
    // Only the last bits of gains below 1 differ.
    CHECK(max_difference(part(always[0], at + fade), part(edited[0], at + fade)) < 1e-7);
}

// -------- knobs

TEST_CASE("a value changed in the text moves like a knob that is turned at that sample") {
    const Sound in = mono(programme(seconds(1)));
    const auto text = [](double db, double hz) {
        return patch("\"in -> a -> tone -> out\"",
                     gain("a", db) + node("tone", "filter", fmt::format("cutoff_hz = {:.1f}", hz)));
    };
    EngineRig turned(text(-3., 800.));
    turned.set_at(20'001, "a.gain_db", -9.f);
    turned.set_at(20'001, "tone.cutoff_hz", 4'000.f);
    const Sound expected = turned.run(in);
    CHECK(bit_difference(expected, edited_at(20'001, text(-3., 800.), text(-9., 4'000.), in)) == "");
}

TEST_CASE("a knob moved by a controller stays in place when the text changes another one") {
    const Sound in = mono(programme(seconds(1)));
    const auto text = [](double db, const std::string& head = "") {
        return patch("\"in -> a -> b -> out\"",
                     gain("a", -3.) + gain("b", db) +
                         "[[midi]]\ncc = 7\nchannel = 1\ntarget = \"a.gain_db\"\ntakeover = \"jump\"\n"
                         "min = -40.0\nmax = 0.0\n",
                     head);
    };
    const MidiMessage half{.size = 3, .bytes = {0xb0, 7, 64}};
    const auto take = [&](const std::string& after) {
        EngineRig rig(text(-1.));
        rig.at(9'000, [&](EngineRig& r) {
            r.engine().post({.kind = EventKind::midi, .midi = half, .stamp = 10'000});
        });
        if (!after.empty()) rig.at(20'000, [&](EngineRig& r) { r.edit(after); });
        Sound out = rig.run(in);
        const auto& graph = rig.engine().playing()->graph;
        CHECK(rig.engine().playing()->slots[graph.node_index("a")]->ramps[0].to ==
              Approx(-40. + 40. * 64. / 127.).margin(1e-4));
        return out;
    };
    CHECK(bit_difference(take(""), take(text(-1., "name = \"renamed\"\n"))) == "");
    const Sound quieter = take(text(-7.));
    CHECK(rms_db(part(quieter[0], 25'000)) ==
          Approx(rms_db(part(take("")[0], 25'000)) - 6.).margin(1e-3));  // and the other knob did move
}

TEST_CASE("an edit of the MIDI table takes effect at once and fades nothing") {
    const std::string body = gain("a", -3.);
    const auto text = [&](int cc) {
        return patch("\"in -> a -> out\"",
                     body + fmt::format("[[midi]]\ncc = {}\nchannel = 1\ntarget = \"a.gain_db\"\n", cc));
    };
    EngineRig rig(text(7));
    rig.at(20'000, [&](EngineRig& r) { r.edit(text(8)); });
    const Sound in = mono(programme(seconds(0.6)));
    const Sound out = rig.run(in, {64});
    CHECK(bit_difference(play(text(7), in), out) == "");
    std::vector<std::uint64_t> stamps;
    for (const EngineNews& news : rig.news())
        if (news.kind == EngineNews::Kind::started || news.kind == EngineNews::Kind::finished)
            stamps.push_back(news.stamp);
    CHECK(stamps == std::vector<std::uint64_t>{0, 0, 20'000, 20'000});
    CHECK(rig.engine().counts().swaps == 0);
}

TEST_CASE("a model with fewer knobs may replace one whose knobs were moved, and be replaced again") {
    const TemporaryFolder folder;
    ModelFile none = model_parts(bus);
    none.metadata["controls"] = "[]";
    none.metadata["memory_samples"] = "4801";
    tensor_of(none, "mlp.0.weight") = {.name = "mlp.0.weight", .shape = {3, 0}, .data = {}};
    const std::string fixed = save(folder, "fixed.safetensors", none);
    const auto text = [](const std::string& model) {
        return patch("\"in -> box -> out\"", grey_box("box", model));
    };
    const Sound in = mono(programme(seconds(3)));
    EngineRig rig(text(bus));
    for (int k = 0; k < 50; ++k) {
        rig.set_at(static_cast<std::uint64_t>(5'000 + 400 * k), "box.ratio", static_cast<float>(1 + k % 9));
        rig.set_at(static_cast<std::uint64_t>(5'100 + 400 * k), "box.threshold_db",
                   static_cast<float>(-k % 40));
    }
    rig.at(40'000, [&](EngineRig& r) { r.edit(text(fixed)); });
    rig.at(60'000, [&](EngineRig& r) { r.edit(text(opto)); });
    rig.at(80'000, [&](EngineRig& r) { r.edit(text(bus)); });
    const Sound out = rig.run(in, {64});
    CHECK(rig.engine().counts().swaps == 3);
    CHECK(all_finite(out));
    // The knob positions were lost with the model that had no knobs: the text counts again.
    const Sound always = play(text(bus), in);
    CHECK(max_difference(part(always[0], seconds(2.9)), part(out[0], seconds(2.9))) < 1e-6);
}

TEST_CASE("a knob moved while a change is being prepared is the one that was named") {
    // The two models have their knobs in another order. A move posted while one of them plays may be read
    // when the other plays.
    const TemporaryFolder folder;
    ModelFile turned = with_controls_swapped(model_parts(bus));
    Tensor& weight = tensor_of(turned, "mlp.0.weight");
    for (std::size_t row = 0; row < 3; ++row) std::swap(weight.data[2 * row], weight.data[2 * row + 1]);
    const std::string other = save(folder, "turned.safetensors", turned);
    const auto text = [](const std::string& model) {
        return patch("\"in -> box -> out\"", grey_box("box", model));
    };
    const Sound in = mono(programme(seconds(2)));
    EngineRig still(text(bus)), swapped(text(bus));
    for (const std::uint64_t at : {39'000u, 40'000u, 40'001u, 40'500u, 42'000u}) {
        still.set_at(at, "box.ratio", static_cast<float>(at % 9) + 1.f);
        swapped.set_at(at, "box.ratio", static_cast<float>(at % 9) + 1.f);  // posted long before the change
    }
    still.set_at(41'000, "box.threshold_db", -30.f);
    swapped.at(40'000, [&](EngineRig& r) {
        r.engine().play(graph_of(text(other)));
        r.engine().tick();  // armed, not begun: from here on names mean the knobs of the next patch
        r.set_at(41'000, "box.threshold_db", -30.f);
    });
    // The same model with its knobs in another order: only sums of two products may differ.
    CHECK(max_difference(still.run(in, {64})[0], swapped.run(in, {64})[0]) < 1e-6);
    CHECK(swapped.engine().counts().swaps == 1);
    for (const EngineNews& news : swapped.news())
        if (news.kind == EngineNews::Kind::event)
            CHECK(news.parameter == (news.stamp == 41'000 ? "threshold_db" : "ratio"));
}

TEST_CASE("a newcomer's knob is never beyond its range") {
    const TemporaryFolder folder;
    ModelFile narrow = model_parts(opto);
    narrow.metadata["controls"] =
        R"([{"name": "peak_reduction", "unit": "", "min": 0, "max": 60, "default": 50,
             "to_model": {"scale": 0.02, "offset": -1}}])";
    const std::string small = save(folder, "small.safetensors", narrow);
    const auto text = [](const std::string& model) {
        return patch("\"in -> box -> out\"", grey_box("box", model));
    };
    const Sound in = mono(programme(seconds(3)));
    EngineRig swapped(text(opto)), always(text(small));
    swapped.set_at(10'000, "box.peak_reduction", 90.f);
    always.set_at(10'000, "box.peak_reduction", 60.f);
    swapped.at(static_cast<std::uint64_t>(seconds(2)), [&](EngineRig& r) { r.edit(text(small)); });
    const Sound expected = always.run(in), out = swapped.run(in);
    CHECK(swapped.engine().playing()->slots[2]->ramps[0].to == 60.f);
    // It was warmed with its knob at the end of its range. Only the ramp to there differs, 1.9 s ago.
    CHECK(max_difference(part(expected[0], seconds(2) + fade), part(out[0], seconds(2) + fade)) < 1e-3);
}

// -------- outputs

TEST_CASE("a new output fades in from silence, a removed one fades out") {
    const std::string one = patch("\"in -> out\"", ""),
                      two =
                          patch("\"in -> out\", \"in -> extra\"", node("extra", "output", "channels = [2]"));
    const Sound in = mono(constant(40'000, 0.5f));
    const FadeCurve curve = raised_cosine(fade);
    const Sound rising = edited_at(20'000, one, two, in), falling = edited_at(20'000, two, one, in);
    CHECK(peak(part(rising[1], 0, 20'000)) == 0.);
    CHECK(peak(part(falling[1], 20'000 + fade)) == 0.);
    for (int k = 0; k < fade; ++k) {
        const auto i = static_cast<std::size_t>(20'000 + k);
        REQUIRE(rising[1][i] == 0.5f * curve[k]);
        REQUIRE(falling[1][i] == Approx(0.5 - 0.5 * curve[k]).margin(1e-7));
    }
    CHECK(rising[1][30'000] == 0.5f);
    CHECK(bit_difference(mono(rising[0]), mono(falling[0])) == "");
}

TEST_CASE("an output that moves to another channel fades out there and in here") {
    const std::string left = patch("\"in -> o\", \"in -> out\"", node("o", "output", "channels = [2]")),
                      right = patch("\"in -> o\", \"in -> out\"", node("o", "output", "channels = [3]"));
    EngineRig rig(left, {.out_channels = 3});
    rig.at(20'000, [&](EngineRig& r) { r.edit(right); });
    const Sound out = rig.run(mono(constant(40'000, 0.5f)), {64});
    for (const std::size_t k : {19'999u, 20'300u, 20'600u, 20'900u, 21'300u})
        CHECK(out[1][k] + out[2][k] == Approx(0.5).margin(1e-7));
    CHECK(out[1][19'999] == 0.5f);
    CHECK(out[2][21'300] == 0.5f);
}

// -------- refusals

TEST_CASE("an edit that can't be built is refused with the reason, and changes no bit of what plays") {
    // A limiter in a loop has more latency than the delay of the loop can make up for. Only building finds
    // that.
    const std::string good = patch("\"in -> comp -> box -> out\"", comp + grey_box("box", opto)),
                      bad = patch("\"in -> a -> box -> out\", \"a -> safety -> echo -> a\"",
                                  gain("a", -6.) + grey_box("box", opto) + node("safety", "limiter") +
                                      node("echo", "delay", "delay_samples = 10"));
    const Sound in = mono(programme(seconds(1)));
    EngineRig rig(good);
    rig.at(20'000, [&](EngineRig& r) { r.edit(bad); });
    const Sound out = rig.run(in, {64});
    CHECK(bit_difference(play(good, in, {64}), out) == "");
    REQUIRE(rig.count(EngineNews::Kind::failed) == 1);
    CHECK(rig.engine().counts().failures == 1);
    CHECK(rig.engine().counts().edits == 0);
    for (const EngineNews& news : rig.news())
        if (news.kind == EngineNews::Kind::failed) {
            CHECK(news.text.find("nodes.echo") != std::string::npos);
            CHECK(news.text.find("expected at least") != std::string::npos);
        }
    CHECK(rig.engine().playing()->graph.node_index("comp") >= 0);
}

TEST_CASE("a change of the total latency is reported") {
    const std::string before = patch("\"in -> a -> out\"", gain("a", -3.)),
                      after =
                          patch("\"in -> a -> safety -> out\"", gain("a", -3.) + node("safety", "limiter"));
    EngineRig rig(before);
    rig.at(20'000, [&](EngineRig& r) { r.edit(after); });
    rig.run(mono(programme(seconds(0.5))), {64});
    const int latency = rig.engine().playing()->latency_samples;
    REQUIRE(latency > 0);
    int said = 0;
    for (const EngineNews& news : rig.news())
        said += news.text == fmt::format("{}: the latency of the whole patch changes from 0 to {} samples",
                                         rig.engine().playing()->graph.file, latency);
    CHECK(said == 1);
}

}  // namespace gainstage::test::edit_test
