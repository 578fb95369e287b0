#include "runtime/io/sound_file.hpp"

#include <fmt/format.h>
#include <sndfile.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace gainstage {

namespace {

/// A WAV file counts its bytes in 32 bits; its header takes less than the rest.
constexpr std::int64_t largest_wav_bytes = 0xFFFF'FFFF - 4096;
constexpr int buffer_frames = 4096;

/// The system's reason, where there is one, else libsndfile's.
std::string cause(SNDFILE* file) {
    if (errno != 0) return std::strerror(errno);
    const std::string text = sf_strerror(file);
    return text.substr(0, text.find_last_not_of(". ") + 1);
}

}  // namespace

class SoundWriter::File {
public:
    File(const std::string& name, int channels, int rate_hz)
        : name_(name), place_(name), channels_(channels) {
        SF_INFO info{};
        info.channels = channels;
        info.samplerate = rate_hz;
        info.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
        errno = 0;
        file_ = sf_open_fd(place_.fd(), SFM_WRITE, &info, SF_FALSE);
        if (!file_) fail();
        // It would hold the time of writing: the same samples would not give the same bytes.
        sf_command(file_, SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);
        buffer_.resize(static_cast<std::size_t>(buffer_frames * channels));
    }
    ~File() {
        if (file_) sf_close(file_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    void write(const float* const* channels, int frames) {
        bytes_ += std::int64_t{frames} * channels_ * static_cast<std::int64_t>(sizeof(float));
        if (bytes_ > largest_wav_bytes)
            throw WriteError(
                fmt::format("{}: longer than a WAV file can be (4 GiB): write it in parts", name_));
        for (int done = 0; done < frames; done += buffer_frames) {
            const int count = std::min(frames - done, buffer_frames);
            float* sample = buffer_.data();
            for (int k = done; k < done + count; ++k)
                for (int c = 0; c < channels_; ++c) *sample++ = channels[c][k];
            errno = 0;
            if (sf_writef_float(file_, buffer_.data(), count) != count) fail();
        }
    }

    void finish() {
        errno = 0;
        if (sf_close(std::exchange(file_, nullptr)) != 0) fail();
        place_.finish();
    }

private:
    [[noreturn]] void fail() const { throw_cannot_write(name_, cause(file_)); }

    const std::string name_;
    ReplacingFile place_;
    const int channels_;
    SNDFILE* file_ = nullptr;
    std::int64_t bytes_ = 0;
    std::vector<float> buffer_;
};

SoundWriter::SoundWriter(const std::string& file, int channels, int rate_hz)
    : file_(std::make_unique<File>(file, channels, rate_hz)) {}
SoundWriter::~SoundWriter() = default;
void SoundWriter::write(const float* const* channels, int frames) {
    file_->write(channels, frames);
}
void SoundWriter::finish() {
    file_->finish();
}

}  // namespace gainstage
