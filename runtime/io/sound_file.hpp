#pragma once
/// Sound files: whatever libsndfile reads (WAV, FLAC, AIFF, OGG ...), 32-bit float WAV out. The only door to
/// it.

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/io/replacing_file.hpp"

namespace gainstage {

/// A file that can't be read: names it and what is wrong with it.
struct SoundFileError : std::runtime_error {
    SoundFileError(const std::string& message, int code) : std::runtime_error(message), exit_code(code) {}
    int exit_code;  ///< 66 not found, 65 no sound file
};

struct SoundFormat {
    int channels = 0;  ///< 1..64
    int rate_hz = 0;
    std::int64_t frames =
        0;  ///< as the file says; -1: it does not. What is read may be less in a damaged file.
};

/// Reads in pieces, for files of any length. Control thread; errors are thrown as SoundFileError.
class SoundReader {
public:
    explicit SoundReader(const std::string& file);
    ~SoundReader();

    const SoundFormat& format() const noexcept;
    /// Fills channels[c][0..frames) and returns how many frames there were: fewer only at the end.
    int read(float* const* channels, int frames);

private:
    class File;
    const std::unique_ptr<File> file_;
};

/// A whole file in memory: [channel][frame], full scale 1.
struct SoundData {
    std::vector<std::vector<float>> channels;
    int rate_hz = 0;
};

/// Refuses more than 4 GiB of samples: read those in pieces.
SoundData read_sound_file(const std::string& file);

/// Writes a 32-bit float WAV beside its place and puts it there when all of it is on disk: a file that was
/// there before stays whole until then, and stays for good if anything fails. The same samples give the same
/// bytes.
class SoundWriter {
public:
    /// Throws WriteError when the folder is missing, may not be written to, or `file` is a folder.
    SoundWriter(const std::string& file, int channels, int rate_hz);
    /// Without finish(): as if nothing had been written.
    ~SoundWriter();

    /// Throws WriteError, on a full disk for example.
    void write(const float* const* channels, int frames);
    /// Throws WriteError. The file is in its place when this returns.
    void finish();

private:
    class File;
    const std::unique_ptr<File> file_;
};

}  // namespace gainstage
