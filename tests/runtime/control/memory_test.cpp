/// What a session keeps: nothing that neither plays, nor waits, nor is owed to a log.

#include <fmt/format.h>
#include <algorithm>

#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <thread>

#include "nodes/all_nodes.hpp"
#include "runtime/control/live_session.hpp"
#include "runtime/large_blocks.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/heap.hpp"
#include "tests/support/in_child.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::memory_test {

namespace {

using Kind = SessionReport::Kind;

/// Counts what began to play, and keeps no report: a report of a fade holds its models.
class Counter final : public Sink {
public:
    void take(const SessionReport& report) override {
        const std::lock_guard lock(mutex_);
        if (report.kind == Kind::playing) ++playing_;
        if (report.kind == Kind::failed || report.kind == Kind::problem)
            std::fprintf(stderr, "%s\n", report.text.c_str());
        changed_.notify_all();
    }
    bool wait_for(int playing) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return playing_ >= playing; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int playing_ = 0;
};

void wait_for_a_turn(LiveSession& session) {
    std::promise<void> turned;
    session.inbox().post({.kind = Command::Kind::sync, .reply = [&](const Answer&) { turned.set_value(); }});
    turned.get_future().wait();
}

double resident_mb() {
    long pages = 0;
    std::ifstream("/proc/self/statm").ignore(64, ' ') >> pages;
    return static_cast<double>(pages) * 4096. / 1e6;
}

/// A model file of about `megabytes`, another for each `number`.
ModelFile model(int megabytes, int number) {
    ModelFile parts = louder(
        model_parts((std::filesystem::path(source_dir()) / "models/opto-textbook.safetensors").string()),
        0.01 * number);
    const std::int64_t floats = std::int64_t{megabytes} << 18;
    parts.tensors.push_back({"ballast", {floats}, std::vector<float>(static_cast<std::size_t>(floats), 1.f)});
    return parts;
}

/// A file appears as a whole.
void replace(const TemporaryFolder& folder, const std::string& name, const ModelFile& parts) {
    std::filesystem::rename(save(folder, "new", parts), folder.file(name));
}

struct Memory {
    double in_use_mb = 0., resident_mb = 0.;
};

/// A session in which one model after the other takes its place; what the process has after each.
std::vector<Memory> replace_models(int times, int megabytes, bool with_log, bool with_names) {
    const TemporaryFolder folder;
    const auto text = [&](int number) {
        const std::string id = with_names ? fmt::format("box{}", number) : "box";
        return patch(fmt::format("\"in -> {} -> out\"", id), grey_box(id, folder.file("m.safetensors")),
                     "fade_ms = 5\n");
    };
    replace(folder, "m.safetensors", model(megabytes, 0));
    LiveConfig config;
    config.patch = folder.write("song.toml", text(0));
    config.null_device = true;
    if (with_log) config.log = folder.file("take.log");
    LiveSession session(config, all_nodes());
    const auto counter = std::make_shared<Counter>();
    session.add(counter);
    std::thread loop([&] { session.run(); });
    std::vector<Memory> found;
    bool good = counter->wait_for(1);
    for (int number = 1; good && number <= times; ++number) {
        replace(folder, "m.safetensors", model(megabytes, number));
        folder.write("song.toml", text(number));
        session.inbox().post({.kind = Command::Kind::reload});
        good = counter->wait_for(1 + number);
        for (int turn = 0; turn < 3; ++turn) wait_for_a_turn(session);
        if (with_log) std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the disk has it
        // A late turn may not have freed the last one yet: the least of some looks.
        Memory least{static_cast<double>(heap_in_use()) / 1e6, resident_mb()};
        for (int look = 0; look < 10; ++look) {
            wait_for_a_turn(session);
            least.in_use_mb = std::min(least.in_use_mb, static_cast<double>(heap_in_use()) / 1e6);
            least.resident_mb = std::min(least.resident_mb, resident_mb());
        }
        found.push_back(least);
        std::fprintf(stderr, "%2d: %.2f MB in use, %.1f resident\n", number, found.back().in_use_mb,
                     found.back().resident_mb);
    }
    session.inbox().post({.kind = Command::Kind::quit});
    loop.join();
    return found;
}

/// From the fifth on nothing grows.
bool stays(const std::vector<Memory>& memory, int times) {
    if (static_cast<int>(memory.size()) != times) return false;
    bool good = true;
    for (std::size_t n = 4; n < memory.size(); ++n)
        good = good && memory[n].in_use_mb - memory[4].in_use_mb <= 1. &&
               memory[n].resident_mb - memory[4].resident_mb <= 16.;
    return good;
}

End replacing(int times, int megabytes, bool with_log, bool with_names = false) {
    return in_child([&] {
        return_large_blocks();
        _exit(stays(replace_models(times, megabytes, with_log, with_names), times) ? 0 : 1);
    });
}

}  // namespace

TEST_CASE("memory: 30 models of 8 MB that replace each other leave no more behind than 5 do") {
    const End end = replacing(30, 8, false);
    INFO(end.said);
    CHECK(end.peaceful());
}

TEST_CASE("memory: the same with a log, which keeps them on the disk, and under another name each time") {
    const End end = replacing(30, 1, true, true);
    INFO(end.said);
    CHECK(end.peaceful());
}

}  // namespace gainstage::test::memory_test
