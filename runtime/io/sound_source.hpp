#pragma once
/// The bytes of a sound file as libsndfile reads them. A failing disk is told apart from the end of the file,
/// a pipe is read whole, and a header that was never finished can be replaced by a true one.

#include <sndfile.h>

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/io/file_place.hpp"

namespace gainstage {

struct SoundCloser {
    void operator()(SNDFILE* file) const noexcept { sf_close(file); }
};
using SoundHandle = std::unique_ptr<SNDFILE, SoundCloser>;

/// The reason of the last failure in libsndfile's words, without their full stop. `file`: null for one that
/// could not be opened.
std::string sound_library_reason(SNDFILE* file);

/// Control thread.
class SoundSource {
public:
    /// Opens a file, or reads a pipe to its end into a temporary file. Throws SoundFileError: not there, no
    /// file (a folder, a device), a pipe that nobody writes to (not_found); no room for what comes through a
    /// pipe (cannot_write).
    explicit SoundSource(const std::string& file);
    SoundSource(const SoundSource&) = delete;
    SoundSource& operator=(const SoundSource&) = delete;

    /// Of the file as it lies on the disk.
    std::int64_t file_bytes() const noexcept { return file_bytes_; }
    /// Up to `count` bytes of the file as it lies on the disk; fewer at its end or where it can't be read.
    std::size_t read_at(std::int64_t at, void* to, std::size_t count);
    std::string read_text(std::int64_t at, std::size_t count);

    /// libsndfile gets `head` in place of the file's first `replaced` bytes.
    void replace_head(std::string head, std::int64_t replaced);
    /// libsndfile at the beginning of the file; null if it refuses. Only one at a time. Forgets an earlier
    /// error.
    SoundHandle open(SF_INFO&);

    /// The system's error (errno) since open(); 0: none.
    int error() const noexcept { return error_; }
    /// Whether libsndfile has asked for more bytes than there are since open().
    bool hit_the_end() const noexcept { return hit_the_end_; }

private:
    std::int64_t seen_bytes() const noexcept;
    sf_count_t read_seen(void* to, sf_count_t count);
    sf_count_t seek(sf_count_t offset, int whence);
    static SF_VIRTUAL_IO functions();

    Descriptor fd_;
    std::int64_t file_bytes_ = 0;
    std::string head_;
    std::int64_t replaced_ = 0;
    std::int64_t at_ = 0;  // of libsndfile
    int error_ = 0;
    bool hit_the_end_ = false;
};

}  // namespace gainstage
