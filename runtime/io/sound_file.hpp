#pragma once
/// Sound files: read by sound_reader.hpp, written as 32-bit float WAV. The only door to libsndfile.

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/io/replacing_file.hpp"
#include "runtime/io/sound_reader.hpp"

namespace gainstage {

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
