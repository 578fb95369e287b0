#include "runtime/io/sound_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "runtime/io/byte_order.hpp"
#include "runtime/io/sound_chunks.hpp"

namespace gainstage {

namespace {

constexpr int most_chunks = 1'000;
constexpr std::int64_t largest_size = 0xFFFF'FFFF;
constexpr std::int64_t largest_head = 1 << 20;  // of chunks before the sound: covers, notes, markers

/// All that stands before the sound. Empty: too much, or it can't be read.
std::string head_before(SoundSource& source, std::int64_t sound_at) {
    if (sound_at > largest_head) return {};
    std::string head = source.read_text(0, static_cast<std::size_t>(sound_at));
    return static_cast<std::int64_t>(head.size()) == sound_at ? head : std::string();
}

/// What is there of what the header promises.
std::int64_t there_of(std::int64_t promised, std::int64_t to_the_end) {
    return std::clamp<std::int64_t>(to_the_end, 0, std::max<std::int64_t>(0, promised));
}

/// A program that can't go back to the header writes the largest size that 32 or 31 bits hold, or one just
/// below.
bool means_unknown(std::int64_t size) {
    return size >= 0xFFFF'0000 || (size >= 0x7FFF'0000 && size <= 0x8000'0000);
}

std::string name_of_codec(std::int64_t tag) {
    switch (tag) {
        case 0x50:
            return "MPEG layer 2";
        case 0x55:
            return "MP3";
        case 0xFF:
        case 0x1600:
        case 0x1610:
            return "AAC";
        case 0x161:
        case 0x162:
            return "Windows Media Audio";
        case 0x2000:
            return "Dolby Digital (AC-3)";
        case 0x2001:
            return "DTS";
        case 0x674F:
        case 0x6750:
        case 0x6751:
            return "Ogg Vorbis";
        default:
            return {};
    }
}

/// Shorter ends than this may be anybody's padding.
constexpr std::int64_t least_late_sound = 64;

/// Whether sound goes on behind a place where the header has it end: neither padding, nor a tag, nor a chunk.
bool has_sound_at(SoundSource& source, const ChunkForm& form, std::int64_t at) {
    if (source.file_bytes() < at + least_late_sound) return false;
    const std::string after = source.read_text(at, least_late_sound);
    const bool is_padding = after.find_first_not_of('\0') == after.npos;
    const bool is_tag = after.starts_with("ID3") || after.starts_with("TAG") || after.starts_with("APETAGEX");
    return !is_padding && !is_tag && !is_chunk_at(source, form, at);
}

const char* const says_nothing = "doesn't say how long it is";
const char* const says_zero = "says 0 s";
const char* const is_behind = "ends before the sound does";

/// WAV and its larger brothers of the same chunks: RF64, BW64; RIFX with its numbers the other way round.
class WavHeader {
public:
    WavHeader(SoundSource& source, std::string_view id)
        : source_(source),
          is_large_(id == "RF64" || id == "BW64"),
          form_(id == "RIFX" ? rifx_chunks : wav_chunks) {}

    SoundHeader read() {
        riff_bytes_ = number_of(source_.read_text(4, 4), form_.order);
        find_sound();
        if (sound_at_ < 0) return header_;
        header_.bytes_there = std::max<std::int64_t>(0, source_.file_bytes() - sound_at_);
        judge();
        if (header_.unfinished.empty()) {
            if (header_.promised_bytes >= 0)
                header_.bytes_there = std::min(header_.bytes_there, header_.promised_bytes);
        } else {
            header_.promised_bytes = -1;
            header_.bytes_there = end_of_sound(source_, form_, sound_at_) - sound_at_;
            finish();
        }
        return header_;
    }
    bool has_large_sizes() const { return large_at_ >= 0; }

private:
    void find_sound() {
        std::int64_t at = 12;
        for (int k = 0; k < most_chunks; ++k) {
            const std::string head = source_.read_text(at, 8);
            if (head.size() < 8) return;
            const Chunk chunk = chunk_of(form_, head, at);
            if (head.starts_with("ds64") && is_large_) read_large_sizes(chunk.content);
            if (head.starts_with("fmt ")) read_format(chunk.content);
            if (head.starts_with("data")) {
                sound_at_ = chunk.content;
                header_.promised_bytes =
                    large_at_ >= 0 && chunk.size == largest_size ? large_sound_bytes_ : chunk.size;
                return;
            }
            at = chunk.next;
        }
    }

    void read_large_sizes(std::int64_t at) {
        const std::string sizes = source_.read_text(at, 16);
        if (sizes.size() < 16) return;
        large_at_ = at;
        large_sound_bytes_ = number_at(sizes, 8, 8, form_.order);
    }

    void read_format(std::int64_t at) {
        const std::string format = source_.read_text(at, 26);
        if (format.size() < 16) return;
        constexpr std::int64_t extensible = 0xFFFE;
        std::int64_t tag = number_at(format, 0, 2, form_.order);
        if (tag == extensible && format.size() >= 26) tag = number_at(format, 24, 2, form_.order);
        header_.codec = name_of_codec(tag);
    }

    /// Finds out whether the header was left as it was when the writing began, or is late.
    void judge() {
        const std::int64_t promised = header_.promised_bytes, there = header_.bytes_there;
        const bool is_unknown = promised < 0 || promised == largest_size ||
                                (!has_large_sizes() && means_unknown(promised) && promised > there);
        if (is_unknown)
            header_.unfinished = says_nothing;
        else if (promised == 0 && there > 0 && !is_chunk_at(source_, form_, sound_at_))
            header_.unfinished = says_zero;
        else if (is_late())
            header_.unfinished = is_behind;
    }

    /// A recorder that writes its header once a second and was killed in between.
    bool is_late() {
        const std::int64_t promised = header_.promised_bytes;
        if (promised > source_.file_bytes()) return false;  // and the sums below may not be numbers
        const std::int64_t sound_end = sound_at_ + promised + promised % 2;
        const std::int64_t riff_end = has_large_sizes() ? sound_end : 8 + riff_bytes_ + riff_bytes_ % 2;
        return promised > 0 && riff_end == sound_end && has_sound_at(source_, form_, sound_end);
    }

    /// The header as it would be had somebody finished it.
    void finish() {
        std::string head = head_before(source_, sound_at_);
        if (head.empty()) return;
        const std::int64_t sound = header_.bytes_there, riff = source_.file_bytes() - 8;
        const auto put = [&](std::int64_t at, int count, std::int64_t value) {
            put_number(head, at, count, value, form_.order);
        };
        if (has_large_sizes()) {
            head.replace(0, 4, "RF64");
            put(large_at_, 8, riff);
            put(large_at_ + 8, 8, sound);
            put(sound_at_ - 4, 4, largest_size);
        } else if (riff <= largest_size) {
            if (is_large_) head.replace(0, 4, "RIFF");
            put(4, 4, riff);
            put(sound_at_ - 4, 4, sound);
        } else if (form_.order == ByteOrder::big) {
            return;  // RIFX has no larger brother
        } else {
            constexpr std::int64_t large_chunk_bytes = 28;
            const auto bytes = [](std::int64_t value, int count) {
                return bytes_of(value, count, ByteOrder::little);
            };
            put(sound_at_ - 4, 4, largest_size);
            head = "RF64" + bytes(largest_size, 4) + "WAVEds64" + bytes(large_chunk_bytes, 4) +
                   bytes(riff + 8 + large_chunk_bytes, 8) + bytes(sound, 8) + bytes(0, 12) + head.substr(12);
        }
        source_.replace_head(std::move(head), sound_at_);
    }

    SoundSource& source_;
    const bool is_large_;
    const ChunkForm form_;
    SoundHeader header_;
    std::int64_t riff_bytes_ = 0, sound_at_ = -1, large_at_ = -1, large_sound_bytes_ = -1;
};

SoundHeader read_wav(SoundSource& source, std::string_view id) {
    WavHeader wav(source, id);
    SoundHeader header = wav.read();
    // libsndfile knows BW64 by its older name only.
    if (id == "BW64" && header.unfinished.empty())
        source.replace_head(wav.has_large_sizes() ? "RF64" : "RIFF", 4);
    return header;
}

/// Puts the true size of the sound in the head of its chunk, and what else `change` knows.
template <class Change>
void finish_head(SoundSource& source, const ChunkForm& form, const Chunk& sound, std::int64_t content_bytes,
                 std::int64_t head_end, Change change) {
    std::string head = head_before(source, head_end);
    if (head.empty()) return;
    const std::int64_t said = content_bytes + (form.size_counts_head ? form.head_bytes : 0);
    put_number(head, sound.at + form.size_at, form.size_bytes, said, form.order);
    change(head);
    source.replace_head(std::move(head), head_end);
}

/// Chunks are named by 16 bytes, of which the first four are letters; sizes count the chunk's head.
SoundHeader read_w64(SoundSource& source) {
    constexpr ChunkForm form = w64_chunks;
    SoundHeader header;
    std::int64_t at = 40;
    for (int k = 0; k < most_chunks; ++k) {
        const std::string head = source.read_text(at, static_cast<std::size_t>(form.head_bytes));
        if (head.size() < static_cast<std::size_t>(form.head_bytes)) return header;
        const Chunk chunk = chunk_of(form, head, at);
        if (head.starts_with("data")) {
            header.bytes_there = source.file_bytes() - chunk.content;
            header.promised_bytes = chunk.size;
            if (chunk.size > 0 || header.bytes_there <= 0 || is_chunk_at(source, form, chunk.content)) {
                header.bytes_there = there_of(header.promised_bytes, header.bytes_there);
                return header;
            }
            header.unfinished = says_zero;
            header.promised_bytes = -1;
            header.bytes_there = end_of_sound(source, form, chunk.content) - chunk.content;
            finish_head(source, form, chunk, header.bytes_there, chunk.content,
                        [&](std::string& all) { put_number(all, 16, 8, source.file_bytes(), form.order); });
            return header;
        }
        if (chunk.size < 0 || chunk.size > source.file_bytes()) return header;
        at = chunk.next;
    }
    return header;
}

/// AIFF and AIFF-C.
class AiffHeader {
public:
    explicit AiffHeader(SoundSource& source) : source_(source) {}

    SoundHeader read() {
        std::int64_t at = 12;
        for (int k = 0; k < most_chunks; ++k) {
            const std::string head = source_.read_text(at, 8);
            if (head.size() < 8) break;
            const Chunk chunk = chunk_of(form, head, at);
            if (head.starts_with("COMM")) read_format(chunk);
            if (head.starts_with("SSND") && !read_sound(chunk)) return header_;
            at = chunk.next;
        }
        header_.promised_frames = frames_;
        return header_;
    }

private:
    static constexpr ChunkForm form = aiff_chunks;
    static constexpr std::int64_t offset_and_block = 8;  // numbers before the sound

    void read_format(const Chunk& chunk) {
        const std::string format = source_.read_text(chunk.content, 22);
        if (format.size() < 18) return;
        frames_at_ = chunk.content + 2;
        frames_ = number_at(format, 2, 4, form.order);
        const std::int64_t channels = number_at(format, 0, 2, form.order);
        const std::int64_t bits = number_at(format, 6, 2, form.order);
        const bool is_coded = chunk.size >= 22 && format.size() >= 22;
        frame_bytes_ = channels * sample_bytes(is_coded ? format.substr(18, 4) : "NONE", bits);
    }

    /// 0: we don't know. Of ima4 a "frame" is a packet.
    static std::int64_t sample_bytes(const std::string& code, std::int64_t bits) {
        if (code == "fl32" || code == "FL32") return 4;
        if (code == "fl64" || code == "FL64") return 8;
        if (code == "ulaw" || code == "ULAW" || code == "alaw" || code == "ALAW") return 1;
        if (code == "ima4") return 34;
        const bool is_plain = code == "NONE" || code == "twos" || code == "sowt" || code == "raw " ||
                              code == "in24" || code == "in32";
        return is_plain ? (bits + 7) / 8 : 0;
    }

    /// False: the header was never finished, and what follows is sound.
    bool read_sound(const Chunk& chunk) {
        const std::int64_t sound_at = chunk.content + offset_and_block;
        const std::int64_t to_the_end = std::max<std::int64_t>(0, source_.file_bytes() - sound_at);
        header_.promised_bytes = std::max<std::int64_t>(0, chunk.size - offset_and_block);
        header_.bytes_there = there_of(header_.promised_bytes, to_the_end);
        header_.unfinished = fault_of(chunk, sound_at, to_the_end);
        if (header_.unfinished.empty()) return true;
        const bool size_is_good =
            frames_ == 0 && header_.bytes_there > 0 && header_.bytes_there == header_.promised_bytes;
        if (!size_is_good) header_.bytes_there = end_of_sound(source_, form, sound_at) - sound_at;
        header_.promised_bytes = -1;
        finish_head(source_, form, chunk, header_.bytes_there + offset_and_block, sound_at,
                    [&](std::string& head) {
                        put_number(head, 4, 4, source_.file_bytes() - 8, form.order);
                        if (frame_bytes_ > 0)
                            put_number(head, frames_at_, 4, header_.bytes_there / frame_bytes_, form.order);
                    });
        return false;
    }

    std::string fault_of(const Chunk& chunk, std::int64_t sound_at, std::int64_t to_the_end) {
        if (frames_at_ < 0 || to_the_end == 0) return {};  // what the sound is comes later, or nothing does
        const std::int64_t promised = header_.promised_bytes;
        if (means_unknown(chunk.size) && promised > to_the_end) return says_nothing;
        if (promised == 0) {
            const std::int64_t next = chunk.size == 0 ? chunk.content : sound_at;
            return is_chunk_at(source_, form, next) ? "" : says_zero;
        }
        if (frames_ == 0) return says_zero;
        const std::int64_t form_end = 8 + number_of(source_.read_text(4, 4), form.order);
        const bool is_last = form_end + form_end % 2 == chunk.next;
        return is_last && has_sound_at(source_, form, chunk.next) ? is_behind : "";
    }

    SoundSource& source_;
    SoundHeader header_;
    std::int64_t frames_ = -1, frames_at_ = -1, frame_bytes_ = 0;
};

/// A size of -1 says "to the end of the file", as live recordings have it; libsndfile refuses that, and a
/// size that is larger than the file.
SoundHeader read_caf(SoundSource& source) {
    constexpr ChunkForm form = caf_chunks;
    constexpr std::int64_t edit_count = 4;  // bytes before the sound
    SoundHeader header;
    std::int64_t at = 8;
    for (int k = 0; k < most_chunks; ++k) {
        const std::string head = source.read_text(at, static_cast<std::size_t>(form.head_bytes));
        if (head.size() < static_cast<std::size_t>(form.head_bytes)) return header;
        const Chunk chunk = chunk_of(form, head, at);
        if (head.starts_with("data")) {
            const std::int64_t sound_at = chunk.content + edit_count;
            header.bytes_there = std::max<std::int64_t>(0, source.file_bytes() - sound_at);
            const bool is_live = chunk.size < 0;
            const bool is_empty = !is_live && chunk.size <= edit_count && header.bytes_there > 0 &&
                                  !is_chunk_at(source, form, chunk.next);
            if (is_empty) {
                header.unfinished = says_zero;
                header.bytes_there = end_of_sound(source, form, sound_at) - sound_at;
            } else if (!is_live) {
                header.promised_bytes = std::max<std::int64_t>(0, chunk.size - edit_count);
            }
            const bool is_short = header.promised_bytes > header.bytes_there;
            header.bytes_there = is_live || is_empty ? header.bytes_there
                                                     : there_of(header.promised_bytes, header.bytes_there);
            if (is_live || is_empty || is_short)
                finish_head(source, form, chunk, header.bytes_there + edit_count, chunk.content,
                            [](std::string&) {});
            return header;
        }
        if (chunk.size < 0 || chunk.size > source.file_bytes()) return header;
        at = chunk.next;
    }
    return header;
}

/// Sun's and NeXT's AU: a header of fixed places. All ones say that nobody knows the size.
SoundHeader read_au(SoundSource& source, ByteOrder order) {
    SoundHeader header;
    const std::string head = source.read_text(0, 24);
    if (head.size() < 24) return header;
    const std::int64_t sound_at = number_at(head, 4, 4, order), size = number_at(head, 8, 4, order);
    header.bytes_there = std::max<std::int64_t>(0, source.file_bytes() - sound_at);
    if (size == largest_size) return header;
    if (size > 0 || header.bytes_there == 0) {
        header.promised_bytes = size;
        header.bytes_there = there_of(size, header.bytes_there);
        return header;
    }
    std::string all = head_before(source, sound_at);
    if (all.size() < 24) return header;
    header.unfinished = says_zero;
    put_number(all, 8, 4, std::min(header.bytes_there, largest_size), order);
    source.replace_head(std::move(all), sound_at);
    return header;
}

}  // namespace

SoundHeader read_sound_header(SoundSource& source) {
    const std::string head = source.read_text(0, 40);
    const std::string_view id = std::string_view(head).substr(0, 4);
    const bool is_wave = head.size() >= 12 && head.compare(8, 4, "WAVE") == 0;
    const bool is_riff = id == "RIFF" || id == "RIFX" || id == "RF64" || id == "BW64";
    if (is_riff && is_wave) return read_wav(source, id);
    if (id == "riff" && head.size() >= 40) return read_w64(source);
    if (id == "FORM" && head.size() >= 12 && head.compare(8, 3, "AIF") == 0) return AiffHeader(source).read();
    if (id == "caff") return read_caf(source);
    if (id == ".snd") return read_au(source, ByteOrder::big);
    if (id == "dns.") return read_au(source, ByteOrder::little);
    return {};
}

}  // namespace gainstage
