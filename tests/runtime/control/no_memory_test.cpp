/// Allocations of the control side fail while a patch plays and is read again. What plays plays on, bit for
/// bit; the change is made or refused; the next one is made; the log is whole or says that it is not.
///
/// Where libraries end the process for want of memory:
///   nlohmann::json   the destructor of a tree allocates; we only make single values of it (json_value.hpp)
///   libstdc++        std::variant, when its copy throws: it crashes, unless an alternative is NotTrivial;
///                    std::thread, where the C library has no memory for a stack: it throws, we catch it.
///                    directory_iterator, on its way into a folder (runtime/folder_names.hpp).
///                    A std::bad_alloc itself needs no memory: 72 kB are kept for exceptions
///   glibc            the loader, before main(), where a library does not fit into the address space: 127

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "runtime/control/live_session.hpp"
#include "runtime/engine/offline_stream.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/in_child.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/realtime_guard.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::no_memory_test {

namespace {

using Kind = SessionReport::Kind;

constexpr int block = 64;
constexpr long never = std::numeric_limits<long>::max();

/// Which allocations fail: `count` of them, from the `first` since arm() on. Those of this test's own work
/// are not counted.
struct Fault {
    long first = never, count = 1;
};
std::atomic<long> first_failing{never}, end_of_failing{never}, allocations{0};
thread_local bool is_the_tests_own = false;

bool fails() noexcept {
    if (is_the_tests_own) return false;
    const long number = allocations.fetch_add(1, std::memory_order_relaxed) + 1;
    return number >= first_failing.load(std::memory_order_relaxed) &&
           number < end_of_failing.load(std::memory_order_relaxed);
}

void arm(const Fault& fault) {
    first_failing = never;
    allocations = 0;
    end_of_failing = fault.first == never ? never : fault.first + fault.count;
    first_failing = fault.first;
}

/// A device without a clock: the test pulls its blocks.
class PulledDevice final : public AudioStream {
public:
    explicit PulledDevice(const AudioRequest& request) {
        format_.api = "null";
        format_.name = "pulled";
        format_.in_channels = request.in_channels;
        format_.out_channels = request.out_channels;
        format_.block_frames = block;
    }
    void start(AudioCallback callback, void* context) override {
        context_ = context;
        callback_ = callback;
    }
    void stop() noexcept override { callback_ = nullptr; }
    bool is_running() const noexcept override { return true; }

    /// Nothing before start() and after stop().
    bool pull(const float* in, float* left, float* right) {
        const AudioCallback callback = callback_;
        if (!callback) return false;
        float* out[] = {left, right};
        callback(context_, {.in = &in, .out = out, .frames = block});
        count_callback();
        return true;
    }

private:
    std::atomic<AudioCallback> callback_{nullptr};
    void* context_ = nullptr;
};

/// Counts reports, and needs no memory for it.
class Counter final : public Sink {
public:
    void take(const SessionReport& report) override {
        ++counts_[static_cast<int>(report.kind)];
        if (report.kind == Kind::problem || report.kind == Kind::failed)
            std::snprintf(last_, sizeof last_, "%s", report.text.c_str());
    }
    int operator[](Kind kind) const { return counts_[static_cast<int>(kind)]; }
    const char* last() const { return last_; }

private:
    std::array<int, 32> counts_{};
    char last_[200] = "";
};

/// Two ways: `left` never changes, `right` is another one after every edit.
std::string song(int edit, const TemporaryFolder& folder) {
    const bool is_longer = edit % 2 == 1;
    const std::string way = is_longer ? "in -> box -> more -> right" : "in -> box -> right";
    return "format = 1\nlinks = [\"in -> press -> left\", \"" + way + "\"]\n" +
           node("in", "input", "channels = [1]") + node("left", "output", "channels = [1]") +
           node("right", "output", "channels = [2]") + node("press", "compressor") +
           grey_box("box", folder.file(edit % 4 < 2 ? "one.safetensors" : "two.safetensors")) +
           (is_longer ? gain("more", -2.) : "") +
           "[[midi]]\nchannel = 1\ncc = 21\ntarget = \"box.peak_reduction\"\ntakeover = \"jump\"\n";
}

/// What is wrong ends the child.
[[noreturn]] void give_up(const std::string& what) {
    std::fprintf(stderr, "%s\n", what.c_str());
    _exit(1);
}

/// A session that the test turns, and beside it an engine that plays the left way undisturbed.
class Rehearsal {
public:
    Rehearsal(const TemporaryFolder& folder, bool has_builder_thread)
        : folder_(folder), twin_(song(0, folder)) {
        is_the_tests_own = true;
        LiveConfig config;
        config.patch = folder.write("song.toml", song(0, folder));
        config.log = folder.file("take.log");
        config.status_every = std::chrono::milliseconds(20);
        SessionMeans means;
        means.open_device = [this](const AudioRequest& request) {
            auto made = std::make_unique<PulledDevice>(request);
            device_ = made.get();
            return made;
        };
        if (!has_builder_thread)
            means.make_builder = [](const Builder::Task&) { return std::make_unique<AtOnceBuilder>(); };
        for (auto* sound : {&in_, &left_, &right_}) sound->reserve(8'000'000);
        twin_.engine().room().begin_with_ramp();
        session_ = std::make_unique<LiveSession>(config, nodes_for_tests(), means);
        session_->add(counter_);
        turn_until("it never plays", [this] { return (*counter_)[Kind::playing] > 0; });
    }

    /// Another patch while `fault` is armed. Returns how many allocations there were until nothing happened
    /// any more.
    long edit(const Fault& fault) {
        folder_.write("song.toml", song(++edit_, folder_));
        session_->inbox().post({.kind = Command::Kind::reload});
        const int before = answers();
        arm(fault);
        // Where the change is made it is over long before; where it is refused, nothing more comes.
        constexpr int most_turns = 3'000, calm_turns = 150;
        int left = most_turns;
        while (left > 0) {
            turn();
            --left;
            const bool has_failed = allocations >= fault.first + fault.count && fault.first != never;
            if (answers() > before || has_failed) left = std::min(left, calm_turns);
        }
        const long count = allocations;
        arm({});
        return count;
    }

    /// The same with all the memory it wants.
    void edit_and_expect_it() {
        folder_.write("song.toml", song(++edit_, folder_));
        session_->inbox().post({.kind = Command::Kind::reload});
        const int before = (*counter_)[Kind::playing];
        turn_until("the next edit is never made", [&] { return (*counter_)[Kind::playing] > before; });
    }

    int end() {
        session_->inbox().post({.kind = Command::Kind::quit});
        while (turn()) {
        }
        const SessionEnd end = session_->end();
        session_.reset();
        return end.exit_code;
    }

    /// The log, played again, sounds the same.
    void replay() {
        PatchLoader loader(nodes_for_tests(), 48'000.);
        OfflineStream stream({.sample_rate_hz = 48'000., .max_frames = 512}, loader);
        if (has_errors(stream.start(read_take(folder_.file("take.log"))))) give_up("the log's patch is bad");
        std::vector<float> left(left_.size()), right(right_.size());
        const float* from = in_.data();
        float* to[] = {left.data(), right.data()};
        stream.process(&from, 1, to, 2, static_cast<int>(in_.size()));
        if (!stream.problems().empty()) give_up("replay: " + stream.problems().front().text());
        if (std::memcmp(left.data(), left_.data(), 4 * left.size()) != 0 ||
            std::memcmp(right.data(), right_.data(), 4 * right.size()) != 0)
            give_up("the replay differs");
    }
    const Counter& counter() const { return *counter_; }

private:
    int answers() const {
        return (*counter_)[Kind::playing] + (*counter_)[Kind::failed] + (*counter_)[Kind::problem];
    }

    template <class IsSo>
    void turn_until(const char* complaint, IsSo is_so) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!is_so())
            if (std::chrono::steady_clock::now() > end || !turn())
                give_up(fmt::format("{}; the last words: {}", complaint, counter_->last()));
    }

    /// A turn of the session, then a block. False: it is over.
    bool turn() {
        session_->inbox().wake();
        is_the_tests_own = false;
        const bool goes_on = session_->turn();
        is_the_tests_own = true;
        pull();
        return goes_on;
    }

    void pull() {
        const std::size_t at = in_.size();
        if (!device_) return;
        if (at + block > in_.capacity()) give_up("the take is too long");
        for (int k = 0; k < block; ++k) {
            const auto n = static_cast<float>(at + static_cast<std::size_t>(k));
            in_.push_back(0.4f * std::sin(0.031f * n) * (1.f + std::sin(0.0007f * n)));
        }
        left_.resize(at + block);
        right_.resize(at + block);
        if (!device_->pull(&in_[at], &left_[at], &right_[at])) {
            for (auto* sound : {&in_, &left_, &right_}) sound->resize(at);
            return;
        }
        const Sound expected = twin_.run({Channel(in_.begin() + static_cast<std::ptrdiff_t>(at), in_.end())});
        const bool fades_out = (*counter_)[Kind::silent] > 0 || is_ending_;
        if (!fades_out && std::memcmp(expected[0].data(), &left_[at], sizeof(float) * block) != 0)
            give_up(fmt::format("what plays differs in the block at {}", at));
        for (int k = 0; k < block; ++k)
            if (!std::isfinite(right_[at + static_cast<std::size_t>(k)])) give_up("no number is heard");
    }

    const TemporaryFolder& folder_;
    EngineRig twin_;
    const std::shared_ptr<Counter> counter_ = std::make_shared<Counter>();
    std::unique_ptr<LiveSession> session_;
    PulledDevice* device_ = nullptr;
    std::vector<float> in_, left_, right_;
    int edit_ = 0;

public:
    bool is_ending_ = false;
};

void make_models(const TemporaryFolder& folder) {
    const ModelFile opto =
        remembering(model_parts(source_dir() + "/models/opto-textbook.safetensors"), 4'800);
    save(folder, "one.safetensors", opto);
    save(folder, "two.safetensors", louder(opto, -3.));
}

/// One session in which each of these faults comes during an edit. "": as it should be.
std::string verdict_on(const std::vector<Fault>& faults, bool has_builder_thread, long* count = nullptr) {
    const TemporaryFolder folder;
    make_models(folder);
    const End end = in_child([&] {
        let_allocations_fail(fails);
        Rehearsal rehearsal(folder, has_builder_thread);
        int made = 0;
        for (const Fault& fault : faults) {
            std::fprintf(stderr, "%ld+%ld ", fault.first, fault.count);
            const int before = rehearsal.counter()[Kind::playing];
            const long found = rehearsal.edit(fault);
            if (count) folder.write("count", std::to_string(found));
            made += rehearsal.counter()[Kind::playing] > before;
            rehearsal.edit_and_expect_it();
        }
        rehearsal.is_ending_ = true;
        const int told = rehearsal.counter()[Kind::problem] + rehearsal.counter()[Kind::failed];
        if (made < static_cast<int>(faults.size()) && told == 0) give_up("a change is refused, and not told");
        const int code = rehearsal.end();
        if (code != 0 && code != 73) give_up(fmt::format("it ends with {}", code));
        if (code == 0) rehearsal.replay();
        std::fprintf(stderr, "made %d, told %d, ends with %d", made, told, code);
    });
    if (count) *count = std::stol("0" + folder.read("count"));
    return end.peaceful() ? "" : fmt::format("status {:#x}: {}", end.status, end.said);
}

/// Allocations of an edit in which none fails.
long allocations_of_an_edit(bool has_builder_thread) {
    long count = 0;
    CHECK(verdict_on({Fault{}}, has_builder_thread, &count) == "");
    return count;
}

void try_all(const std::vector<Fault>& faults, bool has_builder_thread, std::size_t of_a_session = 20) {
    for (std::size_t k = 0; k < faults.size(); k += of_a_session) {
        const auto begin = faults.begin() + static_cast<std::ptrdiff_t>(k);
        const auto end = begin + static_cast<std::ptrdiff_t>(std::min(of_a_session, faults.size() - k));
        CHECK(verdict_on({begin, end}, has_builder_thread) == "");
    }
}

std::vector<Fault> drawn(int draws, long last, long longest, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<Fault> faults;
    for (int k = 0; k < draws; ++k)
        faults.push_back({std::uniform_int_distribution<long>(1, last)(random),
                          std::uniform_int_distribution<long>(1, longest)(random)});
    return faults;
}

}  // namespace

TEST_CASE("an allocation that fails during an edit costs the edit at most") {
    if (realtime_guard() != RealtimeGuard::in_process) return;  // another malloc is in place of ours
    for (const bool has_builder_thread : {false, true}) {
        const long count = allocations_of_an_edit(has_builder_thread);
        WARN(fmt::format("{} allocations", count));
        REQUIRE(count > 500);
        try_all(drawn(60, count, 1, 5), has_builder_thread);
        try_all(drawn(20, count, 40, 6), has_builder_thread);
    }
}

// Some minutes: `test_control "[every_allocation]"`.
TEST_CASE("every allocation of an edit fails in turn, and 1,000 more by chance", "[.every_allocation]") {
    if (realtime_guard() != RealtimeGuard::in_process) return;
    for (const bool has_builder_thread : {false, true}) {
        const long count = allocations_of_an_edit(has_builder_thread);
        std::vector<Fault> faults;
        for (long k = 1; k <= count; ++k) faults.push_back({k, 1});
        try_all(faults, has_builder_thread);
        try_all(drawn(1'000, count, 40, 7), has_builder_thread);
    }
}

}  // namespace gainstage::test::no_memory_test
