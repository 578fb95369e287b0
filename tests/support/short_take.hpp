#pragma once
/// A short take with its log, block by block, and its replay.

#include <algorithm>
#include <fstream>
#include <optional>

#include "runtime/control/take_log.hpp"
#include "runtime/engine/take.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test {

/// Blocks of 64 frames of a programme; the control thread turns when the test says so.
class ShortTake {
public:
    static constexpr int frames = 64, filling = 8'192;

    /// `queues`: by default fill_reports() can fill what the log is told by.
    explicit ShortTake(const std::string& patch_text, Builder* builder = nullptr,
                       QueueSizes queues = {.log = filling})
        : loader_(nodes_for_tests(), scene_rate_hz),
          engine_(EngineConfig{.room = {.sample_rate_hz = scene_rate_hz,
                                        .max_frames = frames,
                                        .midi_ports = 2,
                                        .queues = queues},
                               .builder = builder}) {
        log_.emplace(folder_.file("take.log"), scene_rate_hz);
        engine_.listen([this](const EngineNews& news) {
            log_->write(report_of(news, scene_rate_hz));
            log_->flush();
            news_.push_back(news);
        });
        order(patch_text);
        settle();
    }

    void order(const std::string& patch_text) {
        std::ofstream(folder_.file("p.toml")) << patch_text;
        engine_.play(std::move(*loader_.load(folder_.file("p.toml")).graph));
        engine_.tick();
    }
    /// Until the room has what was ordered.
    void settle() {
        while (engine_.preparing()) {
            engine_.tick();
            std::this_thread::yield();
        }
    }
    void blocks(int count) {
        for (int k = 0; k < count; ++k) {
            const Channel in = programme_part();
            const std::size_t at = out_.size();
            out_.resize(at + frames);
            const float* from = in.data();
            float* to = out_.data() + at;
            engine_.room().process(&from, 1, &to, 1, frames, clock_ns());
        }
    }
    /// A controller of port 0 moves, so many samples after the next block's begin. It is heard a block and 2
    /// ms later.
    bool cc(int number, int value, int late_samples = 0) {
        return engine_.room().midi_queue(0).push(
            {.arrival_ns = clock_ns() + std::int64_t{late_samples} * 1'000'000'000 / 48'000,
             .message = {
                 .size = 3,
                 .bytes = {0xb0, static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(value)}}});
    }
    void turns(int count) {
        for (int k = 0; k < count; ++k) {
            blocks(1);
            engine_.tick();
        }
    }
    void set(const std::string& target, float value, float smooth_ms = -1.f) {
        REQUIRE(engine_.set(*find_target(engine_.playing()->graph, target).target, value, smooth_ms));
    }
    /// The queue of entries for the log is full, and not one of them is lost.
    void fill_reports(const std::string& target) {
        engine_.tick();
        const std::uint64_t lost = engine_.room().reports_lost();
        for (int quarter = 0; quarter < 4; ++quarter) {
            for (int k = 0; k < filling / 4; ++k) set(target, static_cast<float>(-(k % 7)), 0.f);
            blocks(1);
        }
        REQUIRE(engine_.room().reports_lost() == lost);
    }

    Engine& engine() { return engine_; }
    std::uint64_t now() const { return engine_.room().now(); }
    const Channel& out() const { return out_; }
    const std::vector<EngineNews>& news() const { return news_; }
    int count(EngineNews::Kind kind) const {
        return static_cast<int>(std::count_if(news_.begin(), news_.end(),
                                              [&](const EngineNews& news) { return news.kind == kind; }));
    }
    std::string log() const { return folder_.file("take.unfinished.log"); }
    const EngineNews* last(EngineNews::Kind kind) const {
        const EngineNews* found = nullptr;
        for (const EngineNews& news : news_)
            if (news.kind == kind) found = &news;
        return found;
    }
    /// What the log makes of the same input.
    Channel replayed() {
        PatchLoader loader(nodes_for_tests(), scene_rate_hz);
        OfflineStream stream({.sample_rate_hz = scene_rate_hz, .max_frames = 512, .midi_ports = 0}, loader);
        REQUIRE(!has_errors(stream.start(read_take(log()))));
        const Channel in = heard(0, out_.size());
        Channel again(in.size());
        const float* from = in.data();
        float* to = again.data();
        stream.process(&from, 1, &to, 1, static_cast<int>(in.size()));
        for (const Problem& problem : stream.problems()) FAIL_CHECK(problem.text());
        return again;
    }

private:
    /// The clock of a device that never hesitates.
    std::int64_t clock_ns() const {
        return static_cast<std::int64_t>(1'000'000 + now() * 1'000'000'000 / 48'000);
    }
    Channel programme_part() { return heard(out_.size(), frames); }
    /// The input from a sample on: 20 s that begin again, for a take on a busy machine may be long.
    Channel heard(std::size_t first, std::size_t count) {
        if (programme_.empty()) programme_ = programme(20 * 48'000);
        Channel part(count);
        for (std::size_t k = 0; k < count; ++k) part[k] = programme_[(first + k) % programme_.size()];
        return part;
    }

    const TemporaryFolder folder_;
    PatchLoader loader_;
    Engine engine_;
    std::optional<TakeLog> log_;
    std::vector<EngineNews> news_;
    Channel out_, programme_;
};

}  // namespace gainstage::test
