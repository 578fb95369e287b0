/// A take and its log: everything that happened live happens again in the replay, bit for bit.

#include <fstream>
#include <random>

#include "runtime/control/take_log.hpp"
#include "runtime/engine/take.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/test_nodes.hpp"

namespace gainstage::test::replay_test {

namespace {

const std::string source = source_dir();
constexpr int take_frames = 6 * 48'000;

std::string knob_patch(const std::string& model, const std::string& more = "") {
    const std::string mapping =
        "[[midi]]\nchannel = 1\ncc = 21\ntarget = \"box.peak_reduction\"\ntakeover = \"jump\"\n"
        "[[midi]]\nchannel = 1\ncc = 22\ntarget = \"safety.ceiling_dbfs\"\nmin = -20.0\nmax = -1.0\n"
        "[[midi]]\nchannel = 1\nnote = 60\ntarget = \"panic\"\nmode = \"trigger\"\n";
    return patch("\"in -> box -> bomb -> safety -> out\", \"in -> echo -> safety\"" + more,
                 grey_box("box", model) + node("bomb", "bomb", "at = 70001\nwhat = \"stuck_nan\"") +
                     node("safety", "limiter") + node("echo", "delay", "delay_ms = 120.0") + mapping);
}

/// Plays like a live stream: blocks of random sizes, a control thread that runs only now and then, MIDI with
/// arrival times.
class LiveTake {
public:
    LiveTake(PatchLoader& loader, const std::string& log)
        : loader_(loader),
          engine_(EngineConfig{.room = {.sample_rate_hz = 48'000., .max_frames = 96, .midi_ports = 1}}),
          log_(log, 48'000.) {
        engine_.listen([this](const EngineNews& news) {
            log_.write(report_of(news, 48'000.));
            log_.flush();
            finished_ += news.kind == EngineNews::Kind::finished;
            returned_ += news.kind == EngineNews::Kind::returned;
        });
    }

    Channel play(const Channel& in, const std::string& patch_file,
                 const std::function<void(int, LiveTake&)>& at_block) {
        engine_.play(std::move(*loader_.load(patch_file).graph));
        engine_.tick();
        REQUIRE(engine_.playing());
        in_ = &in;
        out_.assign(in.size(), 0.f);
        for (int number = 0; done_ < static_cast<int>(in.size()); ++number) {
            at_block(number, *this);
            block();
            if (--tick_in_ > 0) continue;
            engine_.tick();
            tick_in_ = static_cast<int>(random_() % 9) + 1;
        }
        engine_.tick();
        log_.finish();
        return out_;
    }

    /// Plays one block of the stream; does nothing after its end.
    void block() {
        const int count =
            std::min(static_cast<int>(random_() % 96) + 1, static_cast<int>(in_->size()) - done_);
        const float* from = in_->data() + done_;
        float* to = out_.data() + done_;
        clock_ns_ += count * 20'833;
        inside_ = true;
        if (count > 0) engine_.room().process(&from, 1, &to, 1, count, clock_ns_);
        inside_ = false;
        done_ += count;
    }
    /// True while the stream is in its callback.
    bool inside() const { return inside_; }

    void midi(std::uint8_t status, int data, int value, int late_samples = 0) {
        const StampedMidi message{.arrival_ns = clock_ns_ + late_samples * 20'833,
                                  .message = {.size = 3,
                                              .bytes = {status, static_cast<std::uint8_t>(data),
                                                        static_cast<std::uint8_t>(value)}}};
        REQUIRE(engine_.room().midi_queue(0).push(message));
    }
    void change_to(const std::string& patch_file) {
        loader_.forget("");
        Resolved resolved = loader_.load(patch_file);
        REQUIRE(resolved.graph);
        engine_.play(std::move(*resolved.graph));
    }
    Engine& engine() { return engine_; }
    int finished() const { return finished_; }
    int returned() const { return returned_; }

private:
    PatchLoader& loader_;
    Engine engine_;
    TakeLog log_;
    std::int64_t clock_ns_ = 1'000'000;
    const Channel* in_ = nullptr;
    Channel out_;
    std::mt19937 random_{17};
    int done_ = 0, tick_in_ = 1;
    bool inside_ = false;
    int finished_ = 0, returned_ = 0;
};

void write_text(const std::string& file, const std::string& text) {
    std::ofstream(file) << text;
}

Channel through(OfflineStream& stream, const Channel& in, Partition partition) {
    Channel out(in.size());
    std::mt19937 random(partition.seed);
    for (int done = 0; done < static_cast<int>(in.size());) {
        const int size = partition.seed
                             ? static_cast<int>(random() % static_cast<unsigned>(partition.size)) + 1
                             : partition.size;
        const int count = std::min(size, static_cast<int>(in.size()) - done);
        const float* from = in.data() + done;
        float* to = out.data() + done;
        stream.process(&from, 1, &to, 1, count);
        done += count;
    }
    return out;
}

Channel replayed(const std::string& log, const Channel& in, Partition partition) {
    PatchLoader loader(nodes_for_tests(), 48'000.);
    OfflineStream stream({.sample_rate_hz = 48'000., .max_frames = 512, .midi_ports = 0}, loader);
    REQUIRE(!has_errors(stream.start(read_take(log))));
    Channel out = through(stream, in, partition);
    REQUIRE(stream.problems().empty());
    return out;
}

}  // namespace

TEST_CASE(
    "a take with controllers, swaps, edits, a quarantine, a panic and its end equals its replay to the bit") {
    const TemporaryFolder folder;
    const std::string log = folder.file("take.log"), text = folder.file("p.toml");
    const ModelFile opto = model_parts(source + "/models/opto-textbook.safetensors");
    const std::string model = save(folder, "box.safetensors", opto);
    write_text(text, knob_patch(model));

    PatchLoader loader(nodes_for_tests(), 48'000.);
    LiveTake take(loader, log);
    const Channel in = programme(take_frames);
    const Channel out = take.play(in, text, [&](int block, LiveTake& live) {
        if (block > 100 && block < 1'500 && block % 7 == 0)
            live.midi(0xb0, 21, (block / 7) % 128, block % 40);
        if (block % 500 == 250) live.midi(0xb0, 22, block % 128);
        if (block == 800)
            live.engine().set(*find_target(live.engine().playing()->graph, "box.bypass").target, 1.f);
        if (block == 900)
            live.engine().set(*find_target(live.engine().playing()->graph, "box.bypass").target, 0.f, 3.f);
        if (block == 2'000) {
            save(folder, "box.safetensors", louder(opto, -3.));
            live.change_to(text);
        }
        if (block == 2'900) {
            write_text(text, knob_patch(model, ", \"in -> side -> out\"") + gain("side", -20.));
            live.change_to(text);
        }
        if (block == 3'600) live.midi(0x90, 60, 100);
        if (block == 5'200) live.engine().fade_out(50.f);
    });
    CHECK(take.finished() == 3);
    CHECK(take.returned() == 1);
    CHECK(take.engine().counts().swaps >= 2);  // the weights, and the return from quarantine
    CHECK(rms(part(out, 48'000)) > 0.01);
    for (const Partition partition : {Partition{512}, Partition{64}, Partition::random(9)})
        CHECK(bit_difference(mono(out), mono(replayed(log, in, partition))) == "");
}

TEST_CASE(
    "a take that begins muted, with gain, mute and bypass of the master and an edit between, equals its "
    "replay") {
    const TemporaryFolder folder;
    const std::string log = folder.file("take.log"), text = folder.file("p.toml");
    const auto late = [](double ms) {
        return patch("\"in -> trim -> limit -> out\"",
                     gain("trim", -6.) + node("limit", "limiter", fmt::format("lookahead_ms = {:.3f}", ms)));
    };
    write_text(text, late(1.));
    PatchLoader loader(nodes_for_tests(), 48'000.);
    LiveTake take(loader, log);
    REQUIRE(take.engine().set(MasterKnob::mute, 1.f, 0.f));
    const Channel in = programme(take_frames);
    const Channel out = take.play(in, text, [&](int block, LiveTake& live) {
        Engine& engine = live.engine();
        if (block == 200) engine.set(MasterKnob::mute, 0.f);
        if (block == 500) engine.set(MasterKnob::gain_db, -7.25f, 333.f);
        if (block == 900) engine.set(MasterKnob::bypass, 1.f);
        if (block == 1'200) {
            write_text(text, late(3.));
            live.change_to(text);
        }
        if (block == 2'000) engine.set(MasterKnob::bypass, 0.f, 50.f);
        if (block == 2'500) engine.post({.kind = EventKind::panic});
        if (block == 3'000) engine.set(MasterKnob::gain_db, 0.f);
        if (block == 5'200) engine.fade_out(50.f);
    });
    CHECK(take.finished() == 2);
    CHECK(rms(part(out, 48'000)) > 0.01);
    CHECK(peak(part(out, 0, 4'000)) == 0.);
    for (const Partition partition : {Partition{512}, Partition{64}, Partition::random(9)})
        CHECK(bit_difference(mono(out), mono(replayed(log, in, partition))) == "");
}

TEST_CASE("a replay without the log's moves differs: the log is what makes it equal") {
    const TemporaryFolder folder;
    const std::string log = folder.file("take.log"), text = folder.file("p.toml"),
                      cut = folder.file("cut.log");
    const std::string model =
        save(folder, "box.safetensors", model_parts(source + "/models/opto-textbook.safetensors"));
    write_text(text, knob_patch(model));
    PatchLoader loader(nodes_for_tests(), 48'000.);
    LiveTake take(loader, log);
    const Channel in = programme(96'000);
    const Channel out = take.play(in, text, [&](int block, LiveTake& live) {
        if (block == 300) live.midi(0xb0, 21, 127);
    });
    std::ifstream all(log);
    std::ofstream some(cut);
    for (std::string line; std::getline(all, line);)
        if (line.find("midi\"") == std::string::npos || line.find("play") != std::string::npos)
            some << line << "\n";
    some.close();
    std::filesystem::copy(log + ".files", cut + ".files");
    CHECK(bit_difference(mono(out), mono(replayed(log, in, {512}))) == "");
    CHECK(bit_difference(mono(out), mono(replayed(cut, in, {512}))) != "");
}

TEST_CASE("a take whose newcomers were warmed over many blocks equals its replay to the bit") {
    // While the control thread warms, the stream goes on. At first every piece of warming costs a block of
    // the stream, so that the past grows faster than it is warmed; later none does.
    const TemporaryFolder folder;
    const std::string log = folder.file("take.log"), text = folder.file("p.toml");
    const std::string model =
        save(folder, "box.safetensors", model_parts(source + "/models/bus-textbook.safetensors"));
    const auto chain = [&](const std::string& slow) {
        return patch(
            "\"in -> a -> box -> out\"" + std::string(slow.empty() ? "" : ", \"in -> slow -> b -> out\""),
            gain("a", -3.) + grey_box("box", model) +
                (slow.empty() ? "" : node("slow", "slow", slow) + grey_box("b", model)) +
                "[[midi]]\nchannel = 1\ncc = 21\ntarget = \"box.ratio\"\ntakeover = \"jump\"\n" +
                (slow.empty() ? ""
                              : "[[midi]]\nchannel = 1\ncc = 22\ntarget = \"b.ratio\"\n"
                                "takeover = \"jump\"\n"));
    };
    write_text(text, chain(""));
    PatchLoader loader(nodes_for_tests(), 48'000.);
    LiveTake take(loader, log);
    const Channel in = programme(5 * 48'000);
    int during_warming = 0;
    while_warming() = [&] {
        if (take.inside() || during_warming >= 700) return;
        ++during_warming;
        take.midi(0xb0, 21 + during_warming % 2, during_warming % 128);
        take.block();
    };
    const Channel out = take.play(in, text, [&](int block, LiveTake& live) {
        if (block == 2'000) {
            write_text(text, chain("memory = 24000"));
            live.change_to(text);
        }
        if (block == 3'500) {  // the slow one is replaced; both models stay
            write_text(text, chain("memory = 24001"));
            during_warming = 300;
            live.change_to(text);
        }
        if (block % 97 == 0) live.midi(0xb0, 22, block % 128);
    });
    while_warming() = nullptr;
    CHECK(during_warming > 600);
    CHECK(take.finished() == 3);
    CHECK(take.engine().counts().edits == 2);
    for (const Partition partition : {Partition{512}, Partition{1}, Partition::random(3)})
        CHECK(bit_difference(mono(out), mono(replayed(log, in, partition))) == "");
}

TEST_CASE("more events than any queue holds take effect at their samples, in blocks of any size") {
    const auto take = [](Partition partition) {
        PatchLoader loader(nodes_for_tests(), 48'000.);
        OfflineStream stream({.sample_rate_hz = 48'000., .max_frames = 8'192}, loader);
        REQUIRE(!has_errors(stream.start(graph_of(patch("\"in -> a -> out\"", gain("a", 0.))))));
        const GraphTarget target = *find_target(stream.engine().playing()->graph, "a.gain_db").target;
        for (int k = 0; k < 20'000; ++k) {
            Event event = stream.engine().event_for(target, static_cast<float>(-(k % 40)));
            event.stamp = static_cast<std::uint64_t>(2'000 + k);
            event.smooth_ms = 0.f;
            stream.add(event);
        }
        return through(stream, constant(30'000, 0.5f), partition);
    };
    const Channel reference = take({8'192});
    for (const int k : {2'000, 2'001, 9'999, 21'999})
        CHECK(reference[k] == Approx(0.5 * std::pow(10., -((k - 2'000) % 40) / 20.)).epsilon(1e-5));
    for (const Partition partition : {Partition{64}, Partition::random(5, 8'192)})
        CHECK(bit_difference(mono(reference), mono(take(partition))) == "");
}

TEST_CASE("offline, a node comes back from quarantine at the same sample in blocks of any size") {
    const auto take = [](Partition partition) {
        PatchLoader loader(nodes_for_tests(), 48'000.);
        OfflineStream stream({.sample_rate_hz = 48'000., .max_frames = 8'192}, loader);
        REQUIRE(!has_errors(stream.start(graph_of(
            patch("\"in -> a -> bomb -> out\"", gain("a", -3.) + node("bomb", "bomb", "at = 9000"))))));
        return through(stream, programme(30'000), partition);
    };
    const Channel reference = take({64});
    for (const Partition partition : {Partition{8'192}, Partition::random(5, 8'192)})
        CHECK(bit_difference(mono(reference), mono(take(partition))) == "");
}

TEST_CASE("a log that was cut short or tampered with is refused with the place") {
    const TemporaryFolder folder;
    const std::string log = folder.file("bad.log");
    const auto refusal = [&](const std::string& text) -> std::string {
        write_text(log, text);
        try {
            read_take(log);
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return "read";
    };
    const std::string head = "{\"gainstage_log\":1,\"sample_rate_hz\":48000}\n",
                      play = "{\"at\":0,\"play\":{\"file\":\"p\",\"text\":\"\",\"models\":{}}}\n";
    struct Bad {
        std::string text, expected;
    };
    const std::vector<Bad> logs{
        {"", "bad.log: holds no patch"},
        {head, "bad.log: holds no patch"},
        {"{\"gainstage_log\":7}\n", "bad.log:1: not a log"},
        {"[1]\n", "bad.log:1: not a line"},
        {"\x7f\x45\x4c\x46\x01\n", "bad.log:1: "},
        {std::string(100'000, '['), "bad.log:1: "},
        {"{\"gainstage_log\":1,\"sample_rate_hz\":-48000}\n", "bad.log:1: sample_rate_hz: expected"},
        {head + "{\"at\":0,\"play\":{\"file\":\"p\",\"te", "bad.log:2: is cut off; take this line away"},
        {head + play + "{\"at\":7,\"midi\":[176,2\n" + play, "bad.log:3: not a line"},
        {head + play + "{\"at\":-4,\"panic\":true}\n", "bad.log:3: at: expected a sample"},
        {head + play + "{\"at\":4.5,\"panic\":true}\n", "bad.log:3: at: expected a sample"},
        {head + play + "{\"at\":1e300,\"panic\":true}\n", "bad.log:3: at: expected a sample"},
        {head + play + "{\"at\":\"4\",\"panic\":true}\n", "bad.log:3: at: expected a sample"},
        {head + play + "{\"panic\":true}\n", "bad.log:3: "},
        {head + play + "{\"at\":9,\"panic\":true}\n{\"at\":8,\"panic\":true}\n", "bad.log:4: at: expected"},
        {head + play + "{\"at\":9,\"fade_out_ms\":-5}\n", "bad.log:3: fade_out_ms: expected"},
        {head + play + "{\"at\":9,\"fade_out_ms\":1e40}\n", "bad.log:3: fade_out_ms: expected"},
        {head + play + "{\"at\":9,\"midi\":[176,21]}\n", "bad.log:3: midi: expected"},
        {head + play + "{\"lost\":7}\n", "bad.log:3: lost: expected"},
        {head + play + "{\"lost\":{\"from\":9,\"to\":8,\"midi\":1}}\n", "bad.log:3: to: expected a sample"},
        {head + play + "{\"lost\":{\"from\":8,\"to\":9}}\n", "bad.log:3: lost: expected lines"},
        {head + play + "{\"lost\":{\"from\":8,\"to\":9,\"midi\":0}}\n", "bad.log:3: lost: midi: expected"},
        {head + play + "{\"lost\":{\"from\":8,\"to\":9,\"midi\":-1}}\n", "bad.log:3: lost: midi: expected"},
        {"{\"gainstage_log\":1,\"sample_rate_hz\":48000,\"lost\":[]}\n", "bad.log:1: lost: expected"},
        {head + play + "{\"at\":9,\"midi\":[176,21,300]}\n", "bad.log:3: midi: expected"},
        {head + play + "{\"at\":9,\"midi\":\"x\"}\n", "bad.log:3: midi: expected"},
        {head + play + "{\"at\":9,\"set\":\"a\",\"value\":1,\"smooth_ms\":1}\n", "bad.log:3: set: expected"},
        {head + play + "{\"at\":9,\"set\":\"a.b\",\"value\":\"x\",\"smooth_ms\":1}\n",
         "bad.log:3: value: expected"},
        {head + play + "{\"at\":9,\"set\":\"a.b\",\"value\":1,\"smooth_ms\":-7}\n",
         "bad.log:3: smooth_ms: expected"},
        {head + play + "{\"at\":9,\"dance\":true}\n", "bad.log:3: expected one of"},
        // numbers that a cast would have cut to good ones
        {"{\"gainstage_log\":1.9,\"sample_rate_hz\":48000}\n", "bad.log:1: not a log"},
        {"{\"gainstage_log\":4294967297,\"sample_rate_hz\":48000}\n", "bad.log:1: not a log"},
        {"{\"gainstage_log\":1e308,\"sample_rate_hz\":48000}\n", "bad.log:1: not a log"},
        {"{\"gainstage_log\":true,\"sample_rate_hz\":48000}\n", "bad.log:1: not a log"},
        {head + play + "{\"at\":9,\"midi\":[176,21,64],\"port\":300}\n",
         "bad.log:3: port: expected the number of a MIDI port, from 0 to 255"},
        {head + play + "{\"at\":9,\"midi\":[176,21,64],\"port\":-1}\n", "bad.log:3: port: expected"},
        {head + play + "{\"at\":9,\"midi\":[176,21,64],\"port\":1e308}\n", "bad.log:3: port: expected"},
        {head + play + "{\"at\":9,\"midi\":[176,21,64],\"port\":\"0\"}\n", "bad.log:3: port: expected"},
        {head + play + "{\"at\":9,\"midi\":[176,21,64.5]}\n", "bad.log:3: midi: expected"},
        {head + play + "{\"at\":9,\"midi\":[4294967472,21,64]}\n", "bad.log:3: midi: expected"},
        {head + play + "{\"at\":9,\"set\":7,\"value\":1,\"smooth_ms\":1}\n", "bad.log:3: set: expected"},
        {head + play + "{\"at\":9,\"at\":9,\"panic\":true}\n",
         "bad.log:3: not a line of a take's log: \"at\""},
        {head + "{\"at\":0,\"play\":7}\n", "bad.log:2: file: missing"},
        {head + "{\"at\":0,\"play\":{\"file\":\"p\",\"text\":\"\",\"models\":[]}}\n",
         "bad.log:2: models: expected"},
        {head + "{\"at\":5,\"play\":{\"file\":\"p\",\"text\":\"\",\"models\":{}}}\n",
         "bad.log:2: a take begins"},
        {head + "{\"at\":0,\"returned\":[\"a\"]}\n", "bad.log:2: a take begins"},
        {head + play + play, "bad.log:3: at: sample 0 has a change already"},
        {head + play + "{\"at\":9,\"returned\":[\"a\"],\"warm_from\":10}\n",
         "bad.log:3: warm_from: expected"},
        {head + play + "{\"at\":9,\"returned\":\"a\"}\n", "bad.log:3: "},
        {head +
             "{\"at\":0,\"play\":{\"file\":\"p\",\"text\":\"\",\"models\":{\"m\":\"../../../secret0\"}}}\n",
         "bad.log:2: models: "},
        {head +
             "{\"at\":0,\"play\":{\"file\":\"p\",\"text\":\"\",\"models\":{\"m\":\"0123456789abcdef\"}}}\n",
         "keep the folder"},
    };
    for (const Bad& bad : logs) {
        const std::string said = refusal(bad.text);
        INFO(bad.text.substr(0, 200) << " -> " << said);
        CHECK(said.find(bad.expected) != std::string::npos);
    }
    CHECK(refusal(head + play) == "read");
    CHECK_THROWS_AS(read_take(folder.file("not-there.log")), std::runtime_error);
}

TEST_CASE("a log's blank lines, line ends and byte-order mark are nobody's fault") {
    const TemporaryFolder folder;
    const std::string log = folder.file("take.log");
    const std::string head = "{\"gainstage_log\":1,\"sample_rate_hz\":48000}",
                      play = "{\"at\":0,\"play\":{\"file\":\"p\",\"text\":\"\",\"models\":{}}}",
                      panic = "{\"at\":9,\"panic\":true}";
    for (const std::string end : {"\n", "\r\n", "\r", "\n\n", "\n  \n"}) {
        write_text(log, "\xEF\xBB\xBF" + end + head + end + play + end + panic + end + end);
        const Take take = read_take(log);
        CHECK(take.changes.size() == 1);
        CHECK(take.events.size() == 1);
    }
}

TEST_CASE("a log that is not there, or can't be read, exits with 66; what is no log with 65") {
    const TemporaryFolder folder;
    const auto refusal = [](const std::string& file) -> std::pair<int, std::string> {
        try {
            read_take(file);
        } catch (const TakeError& error) {
            return {error.exit_code, error.what()};
        }
        return {};
    };
    CHECK(refusal(folder.file("none.log")) == std::pair(66, folder.file("none.log") + ": no such file"));
    CHECK(refusal("/proc/self/mem").first == 66);  // an error, not the end
    CHECK(refusal("/dev/zero").first == 66);
    write_text(folder.file("page.log"), "<html></html>");
    CHECK(refusal(folder.file("page.log")).first == 65);
    CHECK(refusal(folder.file("page.log")).second.find("a web page") != std::string::npos);
}

TEST_CASE("a log whose weight files were replaced is refused") {
    const TemporaryFolder folder;
    const std::string log = folder.file("take.log"), text = folder.file("p.toml");
    const ModelFile opto = model_parts(source + "/models/opto-textbook.safetensors");
    write_text(text, knob_patch(save(folder, "box.safetensors", opto)));
    PatchLoader loader(nodes_for_tests(), 48'000.);
    LiveTake take(loader, log);
    take.play(programme(4'800), text, [](int, LiveTake&) {});
    CHECK_NOTHROW(read_take(log));
    for (const auto& kept : std::filesystem::directory_iterator(kept_models_folder(log))) {
        const Bytes other = louder(opto, 1.).bytes();
        write_text(kept.path().string(), {reinterpret_cast<const char*>(other.data()), other.size()});
    }
    CHECK_THROWS_AS(read_take(log), std::runtime_error);
}

TEST_CASE("a replay whose changes come too soon, or whose patch is bad, reports it and plays on") {
    const TemporaryFolder folder;
    const std::string log = folder.file("bad.log");
    const auto line = [](int at, const std::string& text) {
        return fmt::format("{{\"at\":{},\"play\":{{\"file\":\"p.toml\",\"text\":{},\"models\":{{}}}}}}\n", at,
                           json_text(text));
    };
    const std::string one = patch("\"in -> a -> out\"", gain("a", -3.)),
                      two = patch("\"in -> b -> out\"", gain("b", -3.));
    write_text(log, "{\"gainstage_log\":1,\"sample_rate_hz\":48000}\n" + line(0, one) + line(10'000, two) +
                        "{\"at\":10050,\"set\":\"a.gain_db\",\"value\":-9,\"smooth_ms\":-1}\n" +
                        line(10'100, one) + line(20'000, "format = 1\nlinks = [") + line(30'000, one));
    PatchLoader loader(nodes_for_tests(), 48'000.);
    OfflineStream stream({.sample_rate_hz = 48'000., .max_frames = 512}, loader);
    REQUIRE(!has_errors(stream.start(read_take(log))));
    const Channel out = through(stream, programme(40'000), {512});
    CHECK(stream.engine().counts().edits == 2);  // those at 10,000 and 30,000
    std::string all;
    for (const Problem& problem : stream.problems()) all += problem.text() + "\n";
    INFO(all);
    CHECK(all.find("ordered for sample 10100") != std::string::npos);
    CHECK(all.find("p.toml:2") != std::string::npos);
    CHECK(all.find("a knob that the patch does not have") != std::string::npos);
    CHECK(rms(part(out, 35'000)) > 0.01);
}

}  // namespace gainstage::test::replay_test
