#pragma once
/// Sound files: read by sound_reader.hpp, written as WAV and FLAC. The only door to libsndfile.

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/io/new_file.hpp"
#include "runtime/io/sound_reader.hpp"

namespace gainstage {

/// Whether a name ends as sound files do, whatever the capitals: .wav, .flac, and formats that can't be
/// written.
bool names_sound_file(const std::string& file);

/// Writes a sound file beside its place and puts it there when all of it is on disk (see NewFile). The same
/// samples give the same bytes. The name says the format:
///
///   .flac   FLAC of 24 bits; samples beyond full scale are cut off there, and counted
///   others  WAV of 32-bit floats; what is or may become longer than 4 GiB is written as RF64, which is a WAV
///           all the same if it turns out shorter. Names of other formats (.mp3, .ogg, .aiff ...) are
///           refused.
class SoundWriter {
public:
    static constexpr std::int64_t any_length = -1;
    struct Manner {
        FileManner file = {};
        std::int64_t frames = 0;  ///< that will come; any_length: nobody knows
    };

    /// Throws WriteError when the folder is missing, may not be written to, has no room for so many frames,
    /// or `file` is a folder.
    SoundWriter(const std::string& file, int channels, int rate_hz, Manner);
    SoundWriter(const std::string& file, int channels, int rate_hz)
        : SoundWriter(file, channels, rate_hz, Manner()) {}
    /// Without finish(): see FileManner.
    ~SoundWriter();

    /// Throws WriteError, on a full disk for example.
    void write(const float* const* channels, int frames);
    /// From here on the file can be read as far as it is written, even if the program ends here. Throws
    /// WriteError.
    void update();
    /// The same for a power cut, after update(). False: errno says why not.
    bool sync() noexcept;
    /// As NewFile's.
    bool is_deleted() const noexcept;
    /// The file is whole and in its place when this returns. Returns where that is, as NewFile does. Throws
    /// WriteError.
    std::string finish();
    /// Nothing is worth keeping.
    void discard();
    /// Where the file grows; "": see NewFile.
    std::string growing() const;

    /// Samples that the format couldn't hold.
    std::int64_t cut_off() const noexcept;

private:
    class File;
    const std::unique_ptr<File> file_;
};

}  // namespace gainstage
