#include "runtime/io/sound_reader.hpp"

#include <fmt/format.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "runtime/foreign_bytes.hpp"
#include "runtime/io/ogg_pages.hpp"
#include "runtime/io/sample_check.hpp"
#include "runtime/io/sound_header.hpp"
#include "runtime/io/sound_promise.hpp"
#include "runtime/io/sound_source.hpp"
#include "runtime/sysexits.hpp"

namespace gainstage {

namespace {

constexpr int highest_rate_hz = 1'000'000;
constexpr std::int64_t most_samples_in_memory = std::int64_t{1} << 30;
constexpr int piece_frames = 4096;
/// Damage is found to this many frames.
constexpr int probe_frames = 64;
/// How far behind damage sound is looked for: first this far, then each time a quarter further.
constexpr double first_step_frames = 512., step_growth = 1.25;

bool holds_floats(const SF_INFO& info) {
    const int kind = info.format & SF_FORMAT_SUBMASK;
    return kind == SF_FORMAT_FLOAT || kind == SF_FORMAT_DOUBLE;
}

int bits_for(float peak) {
    return peak <= 32768.f ? 16 : peak <= 8388608.f ? 24 : 32;
}

}  // namespace

/// An open file: libsndfile's handle, where we are, and what is known to be wrong.
class SoundReader::File {
public:
    explicit File(const std::string& name) : name_(name), source_(name), header_(read_sound_header(source_)) {
        // libsndfile would look for an MP3 in it, and its decoder prints on standard error.
        if (header_.codec.empty()) handle_ = source_.open(info_);
        if (!handle_) refuse();
        if (info_.channels < 1 || info_.channels > most_channels || info_.samplerate < 1 ||
            info_.samplerate > highest_rate_hz) {
            throw SoundFileError(
                fmt::format("{}: {} channels at {} Hz; up to {} channels at up to {} Hz can be read", name_,
                            info_.channels, info_.samplerate, most_channels, highest_rate_hz),
                sysexits::bad_data);
        }
        format_ = {.channels = info_.channels,
                   .rate_hz = info_.samplerate,
                   .frames = info_.frames < SF_COUNT_MAX ? info_.frames : -1};
        buffer_.resize(static_cast<std::size_t>(piece_frames) * static_cast<std::size_t>(info_.channels));
        tell_unfinished();
        if (source_.read_text(0, 4) == "OggS") take_ogg(look_at_ogg_pages(source_));
        if (format_.frames >= 0) take_promise();
    }

    const SoundFormat& format() const { return format_; }
    const std::vector<SoundNews>& news() const { return news_; }
    double lost_seconds() const { return seconds(lost_frames_); }

    int read(float* const* channels, int frames) {
        int done = 0;
        while (done < frames) {
            if (gap_left_ > 0) {
                done += silence(channels, done,
                                static_cast<int>(std::min<std::int64_t>(gap_left_, frames - done)));
                continue;
            }
            if (step_over_hole()) continue;
            const int wanted = static_cast<int>(
                std::min<std::int64_t>(std::min(frames - done, piece_frames), frames_to_hole()));
            const int got = next_piece(wanted);
            for (int c = 0; c < format_.channels; ++c)
                for (int k = 0; k < got; ++k) channels[c][done + k] = buffer_[k * format_.channels + c];
            done += got;
            if (got < wanted && !step_over_damage()) break;
        }
        return done;
    }

    int read_as_promised(float* const* channels, int frames) {
        const int got = read(channels, frames);
        if (got == frames) return got;
        const int more = static_cast<int>(std::min<std::int64_t>(missing_at_end_, frames - got));
        for (int c = 0; c < format_.channels; ++c) std::fill_n(channels[c] + got, more, 0.f);
        missing_at_end_ -= more;
        return got + more;
    }

private:
    [[noreturn]] void refuse() {
        const std::string foreign =
            header_.codec.empty()
                ? foreign_sound(source_.read_text(0, 512))
                : fmt::format("{} in a WAV file; convert it: ffmpeg -i FILE NEW.wav", header_.codec);
        const std::string cause =
            source_.error()    ? std::strerror(source_.error())
            : !foreign.empty() ? foreign
                               : sound_library_reason(nullptr) + "; WAV, FLAC, AIFF, OGG and MP3 can be read";
        throw SoundFileError(fmt::format("{}: not a sound file that can be read: {}", name_, cause),
                             source_.error() ? sysexits::not_found : sysexits::bad_data);
    }

    /// The holes in frames; what follows the first stream is promised and can't be read.
    void take_ogg(const OggPages& pages) {
        ogg_ = pages;
        for (OggHole& hole : ogg_.holes)
            for (std::int64_t* ticks : {&hole.from, &hole.to})
                *ticks = std::max<std::int64_t>(0, frames_of(pages.seconds(*ticks)));
        if (pages.ticks_per_second == 0) ogg_.holes.clear();
        if (format_.frames >= 0) format_.frames += frames_of(pages.later_s);
    }

    /// A length that can't be believed is told before anything is played.
    void take_promise() {
        const std::int64_t there = info_.frames;
        const std::int64_t promised = std::max(promised_frames(info_, header_), format_.frames);
        if (promised <= there || is_believable(seconds(promised - there), seconds(there))) {
            format_.frames = std::max(promised, there);
            return;
        }
        format_.frames = there;
        end_early(there, promised, has_later_streams() ? later_streams() : "its header promises more");
    }

    double seconds(std::int64_t frames) const { return static_cast<double>(frames) / format_.rate_hz; }

    std::int64_t frames_of(double seconds) const { return std::llround(seconds * format_.rate_hz); }

    /// `done`: what is done about it by who plays the file all the same.
    void tell(SoundNews::Kind kind, const std::string& text, const std::string& done = {}) {
        const std::string cause = fmt::format("{}: {}", name_, text);
        news_.push_back({kind, done.empty() ? cause : fmt::format("{}; {}", cause, done), cause});
    }

    bool has_later_streams() const { return ogg_.streams > 1; }
    std::string later_streams() const {
        return fmt::format(
            "a chain of {} Ogg streams, of which the first is read; convert it: ffmpeg -i FILE "
            "NEW.wav",
            ogg_.streams);
    }

    void tell_unfinished() {
        if (header_.unfinished.empty()) return;
        tell(SoundNews::Kind::odd,
             fmt::format("was never finished (its header {}): the {:.3f} s that are there are played",
                         header_.unfinished, seconds(std::max<std::int64_t>(0, format_.frames))));
    }

    int silence(float* const* channels, int from, int frames) {
        for (int c = 0; c < format_.channels; ++c) std::fill_n(channels[c] + from, frames, 0.f);
        gap_left_ -= frames;
        position_ += frames;
        return frames;
    }

    /// Reads up to `wanted` frames into the buffer; fewer at the end, or where something is wrong.
    int next_piece(int wanted) {
        if (!handle_) return 0;
        const int got = checked_read(wanted);
        if (got >= 0) return advance(got);
        // libsndfile says nothing of where in the piece the damage begins, and reads no further with this
        // handle.
        int good = 0;
        if (reopen_at(position_)) {
            while (good < wanted) {
                const int more = checked_read(std::min(probe_frames, wanted - good), good);
                if (more <= 0) break;
                good += more;
            }
        }
        is_damaged_ = true;
        return advance(good);
    }

    int advance(int frames) {
        frames_in_buffer_ = frames;
        if (holds_floats(info_)) check_samples(frames);
        position_ += frames;
        return frames;
    }

    /// -1: something is wrong with the file.
    int checked_read(int frames, int buffer_at = 0) {
        const auto got = sf_readf_float(handle_.get(), buffer_.data() + buffer_at * format_.channels, frames);
        return sf_error(handle_.get()) != SF_ERR_NO_ERROR || source_.error() ? -1 : static_cast<int>(got);
    }

    bool reopen_at(std::int64_t frame) {
        handle_.reset();  // only one at a time
        SF_INFO info{};
        handle_ = source_.open(info);
        const std::int64_t at = frame - begin_;
        // Of an Opus that begins in the middle, libsndfile passes over its first samples only when it seeks.
        return handle_ && (frame == 0 || sf_seek(handle_.get(), at, SEEK_SET) == at) && !source_.error();
    }

    std::int64_t frames_to_hole() const {
        return next_hole_ < ogg_.holes.size() ? ogg_.holes[next_hole_].from - position_ : piece_frames;
    }

    /// Missing pages of an Ogg stream. False: sound goes on here.
    bool step_over_hole() {
        while (next_hole_ < ogg_.holes.size() && ogg_.holes[next_hole_].from < position_) ++next_hole_;
        if (next_hole_ == ogg_.holes.size() || ogg_.holes[next_hole_].from > position_) return false;
        const OggHole& hole = ogg_.holes[next_hole_++];
        const std::int64_t to = ogg_.is_opus ? begin_behind(hole) : hole.to;
        is_damaged_ = !reopen_at(to);
        if (to > position_) lose(position_, to, "the file is damaged there");
        gap_left_ = to - position_;
        return true;
    }

    /// libsndfile finds its place in an Opus by counting from before the hole, and would be wrong by its
    /// length: it gets what follows as a file of its own. Returns the frame at which that begins.
    std::int64_t begin_behind(const OggHole& hole) {
        source_.replace_head(source_.read_text(0, static_cast<std::size_t>(ogg_.sound_at)), hole.page_at);
        SF_INFO rest{};
        handle_.reset();
        handle_ = source_.open(rest);
        if (handle_) begin_ = info_.frames - rest.frames;
        return handle_ ? std::max(position_, begin_) : hole.to;
    }

    /// At a place where there is no more sound: false if that is the end. Else looks for sound further on.
    bool step_over_damage() {
        if (has_ended_) return false;
        const bool is_short = format_.frames > position_ && (is_firm() || is_damaged_);
        if (!is_short && !is_damaged_) return end();
        const std::string cause = cause_here();
        const std::int64_t end_frame = std::max(format_.frames, position_);
        double step = first_step_frames;
        std::int64_t target = position_ + static_cast<std::int64_t>(step);
        while (is_damaged_ && target < std::min(end_frame, info_.frames)) {
            if (reopen_at(target) && checked_read(probe_frames) > 0 && reopen_at(target)) {
                lose(position_, target, cause);
                gap_left_ = target - position_;
                is_damaged_ = false;
                return true;
            }
            if (!handle_) break;  // not even the header can be read any more
            step *= step_growth;
            target += static_cast<std::int64_t>(step);
        }
        const bool is_silent_to_the_end = is_believable(seconds(end_frame - position_), seconds(position_));
        if (end_frame > position_ && !is_silent_to_the_end)
            end_early(position_, end_frame, cause);
        else if (end_frame > position_)
            lose(position_, end_frame, cause);
        else if (format_.frames < 0)
            tell(SoundNews::Kind::lost,
                 fmt::format("ends at {:.3f} s, because {}", seconds(position_), cause));
        missing_at_end_ = is_silent_to_the_end ? end_frame - position_ : 0;
        return end();
    }

    bool end() {
        has_ended_ = true;
        if (!ogg_.has_last_page)
            tell(SoundNews::Kind::lost,
                 fmt::format("ends at {:.3f} s, because its last pages are missing: the file was cut "
                             "short",
                             seconds(position_)));
        tell_samples();
        return false;
    }

    /// Whether the length in the header is a count and no estimate.
    bool is_firm() const {
        const int kind = info_.format & SF_FORMAT_TYPEMASK;
        return format_.frames > info_.frames || kind == SF_FORMAT_FLAC || stored_frame_bytes(info_) > 0;
    }

    std::string cause_here() const {
        if (source_.error()) return std::strerror(source_.error());
        if (!is_damaged_ && has_later_streams() && position_ >= info_.frames) return later_streams();
        if (!is_damaged_ || source_.hit_the_end()) return "the file ends there";
        return "the file is damaged there";
    }

    void lose(std::int64_t from, std::int64_t to, const std::string& cause) {
        lost_frames_ += to - from;
        tell(SoundNews::Kind::lost,
             fmt::format("{:.3f} to {:.3f} s can't be read ({})", seconds(from), seconds(to), cause),
             "silence instead");
    }

    /// Instead of silence without end.
    void end_early(std::int64_t from, std::int64_t to, const std::string& cause) {
        lost_frames_ += to - from;
        tell(SoundNews::Kind::lost,
             fmt::format("{:.3f} to {:.3f} s can't be read ({})", seconds(from), seconds(to), cause),
             fmt::format("it ends at {:.3f} s", seconds(from)));
    }

    void check_samples(int frames) {
        check_.look(buffer_.data(), std::int64_t{frames} * format_.channels, position_, format_.channels);
        if (told_no_sound_) return;
        if (check_.is_no_sound()) return tell_no_sound();
        if (!check_.looks_like_integers()) return;
        told_no_sound_ = true;
        const float peak = std::max(check_.peak(), peak_of_rest());
        const int bits = bits_for(peak);
        tell(SoundNews::Kind::no_sound,
             fmt::format("holds integers as floating-point numbers: samples up to {:.0f} ({:+.0f} dBFS), "
                         "which nobody divided "
                         "by full scale. Divide them by {:.0f} ({} bits): sox FILE NEW.wav vol {:.8g}",
                         peak, 20. * std::log10(peak), std::exp2(bits - 1), bits, std::exp2(1 - bits)));
    }

    void tell_no_sound() {
        told_no_sound_ = true;
        tell(SoundNews::Kind::no_sound,
             fmt::format(
                 "holds numbers up to {:+.0f} dBFS, which are no sound: bytes of another kind, or in the "
                 "wrong order. Export it again as floating-point numbers of full scale 1",
                 20. * std::log10(static_cast<double>(check_.peak()))));
    }

    /// Of all that follows the piece in the buffer, which stays. Then reading goes on where it was.
    float peak_of_rest() {
        std::vector<float> samples(buffer_.size());
        float peak = 0.f;
        while (const auto got = sf_readf_float(handle_.get(), samples.data(), piece_frames)) {
            for (std::int64_t k = 0; k < got * format_.channels; ++k)
                if (std::isfinite(samples[k])) peak = std::max(peak, std::abs(samples[k]));
        }
        reopen_at(position_ + frames_in_buffer_);
        return peak;
    }

    void tell_samples() {
        if (check_.no_numbers() > 0)
            tell(SoundNews::Kind::bad_samples,
                 fmt::format("{} samples are no numbers (NaN or infinite), the first at {:.3f} s",
                             check_.no_numbers(), seconds(check_.first_no_number())));
        if (check_.beyond_sound() > 0 && !told_no_sound_)
            tell(SoundNews::Kind::bad_samples,
                 fmt::format(
                     "{} samples are louder than any sound (up to {:+.0f} dBFS), the first at {:.3f} s",
                     check_.beyond_sound(), 20. * std::log10(static_cast<double>(check_.peak())),
                     seconds(check_.first_beyond_sound())));
    }

    const std::string name_;
    SoundSource source_;
    const SoundHeader header_;
    SF_INFO info_{};
    SoundHandle handle_;
    SoundFormat format_;
    std::vector<float> buffer_;
    std::vector<SoundNews> news_;
    SampleCheck check_;
    OggPages ogg_;
    std::size_t next_hole_ = 0;
    std::int64_t begin_ = 0;  // of what libsndfile has
    int frames_in_buffer_ = 0;
    std::int64_t position_ = 0, gap_left_ = 0, missing_at_end_ = 0, lost_frames_ = 0;
    bool is_damaged_ = false, has_ended_ = false, told_no_sound_ = false;
};

SoundReader::SoundReader(const std::string& file) : file_(std::make_unique<File>(file)) {}
SoundReader::~SoundReader() = default;
const SoundFormat& SoundReader::format() const noexcept {
    return file_->format();
}
int SoundReader::read(float* const* channels, int frames) {
    return file_->read(channels, frames);
}
int SoundReader::read_as_promised(float* const* channels, int frames) {
    return file_->read_as_promised(channels, frames);
}
const std::vector<SoundNews>& SoundReader::news() const noexcept {
    return file_->news();
}
double SoundReader::lost_seconds() const noexcept {
    return file_->lost_seconds();
}

SoundData read_sound_file(const std::string& file) {
    SoundReader reader(file);
    const auto channels = static_cast<std::size_t>(reader.format().channels);
    SoundData sound{.channels = std::vector<std::vector<float>>(channels),
                    .rate_hz = reader.format().rate_hz,
                    .news = {}};
    std::vector<float*> end(channels);
    for (int got = piece_frames; got == piece_frames;) {
        const std::size_t done = sound.channels[0].size();
        if (static_cast<std::int64_t>(done * channels) > most_samples_in_memory)
            throw SoundFileError(
                fmt::format("{}: too long to be read at once: cut it into parts of an hour", file),
                sysexits::bad_data);
        for (std::size_t c = 0; c < channels; ++c) {
            sound.channels[c].resize(done + piece_frames);
            end[c] = sound.channels[c].data() + done;
        }
        got = reader.read(end.data(), piece_frames);
        for (auto& channel : sound.channels) channel.resize(done + static_cast<std::size_t>(got));
    }
    sound.news = reader.news();
    return sound;
}

}  // namespace gainstage
