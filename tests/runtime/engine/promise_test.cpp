/// The promises of the audio thread, kept by the engine as a whole. (all_nodes_test checks every node by
/// itself.)

#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/in_child.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/realtime_guard.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/test_nodes.hpp"

namespace gainstage::test::promise_test {

namespace {

const std::string source = source_dir();

/// A patch with loops, a sidechain, latency, sums, stereo, models, mappings and a node that misbehaves.
std::string everything(const std::string& model, const std::string& tone, bool with_loop) {
    const std::string loop = with_loop ? ", \"send -> echo -> back -> send\", \"back -> blend.in1\"" : "";
    return "format = 1\nlinks = [\"in -> send -> bomb -> box -> blend.wet\", \"in -> blend.dry\", \"in -> "
           "tone -> press.sidechain\", \"blend -> press -> wide -> safety -> level -> out\"" +
           loop + "]\n" + node("in", "input", "channels = [1]") + node("out", "output", "channels = [1, 2]") +
           gain("send", -3.) + node("bomb", "bomb", "at = 20001\nevery = 15000") + grey_box("box", model) +
           node("blend", "mix") + node("tone", "filter", tone) + node("press", "compressor") +
           node("wide", "pan") + node("safety", "limiter") + node("level", "meter") +
           (with_loop ? node("echo", "delay", "delay_ms = 11.0") + gain("back", -9.) : "") +
           "[[midi]]\nchannel = 1\ncc = 21\ntarget = \"box.peak_reduction\"\ntakeover = \"jump\"\n"
           "[[midi]]\nchannel = 1\ncc14 = 1\ntarget = \"wide.position\"\n"
           "[[midi]]\nchannel = 1\npitchbend = true\ntarget = \"tone.cutoff_hz\"\ntakeover = \"scale\"\n"
           "[[midi]]\nchannel = 1\nnote = 60\ntarget = \"press.bypass\"\nmode = \"toggle\"\n"
           "[[midi]]\nchannel = 1\nnote = 61\ntarget = \"panic\"\nmode = \"trigger\"\n";
}

}  // namespace

TEST_CASE(
    "with everything going on, the callback allocates nothing, frees nothing, locks nothing, calls nothing") {
    // EngineRig puts the guard around every block: a violation would end the tests here.
    const TemporaryFolder folder;
    const ModelFile opto = remembering(model_parts(source + "/models/opto-textbook.safetensors"), 9'600);
    const std::string one = save(folder, "one.safetensors", opto),
                      two = save(folder, "two.safetensors", louder(opto, -3.)), high = "mode = \"highpass\"",
                      low = "mode = \"lowpass\"";
    const std::string patches[] = {everything(one, low, true), everything(two, low, true),
                                   everything(two, high, true), everything(two, high, false),
                                   everything(one, low, false)};
    EngineRig rig(patches[0]);
    int midi = 0;
    for (int k = 0; k < 90; ++k) {
        const auto at = static_cast<std::uint64_t>(3'000 + 1'000 * k);
        rig.at(at, [&, k](EngineRig& r) {
            if (k % 4 == 0) r.edit(patches[(k / 4) % 5]);
            for (const auto& [status, data] :
                 {std::pair{0xb0, 21}, {0xb0, 1}, {0xb0, 33}, {0xe0, 0}, {0x90, 60}})
                midi += r.engine().room().midi_queue(0).push(
                    {.arrival_ns = 0,
                     .message = {.size = 3,
                                 .bytes = {static_cast<std::uint8_t>(status), static_cast<std::uint8_t>(data),
                                           static_cast<std::uint8_t>(k % 128)}}});
            r.set("press.threshold_db", static_cast<float>(-k % 40));
            r.set("wide.mute", static_cast<float>(k % 2), 5.f);
            r.set("safety.ceiling_dbfs", -99.f);  // beyond its range
            if (k == 50)
                r.engine().room().midi_queue(0).push({.message = {.size = 3, .bytes = {0x90, 61, 100}}});
            if (k == 85) r.engine().fade_out(20.f);
        });
    }
    const Sound out = rig.run(mono(programme(96'000)), Partition::random(12));
    CHECK(all_finite(out));
    CHECK(rig.engine().silent());
    CHECK(midi == 90 * 5);
    CHECK(rig.engine().counts().edits >= 20);  // one that waited may have been replaced by a later one
    CHECK(rig.engine().counts().swaps > 5);
    CHECK(rig.engine().counts().trips > 1);
    CHECK(rig.count(EngineNews::Kind::clamped) > 10);
    CHECK(rig.engine().room().reports_lost() == 0);
    CHECK(rig.engine().room().stats().events_lost == 0);
}

TEST_CASE("a node that breaks a promise ends the program, and the message names the call") {
    if (realtime_guard() == RealtimeGuard::none) {
        SUCCEED("this build's sanitizer owns the guarded functions");
        return;
    }
    for (const char* what : {"allocate", "free", "lock", "print", "throw"}) {
        const auto text = [&](int at) {
            return patch("\"in -> offender -> out\"",
                         node("offender", "offender", fmt::format("at = {}\nwhat = \"{}\"", at, what)));
        };
        const Sound in = mono(programme(4'800));
        const End end = in_child([&] { play(text(3'000), in, {64}); });
        INFO(what << " said: " << end.said);
        CHECK_FALSE(end.peaceful());
        CHECK(end.said.find(realtime_guard() == RealtimeGuard::in_process ? "real-time violation: "
                                                                          : "unsafe") != std::string::npos);
        CHECK(in_child([&] { play(text(90'000), in, {64}); }).peaceful());  // it never gets there
    }
}

// -------- full queues

namespace {

/// A stream whose control thread is busy elsewhere.
class Unread {
public:
    explicit Unread(const std::string& text) : rig(text, {.queues = {.log = 4'096}}) {
        const GraphTarget target = *find_target(rig.engine().playing()->graph, "a.gain_db").target;
        move_ = rig.engine().event_for(target, 0.f);
    }
    void blocks(int count) {
        for (int k = 0; k < count; ++k) {
            const float* from = in_.data();
            float* to = out.data();
            const RealtimeScope scope;
            rig.engine().room().process(&from, 1, &to, 1, 64);
        }
    }
    /// Moves a knob so often that the queue of what was applied (4,096) is full.
    void fill() {
        for (int k = 0; k < 9'000; ++k) {
            REQUIRE(rig.engine().post(move_));
            if (k % 3'000 == 2'999) blocks(1);
        }
    }
    void settle() {
        for (int k = 0; k < 50; ++k) {
            rig.engine().tick();
            blocks(2);
        }
    }
    RoomStats& stats() { return rig.engine().room().stats(); }

    EngineRig rig;
    Channel out = silence(64);

private:
    Event move_;
    const Channel in_ = constant(64, 0.5f);
};

}  // namespace

TEST_CASE(
    "while nobody reads the reports sound plays on, losses are counted, and a later change is reported") {
    Unread stream(patch("\"in -> a -> out\"", gain("a", -6.)));
    stream.settle();
    stream.fill();
    stream.blocks(20);
    CHECK(stream.rig.engine().room().reports_lost() > 0);
    CHECK(stream.out[63] == 0.5f);  // the moves to 0 dB took effect all the same
    stream.rig.edit(patch("\"in -> b -> out\"", gain("b", -6.)));
    stream.settle();
    CHECK(stream.rig.engine().counts().edits == 1);
    CHECK(stream.out[63] == Approx(0.5 * std::pow(10., -6. / 20.)).epsilon(1e-5));
}

TEST_CASE("a change that begins while the queue of reports is full is told with its sample all the same") {
    Unread stream(patch("\"in -> a -> out\"", gain("a", -6.)));
    stream.settle();
    const std::uint64_t ordered = stream.rig.now() + 640;
    stream.rig.engine().play_as_ordered(
        graph_of(patch("\"in -> a -> b -> out\"", gain("a", -6.) + gain("b", -6.))),
        {.stamp = ordered, .returning = {}});
    stream.fill();
    REQUIRE(stream.rig.now() < ordered);
    stream.blocks(50);  // 66 ms: the fade is over, and nobody has read of its begin
    CHECK(stream.rig.engine().room().reports_lost() > 0);
    CHECK(stream.out[63] == Approx(0.5 * std::pow(10., -6. / 20.)).epsilon(1e-5));
    stream.settle();
    CHECK(stream.rig.count(EngineNews::Kind::started) == 2);
    CHECK(stream.rig.count(EngineNews::Kind::finished) == 2);
    std::uint64_t started = 0, latest = 0;
    for (const EngineNews& news : stream.rig.news()) {
        if (news.kind == EngineNews::Kind::started) started = news.stamp;
        if (news.kind == EngineNews::Kind::event || news.kind == EngineNews::Kind::started) {
            CHECK(news.stamp >= latest);  // a log goes forward only
            latest = news.stamp;
        }
    }
    CHECK(started == ordered);
    CHECK(stream.rig.engine().counts().edits == 1);
    CHECK(stream.out[63] == Approx(0.5 * std::pow(10., -6. / 20.)).epsilon(1e-5));
}

TEST_CASE("events that meet a full queue are refused to their sender, never half accepted") {
    EngineRig rig(patch("\"in -> a -> out\"", gain("a", 0.)));
    const GraphTarget target = *find_target(rig.engine().playing()->graph, "a.gain_db").target;
    int taken = 0;
    while (rig.engine().set(target, -20.f, 0.f, 50'000)) ++taken;
    CHECK(taken >= 4'095);
    const Channel in = constant(60'000, 0.5f);
    const Sound out = rig.run(mono(in), {64});
    CHECK(out[0][49'999] == 0.5f);
    CHECK(out[0][50'000] == Approx(0.05).epsilon(1e-6));
    CHECK(rig.engine().room().stats().events_lost == 0);
    int told = 0;
    for (const EngineNews& news : rig.news()) told += news.kind == EngineNews::Kind::event;
    CHECK(told == taken);
}

}  // namespace gainstage::test::promise_test
