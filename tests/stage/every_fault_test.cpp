/// A short take with a recording and a log, in which one call of the system fails: every one, in turn.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <set>

#include "runtime/io/sound_file.hpp"
#include "tests/stage/program.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/failing_calls.hpp"
#include "tests/support/places.hpp"

namespace gainstage::test::every_fault_test {

namespace {

const std::string earlier_sound = "the sound of last night", earlier_moves = "the moves of last night";

/// Which call fails; number 0: none.
struct Fault {
    int family = 0;
    std::uint64_t number = 0;
    std::string text() const { return fmt::format("{}:{}", call_families[family], number); }
};

/// For the time in which a program is started.
class Environment {
public:
    Environment(const std::string& counts, const Fault& fault) {
        setenv("LD_PRELOAD", failing_calls_path().c_str(), 1);
        setenv("GAINSTAGE_CALL_COUNTS", counts.c_str(), 1);
        if (fault.number > 0) setenv("GAINSTAGE_FAIL", fault.text().c_str(), 1);
    }
    ~Environment() {
        for (const char* name : {"LD_PRELOAD", "GAINSTAGE_CALL_COUNTS", "GAINSTAGE_FAIL"}) unsetenv(name);
    }
};

/// A take over an earlier one, which it is told to replace: the case in which most could be lost.
class Trial {
public:
    Trial(const Fault& fault, double seconds) : fault_(fault), seconds_(seconds) {
        folder_.write("take.wav", earlier_sound);
        folder_.write("take.log", earlier_moves);
        folder_.write("counts", std::string(sizeof(CallCounts), '\0'));
        const Environment environment(folder_.file("counts"), fault);
        program_ = std::make_unique<Program>(
            std::vector<std::string>{"run", source_dir() + "/patches/hello.toml", "--null", "--json",
                                     "--overwrite", "--seconds", fmt::format("{}", seconds), "--record",
                                     folder_.file("take.wav"), "--log", folder_.file("take.log")});
    }

    CallCounts counts() const {
        CallCounts found;
        const std::string bytes = folder_.read("counts");
        std::memcpy(&found, bytes.data(), std::min(bytes.size(), sizeof found));
        return found;
    }

    /// Waits for its end. Empty: as it should be; else what is wrong.
    std::string verdict() {
        const int status = program_->wait();
        if (status == Program::still_runs) return "it never ends";
        if (status == Program::killed) return "it crashes";
        if (!std::set<int>{0, 65, 66, 69, 73, 78}.count(status))
            return fmt::format("it ends with {}", status);
        if (fault_.number > 0 && counts().failed == 0)
            return fault_.number == 1 ? "the fault never came" : "";  // later ones: fewer calls this time
        const auto summaries = program_->events("summary");
        const bool played = !program_->events("started").empty();
        if (played && summaries.size() != 1) return "it plays, and there is no summary";
        if (played && summaries[0].at("seconds") < seconds_) return "it ends too early";
        if (played && summaries[0].at("quarantines") > 0) return "what is heard suffers";
        if (!played && status == 0) return "it plays nothing, and says it is fine";
        if (std::string lost = what_is_lost(played); !lost.empty()) return lost;
        return is_told(status) || (played && is_whole(summaries[0]))
                   ? ""
                   : "something is missing, and nothing is said";
    }
    std::string words() const { return program_->words(); }

private:
    std::string what_is_lost(bool played) const {
        const bool sound_stays = folder_.read("take.wav") == earlier_sound;
        const bool moves_stay = folder_.read("take.log") == earlier_moves;
        if (!played && !(sound_stays && moves_stay)) return "an earlier take is lost, and nothing was played";
        if (!sound_stays && !frames_in("take.wav"))
            return "the earlier recording is lost, and the new one is no sound";
        if (!moves_stay && folder_.read("take.log").find("\"play\"") == std::string::npos && !is_told(0))
            return "the earlier log is lost, and the new one is none";
        if (played && sound_stays && !frames_in("take.unfinished.wav")) return "the new recording is lost";
        return {};
    }

    bool is_told(int status) const {
        if (status != 0 && !program_->standard_error().empty()) return true;
        return !program_->events("problem").empty() || !program_->events("note").empty();
    }

    /// All that was played is in the files.
    bool is_whole(const nlohmann::json& summary) const {
        const auto frames = frames_in("take.wav");
        if (!frames || static_cast<double>(*frames) < summary.at("seconds").get<double>() * 48'000. - 0.5)
            return false;
        const std::string log = folder_.read("take.log");
        return log.find("\"play\"") != std::string::npos && log.find("\"fade_out_ms\"") != std::string::npos;
    }

    std::optional<std::size_t> frames_in(const std::string& name) const {
        try {
            return read_sound_file(folder_.file(name)).channels[0].size();
        } catch (const SoundFileError&) {
            return {};
        }
    }

    const Fault fault_;
    const double seconds_;
    const TemporaryFolder folder_;
    std::unique_ptr<Program> program_;
};

CallCounts calls_of_a_take(double seconds) {
    Trial trial({}, seconds);
    CHECK(trial.verdict() == "");
    return trial.counts();
}

/// Several at a time: a take sleeps most of its time.
void try_all(const std::vector<Fault>& faults, double seconds, std::size_t at_a_time) {
    std::deque<std::pair<Fault, std::unique_ptr<Trial>>> running;
    const auto judge_first = [&] {
        const auto [fault, trial] = std::move(running.front());
        running.pop_front();
        const std::string verdict = trial->verdict();
        INFO(fault.text() << ": " << verdict << "\n" << trial->words());
        CHECK(verdict == "");
    };
    for (const Fault& fault : faults) {
        running.emplace_back(fault, std::make_unique<Trial>(fault, seconds));
        if (running.size() >= at_a_time) judge_first();
    }
    while (!running.empty()) judge_first();
}

/// Of each family of calls at most `most`, from the first to the last.
std::vector<Fault> faults_of(const CallCounts& counts, std::uint64_t most) {
    std::vector<Fault> faults;
    for (int family = 0; family < call_family_count; ++family) {
        const std::uint64_t calls = counts.calls[family], tries = std::min(calls, most);
        for (std::uint64_t k = 0; k < tries; ++k)
            faults.push_back({family, tries > 1 ? 1 + k * (calls - 1) / (tries - 1) : 1});
    }
    return faults;
}

}  // namespace

TEST_CASE("a call of the system that fails costs neither the music nor an earlier take, and is told") {
    constexpr double seconds = 0.4;
    const CallCounts counts = calls_of_a_take(seconds);
    for (int family = 0; family < call_family_count; ++family) {
        INFO(call_families[family]);
        if (std::strcmp(call_families[family], "unlink") != 0) CHECK(counts.calls[family] > 0);
    }
    try_all(faults_of(counts, 7), seconds, 4);
}

// Some minutes: `test_program "[every_fault]"`.
TEST_CASE("every single call of five seconds fails in turn", "[.every_fault]") {
    constexpr double seconds = 5.;
    const std::vector<Fault> faults = faults_of(calls_of_a_take(seconds), 100'000);
    std::fprintf(stderr, "%zu calls\n", faults.size());
    try_all(faults, seconds, 24);
}

}  // namespace gainstage::test::every_fault_test
