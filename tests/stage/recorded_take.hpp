#pragma once
/// What a program records and logs while something happens to it.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "runtime/io/sound_file.hpp"
#include "tests/stage/program.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test {

/// `is_so` within the patience of these tests.
template <class IsSo>
bool becomes_so(IsSo is_so) {
    for (const auto end = std::chrono::steady_clock::now() + patience; std::chrono::steady_clock::now() < end;
         std::this_thread::sleep_for(std::chrono::milliseconds(5)))
        if (is_so()) return true;
    return false;
}

/// A file of so many seconds.
inline std::string silence_in(const TemporaryFolder& folder, int seconds) {
    const Channel silent(48'000, 0.f);
    const float* const channel = silent.data();
    SoundWriter writer(folder.file("in.wav"), 1, 48'000);
    for (int k = 0; k < seconds; ++k) writer.write(&channel, 48'000);
    writer.finish();
    return folder.file("in.wav");
}

/// A take in a folder of its own: a patch, its log and its recording.
class RecordedTake {
public:
    RecordedTake() { write(0.); }
    /// Saves the patch with another gain.
    void write(double gain_db) const {
        folder_.write("song.toml", patch(R"("in -> trim -> out")", gain("trim", gain_db)));
    }
    std::vector<std::string> run(const std::vector<std::string>& more) const {
        std::vector<std::string> words{"run",
                                       folder_.file("song.toml"),
                                       "--null",
                                       "--block",
                                       "480",
                                       "--log",
                                       folder_.file("take.log"),
                                       "--record",
                                       folder_.file("take.wav"),
                                       "--rehearse"};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }
    /// Lines of the log that begin a change, the first patch included.
    int changes() const {
        int count = 0;
        // The log takes its name when the take is over.
        const bool grows = std::filesystem::exists(folder_.file("take.unfinished.log"));
        std::istringstream log(folder_.read(grows ? "take.unfinished.log" : "take.log"));
        for (std::string line; std::getline(log, line);) count += has(line, "\"play\"");
        return count;
    }
    bool plays(int changes_seen = 1) const {
        return becomes_so([&] { return changes() >= changes_seen; });
    }
    /// Checks that log and recording hold what they should and nothing else. Returns the seconds recorded.
    double check() const {
        std::istringstream log(folder_.read("take.log"));
        for (std::string line; std::getline(log, line);) {
            INFO(line);
            CHECK_FALSE(nlohmann::json::parse(line, nullptr, false).is_discarded());
        }
        const SoundData recorded = read_sound_file(folder_.file("take.wav"));
        CHECK(recorded.channels.size() == 1);
        CHECK(peak(recorded.channels[0]) == 0.);  // the input of --null, and no message
        return static_cast<double>(recorded.channels[0].size()) / recorded.rate_hz;
    }
    const TemporaryFolder& folder() const { return folder_; }

private:
    static double peak(const Channel& channel) {
        double most = 0.;
        for (const float sample : channel) most = std::max(most, std::abs(static_cast<double>(sample)));
        return most;
    }
    const TemporaryFolder folder_;
};

}  // namespace gainstage::test
