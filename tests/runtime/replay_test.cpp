/// A take and its log: everything that happened live happens again, bit for bit.

#include <fstream>
#include <random>

#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/scene.hpp"

using namespace gainstage;
using namespace gainstage::test;

namespace {

const std::string source = GAINSTAGE_SOURCE_DIR;
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

/// Plays live-like: blocks of random sizes, a control thread that is only there now and then, MIDI with
/// arrival times.
class LiveTake {
public:
    LiveTake(PatchLoader& loader, const std::string& log)
        : loader_(loader),
          engine_(EngineConfig{.room = {.sample_rate_hz = 48'000., .max_frames = 96, .midi_ports = 1}}),
          log_(log, 48'000.) {
        engine_.listen([this](const EngineNews& news) {
            log_.write(news, news.event.kind == EventKind::knob ? name_of(news.event) : "", loader_);
            finished_ += news.kind == EngineNews::Kind::finished;
            returned_ += news.kind == EngineNews::Kind::returned;
        });
    }

    Channel play(const Channel& in, const std::string& patch_file,
                 const std::function<void(int, LiveTake&)>& at_block) {
        REQUIRE(!has_errors(engine_.play(std::move(*loader_.load(patch_file).graph))));
        Channel out(in.size());
        std::mt19937 random(17);
        std::uniform_int_distribution<int> size(1, 96), pause(1, 9);
        int tick_in = 1;
        for (int done = 0, block = 0; done < static_cast<int>(in.size()); ++block) {
            at_block(block, *this);
            const int count = std::min(size(random), static_cast<int>(in.size()) - done);
            const float* from = in.data() + done;
            float* to = out.data() + done;
            clock_ns_ += count * 20'833;
            engine_.room().process(&from, 1, &to, 1, count, clock_ns_);
            done += count;
            if (--tick_in == 0) {
                engine_.tick();
                tick_in = pause(random);
            }
        }
        engine_.tick();
        return out;
    }

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
    std::string name_of(const Event& event) const {
        for (const auto& slot : engine_.playing()->slots)
            if (slot->key == event.key) return slot->specs[static_cast<std::size_t>(event.param)].name;
        return {};
    }
    PatchLoader& loader_;
    Engine engine_;
    TakeLog log_;
    std::int64_t clock_ns_ = 1'000'000;
    int finished_ = 0, returned_ = 0;
};

void write_text(const std::string& file, const std::string& text) {
    std::ofstream(file) << text;
}

Channel replayed(const std::string& log, const Channel& in, Partition partition) {
    PatchLoader loader(nodes_for_tests(), 48'000.);
    OfflineStream stream({.sample_rate_hz = 48'000., .max_frames = 512, .midi_ports = 0}, loader);
    REQUIRE(!has_errors(stream.start(read_take(log))));
    Channel out(in.size());
    std::mt19937 random(partition.seed);
    std::uniform_int_distribution<int> size(1, partition.size);
    for (int done = 0; done < static_cast<int>(in.size());) {
        const int count =
            std::min(partition.seed ? size(random) : partition.size, static_cast<int>(in.size()) - done);
        const float* from = in.data() + done;
        float* to = out.data() + done;
        stream.process(&from, 1, &to, 1, count);
        done += count;
    }
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

TEST_CASE("a log that was cut short or tampered with is refused with its place") {
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
    const std::string head = "{\"gainstage_log\":1,\"sample_rate_hz\":48000}\n";
    CHECK(refusal("").find("holds no patch") != std::string::npos);
    CHECK(refusal("{\"gainstage_log\":7}\n").find(":1:") != std::string::npos);
    CHECK(refusal(head + "{\"at\":0,\"play\":{\"file\":\"p\",\"te").find(":2:") != std::string::npos);
    CHECK(refusal(head + "{\"at\":-4,\"panic\":true}\n") != "read");
    CHECK(refusal(head + "{\"at\":0,\"play\":{\"file\":\"p\",\"text\":\"\",\"models\":{\"m\":\"0123\"}}}\n")
              .find(".files") != std::string::npos);
    CHECK(refusal(std::string(1'000, '[')).find(":1:") != std::string::npos);
}
