#include "runtime/io/sound_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sndfile.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace gainstage {

namespace {

constexpr int largest_channels = 64;
constexpr int largest_rate_hz = 1'000'000;
constexpr std::int64_t largest_samples_in_memory = std::int64_t{1} << 30;
/// A WAV file counts its bytes in 32 bits; its header takes less than the rest.
constexpr std::int64_t largest_wav_bytes = 0xFFFF'FFFF - 4096;
constexpr int buffer_frames = 4096;

/// The system's reason, where there is one, else libsndfile's.
std::string cause(SNDFILE* file) {
    if (errno != 0) return std::strerror(errno);
    const std::string text = sf_strerror(file);
    return text.substr(0, text.find_last_not_of(". ") + 1);
}

int open_for_reading(const std::string& file) {
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        const bool missing = errno == ENOENT || errno == ENOTDIR;
        throw SoundFileError(
            fmt::format("{}: {}", file, missing ? "there is no such file" : std::strerror(errno)),
            missing ? 66 : 65);
    }
    return fd;
}

}  // namespace

// --------------------------------------------------------------------------------------------------------
// reading

class SoundReader::File {
public:
    explicit File(const std::string& name) {
        const int fd = open_for_reading(name);
        errno = 0;
        SF_INFO info{};
        file_ = sf_open_fd(fd, SFM_READ, &info, SF_TRUE);
        if (!file_)
            throw SoundFileError(
                fmt::format("{}: not a sound file that can be read ({}); WAV, FLAC, AIFF and OGG can", name,
                            cause(nullptr)),
                65);
        check(name, info);
        format_ = {.channels = info.channels,
                   .rate_hz = info.samplerate,
                   .frames = info.frames < SF_COUNT_MAX ? info.frames : -1};
        buffer_.resize(static_cast<std::size_t>(buffer_frames * info.channels));
    }
    ~File() { sf_close(file_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    const SoundFormat& format() const { return format_; }

    int read(float* const* channels, int frames) {
        int done = 0;
        while (done < frames) {
            const int wanted = std::min(frames - done, buffer_frames);
            const int got = static_cast<int>(sf_readf_float(file_, buffer_.data(), wanted));
            const float* sample = buffer_.data();
            for (int k = done; k < done + got; ++k)
                for (int c = 0; c < format_.channels; ++c) channels[c][k] = *sample++;
            done += got;
            if (got < wanted) break;
        }
        return done;
    }

private:
    void check(const std::string& name, const SF_INFO& info) {
        if (info.channels >= 1 && info.channels <= largest_channels && info.samplerate >= 1 &&
            info.samplerate <= largest_rate_hz)
            return;
        sf_close(file_);
        throw SoundFileError(
            fmt::format("{}: {} channels at {} Hz; up to {} channels at up to {} Hz can be read", name,
                        info.channels, info.samplerate, largest_channels, largest_rate_hz),
            65);
    }

    SNDFILE* file_ = nullptr;
    SoundFormat format_;
    std::vector<float> buffer_;
};

SoundReader::SoundReader(const std::string& file) : file_(std::make_unique<File>(file)) {}
SoundReader::~SoundReader() = default;
const SoundFormat& SoundReader::format() const noexcept {
    return file_->format();
}
int SoundReader::read(float* const* channels, int frames) {
    return file_->read(channels, frames);
}

SoundData read_sound_file(const std::string& file) {
    SoundReader reader(file);
    const auto channels = static_cast<std::size_t>(reader.format().channels);
    SoundData sound{.channels = std::vector<std::vector<float>>(channels),
                    .rate_hz = reader.format().rate_hz};
    std::vector<float*> end(channels);
    for (int got = buffer_frames; got == buffer_frames;) {
        const std::size_t done = sound.channels[0].size();
        if (static_cast<std::int64_t>(done * channels) > largest_samples_in_memory)
            throw SoundFileError(
                fmt::format("{}: too long to be read at once: cut it into parts of an hour", file), 65);
        for (std::size_t c = 0; c < channels; ++c) {
            sound.channels[c].resize(done + buffer_frames);
            end[c] = sound.channels[c].data() + done;
        }
        got = reader.read(end.data(), buffer_frames);
        for (auto& channel : sound.channels) channel.resize(done + static_cast<std::size_t>(got));
    }
    return sound;
}

// --------------------------------------------------------------------------------------------------------
// writing

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
