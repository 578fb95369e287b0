#pragma once
/// A session on a thread of its own, on a device that takes its time.

#include "runtime/control/live_session.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "nodes/all_nodes.hpp"
#include "runtime/io/null_device.hpp"
#include "runtime/io/sound_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/in_child.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/temporary_folder.hpp"

namespace gainstage::test::live_stage {

using namespace std::chrono_literals;

using Clock = std::chrono::steady_clock;
using Kind = SessionReport::Kind;
using Milliseconds = std::chrono::duration<double, std::milli>;

/// Keeps all reports; any thread may wait for one.
class Listener final : public Sink {
public:
    void take(const SessionReport& report) override {
        const std::lock_guard lock(mutex_);
        reports_.push_back(report);
        changed_.notify_all();
    }
    /// The first that is so, from the `from`-th on; waits for it.
    template <class IsSo>
    SessionReport wait_for(IsSo is_so, std::size_t from = 0) {
        std::unique_lock lock(mutex_);
        const auto end = Clock::now() + 60s;
        for (std::size_t k = from;; ++k) {
            while (k >= reports_.size())
                if (changed_.wait_until(lock, end) == std::cv_status::timeout) give_up();
            if (is_so(reports_[k])) return reports_[k];
        }
    }
    SessionReport wait_for(Kind kind) {
        return wait_for([&](const SessionReport& report) { return report.kind == kind; });
    }
    std::size_t count() {
        const std::lock_guard lock(mutex_);
        return reports_.size();
    }
    std::vector<SessionReport> all(Kind kind) {
        const std::lock_guard lock(mutex_);
        std::vector<SessionReport> found;
        for (const SessionReport& report : reports_)
            if (report.kind == kind) found.push_back(report);
        return found;
    }

private:
    /// In a child: ends it, with all that was reported.
    [[noreturn]] void give_up() const {
        for (const SessionReport& report : reports_)
            std::fprintf(stderr, "%s %s\n", word_of(report.kind), report.text.c_str());
        std::fprintf(stderr, "and no report that was waited for\n");
        _exit(2);
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<SessionReport> reports_;
};

/// A device that takes its time, and counts those that are alive: who frees what it plays before it has
/// stopped does not get away with it.
class SlowDevice final : public AudioStream {
public:
    /// How long it takes to open, to start while it already calls, and to stop.
    struct Pauses {
        Clock::duration opening = 0s, starting = 0s, stopping = 50ms;
    };
    /// `on_start` is called when it plays.
    SlowDevice(const AudioRequest& request, Pauses pauses, std::function<void()> on_start = {})
        : pauses_(pauses), on_start_(std::move(on_start)), device_(request) {
        std::this_thread::sleep_for(pauses.opening);
        format_ = device_.format();
        ++alive;
    }
    ~SlowDevice() override {
        stop();
        --alive;
    }
    void start(AudioCallback callback, void* context) override {
        callback_ = callback;
        context_ = context;
        device_.start(&SlowDevice::pass, this);
        while (callbacks() < 3) std::this_thread::sleep_for(1ms);
        std::this_thread::sleep_for(pauses_.starting);
        if (on_start_) on_start_();
    }
    void stop() noexcept override {
        std::this_thread::sleep_for(pauses_.stopping);
        device_.stop();
    }
    bool is_running() const noexcept override { return device_.is_running(); }

    static inline std::atomic<int> alive{0};

private:
    static void pass(void* self, const AudioBlock& block) {
        auto& slow = *static_cast<SlowDevice*>(self);
        slow.callback_(slow.context_, block);
        slow.count_callback();
    }

    const Pauses pauses_;
    const std::function<void()> on_start_;
    NullDevice device_;
    AudioCallback callback_ = nullptr;
    void* context_ = nullptr;
};

/// A session on a thread of its own.
class Stage {
public:
    explicit Stage(const LiveConfig& config, const SessionMeans& means = {}) {
        thread_ = std::thread([this, config, means] {
            LiveSession session(config, all_nodes(), means);
            session.add(listener_);
            session_ = &session;
            made_.set_value();
            end_ = session.run();
            ended_.set_value();
        });
        made_.get_future().wait();
    }
    ~Stage() {
        if (!thread_.joinable()) return;
        inbox().post({.kind = Command::Kind::quit});
        thread_.join();
    }
    Inbox& inbox() { return session_->inbox(); }
    Listener& listener() { return *listener_; }
    /// REQUIRES: started, with a log or a recording.
    Worker& writer() { return *session_->writer(); }
    SessionEnd wait() {
        thread_.join();
        return end_;
    }
    /// The same, without waiting for the threads of the session.
    SessionEnd wait_for_end() {
        ended_.get_future().wait();
        return end_;
    }
    SessionEnd quit() {
        inbox().post({.kind = Command::Kind::quit});
        return wait();
    }
    /// Posts a command, and waits for its answer.
    Answer ask(Command command) {
        const auto answer = std::make_shared<std::promise<Answer>>();
        command.reply = [answer](const Answer& given) { answer->set_value(given); };
        inbox().post(std::move(command));
        return answer->get_future().get();
    }

private:
    const std::shared_ptr<Listener> listener_ = std::make_shared<Listener>();
    std::promise<void> made_, ended_;
    LiveSession* session_ = nullptr;
    SessionEnd end_;
    std::thread thread_;
};

inline std::string song() {
    return patch(R"("in -> trim -> level -> out")", gain("trim", 0.) + node("level", "meter"));
}

inline LiveConfig config_in(const TemporaryFolder& folder) {
    LiveConfig config;
    config.patch = folder.write("song.toml", song());
    config.null_device = true;
    return config;
}

/// Records into take.wav of the folder.
inline LiveConfig recording_in(const TemporaryFolder& folder) {
    LiveConfig config = config_in(folder);
    config.record = folder.file("take.wav");
    return config;
}

inline SessionMeans watched() {
    return {.open_device = [](const AudioRequest& request) {
        return std::make_unique<SlowDevice>(request, SlowDevice::Pauses{});
    }};
}

}  // namespace gainstage::test::live_stage
