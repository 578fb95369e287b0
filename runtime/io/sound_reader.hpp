#pragma once
/// The one reader of sound files: whatever libsndfile reads (WAV, FLAC, AIFF, OGG, MP3 ...), from files and
/// pipes. It tells whole files from short ones, and why they are short.

#include <cmath>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace gainstage {

/// A file that can't be read: names it and what is wrong with it.
struct SoundFileError : std::runtime_error {
    SoundFileError(const std::string& message, int code) : std::runtime_error(message), exit_code(code) {}
    int exit_code;  ///< of sysexits: not_found, bad_data
};

struct SoundFormat {
    int channels = 0;  ///< 1..64
    int rate_hz = 0;
    /// As the header promises, which may be more than can be read; -1: it doesn't say. A promise that can't
    /// be true (hours where there are seconds) is told and not taken.
    std::int64_t frames = 0;
};

/// What a listener should know about a file: one sentence that names it.
struct SoundNews {
    enum class Kind {
        lost,         ///< sound that could not be read, with its time
        odd,          ///< all was read, but something is wrong with the file
        bad_samples,  ///< some samples can't be sound: see is_sound()
        no_sound,     ///< a floating-point file of other numbers, such as integers that nobody divided
    };
    Kind kind = Kind::odd;
    std::string text;
    std::string cause;  ///< the same without what is done about it, for those who refuse the file
};

inline constexpr int most_channels = 64;  ///< of a file, and of a device, as patches may name them

/// Whether a sample can be sound: a number, and at most +80 dBFS.
inline bool is_sound(float sample) {
    return std::abs(sample) <= 10'000.f;  // false for NaN
}

/// Reads in pieces, for files of any length. Control thread; errors are thrown as SoundFileError.
class SoundReader {
public:
    /// A pipe is read to its end first.
    explicit SoundReader(const std::string& file);
    ~SoundReader();

    const SoundFormat& format() const noexcept;
    /// Fills channels[c][0..frames) and returns how many frames there were: fewer only at the end. What can't
    /// be read in the middle is silence, so that what follows keeps its time.
    int read(float* const* channels, int frames);
    /// The same, and after the end silence up to the length that the header promised.
    int read_as_promised(float* const* channels, int frames);

    /// What has come up so far; complete after the end.
    const std::vector<SoundNews>& news() const noexcept;
    /// Seconds of sound that could not be read, so far.
    double lost_seconds() const noexcept;

private:
    class File;
    const std::unique_ptr<File> file_;
};

/// A whole file in memory: [channel][frame], full scale 1.
struct SoundData {
    std::vector<std::vector<float>> channels;
    int rate_hz = 0;
    std::vector<SoundNews> news;
};

/// What can be read of a file. Refuses more than 4 GiB of samples: read those in pieces.
SoundData read_sound_file(const std::string& file);

}  // namespace gainstage
