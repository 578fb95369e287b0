#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <vector>

#include "nodes/all_nodes.hpp"
#include "runtime/control/live_session.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/engine/patch_loader.hpp"
#include "tools/bench/engine/patches.hpp"
#include "tools/bench/engine/sections.hpp"
#include "tools/bench/node_bench.hpp"
#include "tools/bench/zoo.hpp"

namespace gainstage {

namespace {

namespace fs = std::filesystem;

constexpr double rate_hz = 48'000.;
constexpr int block_frames = 64;

/// A model file to reload, and its k-th content.
struct Reload {
    std::string architecture;
    std::function<std::vector<std::byte>(int)> content;
};

void write_file(const fs::path& file, const std::vector<std::byte>& bytes) {
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// Takes the time of the fades that are waited for.
class FadeWatch final : public Sink {
public:
    void start() { renamed_ = Clock::now(), waiting_ = true; }
    bool is_waiting() const { return waiting_; }
    void take(const SessionReport& report) override {
        if (report.kind != SessionReport::Kind::fade || !waiting_) return;
        ms.push_back(seconds_since(renamed_) * 1e3);
        waiting_ = false;
    }
    std::vector<double> ms;

private:
    Clock::time_point renamed_{};
    bool waiting_ = false;
};

/// Of a name that nobody can foresee.
fs::path temporary_folder() {
    std::string name = (fs::temp_directory_path() / "gainstage-bench-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error(name + ": no folder can be made");
    return name;
}

/// A patch that plays the model, and the model, in a folder that is removed again.
struct TemporaryReload {
    explicit TemporaryReload(const Reload& reload) {
        write_file(model, reload.content(0));
        std::ofstream(patch) << model_patch(model, reload.architecture);
    }
    ~TemporaryReload() { fs::remove_all(folder); }
    TemporaryReload(const TemporaryReload&) = delete;
    TemporaryReload& operator=(const TemporaryReload&) = delete;

    /// As `mv` does it: nobody sees half a file.
    void replace(const std::vector<std::byte>& bytes) const {
        write_file(folder / "new", bytes);
        fs::rename(folder / "new", model);
    }

    const fs::path folder = temporary_folder();
    const std::string model = folder / "model.safetensors", patch = folder / "p.toml";
};

/// Milliseconds from each new file to the first faded sample, with the whole of the longest memory to warm
/// on.
std::vector<double> reload_ms(const Reload& reload, int times, double settle_s) {
    const TemporaryReload files(reload);
    LiveConfig config;
    config.patch = files.patch;
    config.null_device = true;
    config.rehearse = true;
    config.audio.block_frames = block_frames;
    const auto watch = std::make_shared<FadeWatch>();
    LiveSession session(config, all_nodes());
    session.add(watch);
    const auto turn_for = [&](double seconds) {
        for (const auto begin = Clock::now(); seconds_since(begin) < seconds;) session.turn();
    };
    turn_for(settle_s);  // so that the full memory is recorded
    for (int k = 1; k <= times; ++k) {
        const std::vector<std::byte> content = reload.content(k);
        watch->start();
        files.replace(content);
        for (const auto begin = Clock::now(); watch->is_waiting() && seconds_since(begin) < 20.;)
            session.turn();
        turn_for(0.1);
    }
    session.inbox().post({.kind = Command::Kind::quit});
    session.run();
    if (static_cast<int>(watch->ms.size()) < times) watch->ms.push_back(1e9);
    return watch->ms;
}

double settle_s(const BenchReport& report) {
    return report.quick ? 2. : 12.;
}

/// The same offline, in seconds of this thread's own time, so that a busy machine changes little: from the
/// new file to a newcomer that has heard ten seconds. Reading, preparing, building and warming.
std::vector<double> reload_work_s(const Reload& reload, int times) {
    const TemporaryReload files(reload);
    PatchLoader loader(all_nodes(), rate_hz);
    Engine engine({.room = {.sample_rate_hz = rate_hz, .max_frames = block_frames, .midi_ports = 0}});
    std::vector<float> in(block_frames), out(block_frames);
    const float* const from = in.data();
    float* const to = out.data();
    const auto play_for = [&](double seconds) {
        for (int k = 0; k < seconds * rate_hz || engine.changing(); k += block_frames) {
            for (int i = 0; i < block_frames; ++i)
                in[i] = 0.3f * static_cast<float>((k + i) % 109 - 54) / 54.f;
            engine.room().process(&from, 1, &to, 1, block_frames);
            engine.tick();
        }
    };
    engine.play(std::move(*loader.load(files.patch).graph));
    play_for(1.2 * longest_memory_s);
    std::vector<double> seconds;
    for (int k = 1; k <= times; ++k) {
        files.replace(reload.content(k));
        const double begin = thread_seconds();
        loader.forget(files.model);
        engine.play(std::move(*loader.load(files.patch).graph));
        engine.tick();
        seconds.push_back(thread_seconds() - begin);
        play_for(0.2);
    }
    return seconds;
}

/// ns a sample of the node alone, in blocks of 512.
double kernel_ns(const NodeType& type, const std::shared_ptr<const Model>& model, double seconds) {
    LoneNode node(type, model);
    const Player player = [&](const float* in, float* out, int frames) { node.play(in, out, frames); };
    return measure_players({player}, 512, seconds).front().median_ns;
}

double preparation_ms(const NodeType& type, const Model& model) {
    std::vector<double> ms;
    for (int k = 0; k < 5; ++k) {
        const double begin = thread_seconds();
        type.prepare(model, model.sample_rate_hz);
        ms.push_back((thread_seconds() - begin) * 1e3);
    }
    return median(ms);
}

const Exhibit& exhibit_named(const std::string& name) {
    for (const Exhibit& each : zoo())
        if (each.name.starts_with(name)) return each;
    throw std::logic_error(fmt::format("no {} among the models", name));
}

/// A newcomer that remembers ten seconds is run over them before it is heard: no reload can be faster than
/// its kernel.
void reload_family(BenchReport& report, const Exhibit& exhibit) {
    const auto content = [&](int k) {  // a new file each time
        RandomModel model = exhibit.make();
        model.say("memory_samples", std::to_string(480'000 - k));
        return model.bytes();
    };
    const Reload reload{exhibit.architecture, content};
    const auto model = read_model_bytes(content(0), exhibit.name);
    const NodeType& type = *type_that_plays(all_nodes(), exhibit.architecture);
    const std::vector<double> ms = reload_ms(reload, report.quick ? 3 : 20, settle_s(report));
    report.row(fmt::format("reload: {}, median", exhibit.name), "< 250 ms", median(ms), 250., "ms",
               fmt::format("worst of {} {:.0f} ms", ms.size(), quantile(ms, 1.)));
    const auto memory =
        static_cast<double>(type.prepare(*model, model->sample_rate_hz)->facts().memory_samples);
    if (memory < 0.99 * longest_memory_s * rate_hz) return;
    const double seconds = report.quick ? 0.1 : 0.5, before_ns = kernel_ns(type, model, seconds),
                 work_ms = median(reload_work_s(reload, report.quick ? 3 : 10)) * 1e3,
                 ns = (before_ns + kernel_ns(type, model, seconds)) / 2.;
    report.row("  its work over 10 s of its kernel in blocks of 512", "<= 1.30",
               work_ms / (ns * 1e-6 * memory), 1.3, "x",
               fmt::format("{:.1f} of {:.1f} ns a sample, {:.1f} ms to prepare the file",
                           work_ms * 1e6 / memory, ns, preparation_ms(type, *model)));
}

}  // namespace

void reloading(BenchReport& report, const std::string& source) {
    const std::vector<std::byte> contents[] = {
        model_file_bytes(source + "/models/opto-textbook.safetensors"),
        model_file_bytes(source + "/tests/data/grey_box-switching-soft.safetensors")};
    const std::vector<double> ms = reload_ms({"grey_box", [&](int k) { return contents[k % 2]; }},
                                             report.quick ? 10 : 100, settle_s(report));
    report.row(fmt::format("reload: file renamed to first faded sample, {} times, median", ms.size()),
               "< 250 ms", median(ms), 250., "ms");
    report.row("reload: worst", "< 500 ms", quantile(ms, 1.), 500., "ms");
}

/// The most expensive model of each family; those that may have a memory of ten seconds, the longest allowed.
void reloading_every_family(BenchReport& report) {
    for (const char* name :
         {"S4D 32 channels, 8 modes, 4 blocks", "S6 as published", "ED-LSTM window 16, 64 units",
          "TCN 300 ms", "LSTM 32", "GRU 32", "grey box, RNN(4) and GRU(4)"})
        reload_family(report, exhibit_named(name));
}

}  // namespace gainstage
