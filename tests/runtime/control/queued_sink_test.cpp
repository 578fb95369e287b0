#include "runtime/control/queued_sink.hpp"

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace gainstage::test::queued_sink_test {

using namespace std::chrono_literals;

namespace {

using Kind = SessionReport::Kind;

/// Shows reports, unless it is held: like a terminal after Ctrl-S.
class Paper final : public Sink {
public:
    void take(const SessionReport& report) override {
        std::unique_lock lock(mutex_);
        ++began_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return !held_; });
        if (report.text == "tear") throw std::runtime_error("torn");
        lines_.push_back(std::string(word_of(report.kind)) + " " + report.text);
    }
    void hold(bool held) {
        const std::lock_guard lock(mutex_);
        held_ = held;
        changed_.notify_all();
    }
    /// Waits until so many reports have reached it.
    void wait_for(int began) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, 20s, [&] { return began_ >= began; });
    }
    std::vector<std::string> lines() {
        const std::lock_guard lock(mutex_);
        return lines_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool held_ = false;
    int began_ = 0;
    std::vector<std::string> lines_;
};

SessionReport report(Kind kind, std::string text) {
    SessionReport report{.kind = kind};
    report.text = std::move(text);
    return report;
}

}  // namespace

TEST_CASE("a sink that is held holds up nobody: old status goes, news stay to a bound, the rest is counted") {
    const auto paper = std::make_shared<Paper>();
    QueuedSink queue(paper, 2);
    paper->hold(true);
    queue.take(report(Kind::note, "first"));
    paper->wait_for(1);
    for (int k = 0; k < 1'000; ++k) queue.take(report(Kind::status, std::to_string(k)));
    for (const char* text : {"a", "b", "c", "d", "e"}) queue.take(report(Kind::problem, text));
    CHECK_FALSE(queue.finish(20ms));
    CHECK(queue.lost() == 2);
    paper->hold(false);
    REQUIRE(queue.finish(20s));
    queue.take(report(Kind::note, "last"));
    REQUIRE(queue.finish(20s));
    CHECK(paper->lines() ==
          std::vector<std::string>{
              "note first", "status 999", "problem a", "problem b", "problem c",
              "note 2 report(s) are missing here: they came faster than they could be shown", "note last"});
}

TEST_CASE("a flood of events leaves room for the news that something is lost") {
    const auto paper = std::make_shared<Paper>();
    QueuedSink queue(paper, 2);
    paper->hold(true);
    queue.take(report(Kind::event, "first"));
    paper->wait_for(1);
    for (int k = 0; k < 1'000; ++k) queue.take(report(Kind::event, std::to_string(k)));
    queue.take(report(Kind::lost, "messages"));
    paper->hold(false);
    REQUIRE(queue.finish(20s));
    CHECK(queue.lost() == 998);
    CHECK(paper->lines() ==
          std::vector<std::string>{
              "event first", "event 0", "event 1",
              "note 998 report(s) are missing here: they came faster than they could be shown",
              "lost messages"});
}

TEST_CASE("the summary finds room whatever waits") {
    const auto paper = std::make_shared<Paper>();
    QueuedSink queue(paper, 1);
    paper->hold(true);
    queue.take(report(Kind::note, "first"));
    paper->wait_for(1);
    for (const char* text : {"a", "b"}) queue.take(report(Kind::note, text));
    queue.take(report(Kind::summary, ""));
    paper->hold(false);
    REQUIRE(queue.finish(20s));
    CHECK(paper->lines().back() == "summary ");
}

TEST_CASE("a sink that throws is not called again, and all else goes on") {
    const auto paper = std::make_shared<Paper>();
    QueuedSink queue(paper);
    for (const char* text : {"a", "tear", "b"}) queue.take(report(Kind::note, text));
    REQUIRE(queue.finish(20s));
    CHECK(queue.has_failed());
    queue.take(report(Kind::note, "c"));
    REQUIRE(queue.finish(20s));
    CHECK(paper->lines() == std::vector<std::string>{"note a"});
}

}  // namespace gainstage::test::queued_sink_test
