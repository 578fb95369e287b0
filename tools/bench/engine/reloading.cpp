#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "nodes/all_nodes.hpp"
#include "runtime/control/live_session.hpp"
#include "tools/bench/engine/patches.hpp"
#include "tools/bench/engine/sections.hpp"
#include "tools/bench/zoo.hpp"

namespace gainstage {

namespace {

namespace fs = std::filesystem;

/// A model file to reload, with two contents that take turns.
struct Reload {
    std::string architecture, name;
    std::vector<std::byte> contents[2];
};

void write_file(const fs::path& file, const std::vector<std::byte>& bytes) {
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// Milliseconds from each renaming to the first faded sample, with the whole of the longest memory to warm
/// on.
std::vector<double> reload_ms(const Reload& reload, int times, double settle_s) {
    const fs::path folder = fs::temp_directory_path() /
                            fmt::format("gainstage-bench-{}", Clock::now().time_since_epoch().count());
    fs::create_directories(folder);
    const std::string played = (folder / "model.safetensors").string(), patch = (folder / "p.toml").string();
    write_file(played, reload.contents[0]);
    std::ofstream(patch) << model_patch(played, reload.architecture);
    LiveConfig config;
    config.patch = patch;
    config.null_device = true;
    config.rehearse = true;
    config.audio.block_frames = 64;
    std::vector<double> ms;
    Clock::time_point renamed{};
    bool waiting = false;
    LiveSession session(config, all_nodes(), [&](const LiveNews& news) {
        if (!news.engine || news.engine->kind != EngineNews::Kind::started || !waiting) return;
        ms.push_back(seconds_since(renamed) * 1e3);
        waiting = false;
    });
    const auto turn_for = [&](double seconds) {
        for (const auto begin = Clock::now(); seconds_since(begin) < seconds;) session.turn();
    };
    turn_for(settle_s);  // so that the full memory is recorded
    for (int k = 1; k <= times; ++k) {
        write_file(folder / "new", reload.contents[k % 2]);
        renamed = Clock::now();
        waiting = true;
        fs::rename(folder / "new", played);
        for (int turns = 0; waiting && turns < 1'000; ++turns) session.turn();
        turn_for(0.1);
    }
    session.finish();
    fs::remove_all(folder);
    if (static_cast<int>(ms.size()) < times) ms.push_back(1e9);
    return ms;
}

double settle_s(const BenchReport& report) {
    return report.quick ? 2. : 12.;
}

}  // namespace

void reloading(BenchReport& report, const std::string& source) {
    const std::vector<double> ms = reload_ms(
        {.architecture = "grey_box",
         .name = "a grey box",
         .contents = {model_file_bytes(source + "/models/opto-textbook.safetensors"),
                      model_file_bytes(source + "/tests/data/grey_box-switching-soft.safetensors")}},
        report.quick ? 10 : 100, settle_s(report));
    report.row(fmt::format("reload: file renamed to first faded sample, {} times, median", ms.size()),
               "< 250 ms", median(ms), 250., "ms");
    report.row("reload: worst", "< 500 ms", quantile(ms, 1.), 500., "ms");
}

/// The most expensive model of each family, with a memory of ten seconds, the longest allowed.
void reloading_every_family(BenchReport& report) {
    for (const char* name :
         {"S4D 32 channels, 8 modes, 4 blocks", "S6 as published", "ED-LSTM window 16, 64 units",
          "TCN 300 ms", "LSTM 32", "GRU 32", "grey box, RNN(4) and GRU(4)"}) {
        const auto& all = zoo();
        const auto found = std::find_if(all.begin(), all.end(),
                                        [&](const Exhibit& each) { return each.name.starts_with(name); });
        if (found == all.end()) throw std::logic_error(fmt::format("no {} among the models", name));
        Reload reload{.architecture = found->architecture, .name = found->name, .contents = {}};
        for (int k = 0; k < 2; ++k) {
            RandomModel model = found->make();
            model.say("memory_samples", std::to_string(480'000 - k));
            reload.contents[k] = model.bytes();
        }
        const std::vector<double> ms = reload_ms(reload, report.quick ? 3 : 20, settle_s(report));
        report.row(fmt::format("reload: {}, 10 s of memory, median", found->name), "< 250 ms", median(ms),
                   250., "ms", fmt::format("worst of {} {:.0f} ms", ms.size(), quantile(ms, 1.)));
    }
}

}  // namespace gainstage
