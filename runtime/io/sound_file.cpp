#include "runtime/io/sound_file.hpp"

#include <fmt/format.h>
#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "runtime/io/sound_source.hpp"

namespace gainstage {

namespace {

constexpr int buffer_frames = 4096;

/// The system's reason, where there is one, else libsndfile's.
std::string cause(SNDFILE* file) {
    return errno != 0 ? std::strerror(errno) : sound_library_reason(file);
}

/// A WAV file counts its bytes in 32 bits. The header takes less than this of them.
constexpr std::int64_t header_bytes = 4096, largest_wav_bytes = 0xFFFF'FFFF - header_bytes;

std::string extension(const std::string& file) {
    const std::filesystem::path path = file;
    std::string found = (path.has_extension() ? path.extension() : path.filename()).string();  // ".flac", too
    std::transform(found.begin(), found.end(), found.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return found;
}

constexpr std::array written_as_wav{".wav", ".wave", ".rf64", ".bwf"};
constexpr std::array not_written{".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".aifc", ".caf", ".au",
                                 ".snd", ".w64", ".m4a", ".mp4",  ".aac", ".wma",  ".wv",   ".ape", ".raw"};

bool is_among(const auto& endings, const std::string& ending) {
    return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

bool names_other_format(const std::string& extension) {
    return is_among(not_written, extension);
}

}  // namespace

bool names_sound_file(const std::string& file) {
    const std::string given = extension(file);
    return given == ".flac" || is_among(written_as_wav, given) || names_other_format(given);
}

class SoundWriter::File {
public:
    File(const std::string& name, int channels, int rate_hz, Manner manner)
        : name_(name),
          format_(format_of(name, channels, manner)),
          place_(name, manner.file),
          channels_(channels) {
        if (manner.frames > 0 && is_float()) place_.must_have_room(bytes_of(manner.frames) + header_bytes);
        SF_INFO info{};
        info.channels = channels;
        info.samplerate = rate_hz;
        info.format = format_;
        errno = 0;
        file_ = sf_open_fd(place_.fd(), SFM_WRITE, &info, SF_FALSE);
        if (!file_) {
            place_.discard();
            fail();
        }
        // It would hold the time of writing: the same samples would not give the same bytes.
        sf_command(file_, SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);
        sf_command(file_, SFC_RF64_AUTO_DOWNGRADE, nullptr, SF_TRUE);
        sf_command(file_, SFC_SET_CLIPPING, nullptr, SF_TRUE);
        buffer_.resize(static_cast<std::size_t>(buffer_frames * channels));
    }
    ~File() {
        if (file_) sf_close(file_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    void write(const float* const* channels, int frames) {
        if (is_wav() && bytes_of(frames_ + frames) > largest_wav_bytes)
            throw WriteError(
                fmt::format("{}: longer than a WAV file can be (4 GiB): write it in parts", name_));
        for (int done = 0; done < frames; done += buffer_frames) {
            const int count = std::min(frames - done, buffer_frames);
            float* sample = buffer_.data();
            for (int k = done; k < done + count; ++k)
                for (int c = 0; c < channels_; ++c) *sample++ = channels[c][k];
            if (!is_float()) cut_off(buffer_.data(), sample);
            errno = 0;
            const auto written = sf_writef_float(file_, buffer_.data(), count);
            frames_ += written;
            if (written != count) fail();
        }
    }

    void update() {
        errno = 0;
        sf_command(file_, SFC_UPDATE_HEADER_NOW, nullptr, 0);
        // An error leaves libsndfile in the middle of the header: what comes must not be written there. The
        // header will be right with the next update.
        if (sf_error(file_) != SF_ERR_NO_ERROR && sf_seek(file_, frames_, SEEK_SET) != frames_) fail();
    }

    bool sync() noexcept { return place_.sync(); }
    bool is_deleted() const noexcept { return place_.is_deleted(); }

    std::string finish() {
        if (is_float()) update();  // sf_close() says nothing of a header that it can't write
        errno = 0;
        if (sf_close(std::exchange(file_, nullptr)) != 0 || !is_whole())
            place_.fail(errno != 0 ? std::strerror(errno) : "its end could not be written");
        take_time_away();
        return place_.finish();
    }

    void discard() { place_.discard(); }
    std::string growing() const { return place_.growing(); }
    std::int64_t cut_off() const noexcept { return cut_off_; }

private:
    static int format_of(const std::string& name, int channels, const Manner& manner) {
        const std::string given = extension(name);
        if (names_other_format(given))
            throw WriteError(
                fmt::format("{}: files of this format can't be written; name it .wav or .flac", name));
        const bool is_growing = manner.file.growth == FileManner::Growth::visible;
        if (given == ".flac" && is_growing)
            throw WriteError(
                fmt::format("{}: a recording is a WAV, which can be read at every moment and holds "
                            "every level; name it .wav",
                            name));
        if (given == ".flac") return SF_FORMAT_FLAC | SF_FORMAT_PCM_24;
        const bool fits =
            manner.frames <= largest_wav_bytes / static_cast<std::int64_t>(sizeof(float)) / channels;
        return (manner.frames == any_length || !fits ? SF_FORMAT_RF64 : SF_FORMAT_WAV) | SF_FORMAT_FLOAT;
    }

    [[noreturn]] void fail() const { throw_cannot_write(name_, cause(file_)); }
    bool is_float() const { return (format_ & SF_FORMAT_SUBMASK) == SF_FORMAT_FLOAT; }
    bool is_wav() const { return (format_ & SF_FORMAT_TYPEMASK) == SF_FORMAT_WAV; }
    /// libsndfile writes the time into the peak chunk of an RF64, asked not to or not.
    void take_time_away() {
        constexpr std::string_view name = "PEAK";
        constexpr std::uint32_t no_time = 0;
        char header[header_bytes];
        const ssize_t size = pread(place_.fd(), header, sizeof header, 0);
        const std::string_view text(header, size > 0 ? static_cast<std::size_t>(size) : 0);
        const std::size_t chunk = text.substr(0, text.find("data")).find(name);
        if (chunk == text.npos) return;
        const std::size_t time = chunk + name.size() + 2 * sizeof(std::uint32_t);  // after size and version
        if (pwrite(place_.fd(), &no_time, sizeof no_time, static_cast<off_t>(time)) < 0)
            place_.fail(std::strerror(errno));
    }

    /// FLAC's encoder is silent about the last block and the length in the header.
    bool is_whole() const {
        if (is_float()) return true;
        SF_INFO info{};
        lseek(place_.fd(), 0, SEEK_SET);
        SNDFILE* const written = sf_open_fd(place_.fd(), SFM_READ, &info, SF_FALSE);
        if (!written) return false;
        std::vector<float> last(static_cast<std::size_t>(channels_));
        const bool is_whole = info.frames == frames_ &&
                              (frames_ == 0 || (sf_seek(written, frames_ - 1, SEEK_SET) == frames_ - 1 &&
                                                sf_readf_float(written, last.data(), 1) == 1));
        sf_close(written);
        return is_whole;
    }
    std::int64_t bytes_of(std::int64_t frames) const {
        return frames * channels_ * static_cast<std::int64_t>(sizeof(float));
    }

    void cut_off(float* sample, const float* end) {
        constexpr float full_scale = 1.f - 1.f / (1 << 23);  // the highest number of 24 bits
        for (; sample != end; ++sample) {
            const float kept = std::isnan(*sample) ? 0.f : std::clamp(*sample, -1.f, full_scale);
            cut_off_ += kept != *sample;
            *sample = kept;
        }
    }

    const std::string name_;
    const int format_;
    NewFile place_;
    const int channels_;
    SNDFILE* file_ = nullptr;
    std::int64_t frames_ = 0, cut_off_ = 0;
    std::vector<float> buffer_;
};

SoundWriter::SoundWriter(const std::string& file, int channels, int rate_hz, Manner manner)
    : file_(std::make_unique<File>(file, channels, rate_hz, manner)) {}
SoundWriter::~SoundWriter() = default;
void SoundWriter::write(const float* const* channels, int frames) {
    file_->write(channels, frames);
}
void SoundWriter::update() {
    file_->update();
}
bool SoundWriter::sync() noexcept {
    return file_->sync();
}
bool SoundWriter::is_deleted() const noexcept {
    return file_->is_deleted();
}
std::string SoundWriter::finish() {
    return file_->finish();
}
void SoundWriter::discard() {
    file_->discard();
}
std::string SoundWriter::growing() const {
    return file_->growing();
}
std::int64_t SoundWriter::cut_off() const noexcept {
    return file_->cut_off();
}

}  // namespace gainstage
