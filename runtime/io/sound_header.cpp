#include "runtime/io/sound_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

namespace gainstage {

namespace {

constexpr int most_chunks = 1'000;
constexpr std::int64_t largest_size = 0xFFFF'FFFF;
constexpr std::int64_t largest_head = 1 << 20;  // of chunks before the sound: covers, notes, markers

std::int64_t little(std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t k = bytes.size(); k-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[k]);
    return static_cast<std::int64_t>(value);
}

std::int64_t big(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
    return static_cast<std::int64_t>(value);
}

void put_little(std::string& bytes, std::int64_t at, int count, std::int64_t value) {
    for (int k = 0; k < count; ++k)
        bytes[static_cast<std::size_t>(at) + static_cast<std::size_t>(k)] =
            static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * k));
}

std::string little_bytes(std::int64_t value, int count) {
    std::string bytes(static_cast<std::size_t>(count), '\0');
    put_little(bytes, 0, count, value);
    return bytes;
}

void put_big(std::string& bytes, std::int64_t at, int count, std::int64_t value) {
    for (int k = 0; k < count; ++k)
        bytes[static_cast<std::size_t>(at + k)] =
            static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * (count - 1 - k)));
}

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

/// WAV and its larger brothers of the same chunks: RF64, BW64.
class WavHeader {
public:
    WavHeader(SoundSource& source, bool is_large) : source_(source), is_large_(is_large) {}

    SoundHeader read() {
        riff_bytes_ = little(source_.read_text(4, 4));
        find_sound();
        if (sound_at_ < 0) return header_;
        const std::int64_t end = source_.file_bytes();
        header_.bytes_there = std::max<std::int64_t>(0, end - sound_at_);
        judge();
        if (header_.unfinished.empty()) {
            if (header_.promised_bytes >= 0)
                header_.bytes_there = std::min(header_.bytes_there, header_.promised_bytes);
        } else {
            header_.promised_bytes = -1;
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
            const std::string_view id = std::string_view(head).substr(0, 4);
            const std::int64_t size = little(std::string_view(head).substr(4));
            if (id == "ds64" && is_large_) read_large_sizes(at + 8);
            if (id == "fmt ") read_format(at + 8);
            if (id == "data") {
                sound_at_ = at + 8;
                header_.promised_bytes = large_at_ >= 0 && size == largest_size ? large_sound_bytes_ : size;
                return;
            }
            at += 8 + size + size % 2;
        }
    }

    void read_large_sizes(std::int64_t at) {
        const std::string sizes = source_.read_text(at, 16);
        if (sizes.size() < 16) return;
        large_at_ = at;
        large_sound_bytes_ = little(std::string_view(sizes).substr(8));
    }

    void read_format(std::int64_t at) {
        const std::string format = source_.read_text(at, 26);
        if (format.size() < 16) return;
        constexpr std::int64_t extensible = 0xFFFE;
        std::int64_t tag = little(std::string_view(format).substr(0, 2));
        if (tag == extensible && format.size() >= 26) tag = little(std::string_view(format).substr(24, 2));
        header_.codec = name_of_codec(tag);
    }

    /// Finds out whether the header was left as it was when the writing began, or is late.
    void judge() {
        const std::int64_t promised = header_.promised_bytes, there = header_.bytes_there;
        const bool is_unknown = promised < 0 || promised == largest_size ||
                                (!has_large_sizes() && means_unknown(promised) && promised > there);
        if (is_unknown)
            header_.unfinished = "doesn't say how long it is";
        else if (promised == 0 && there > 0 && !is_chunk_at(sound_at_))
            header_.unfinished = "says 0 s";
        else if (is_late())
            header_.unfinished = "ends before the sound does";
    }

    /// A recorder that writes its header once a second and was killed in between.
    bool is_late() {
        const std::int64_t promised = header_.promised_bytes;
        const std::int64_t sound_end = sound_at_ + promised + promised % 2;
        const std::int64_t riff_end = has_large_sizes() ? sound_end : 8 + riff_bytes_ + riff_bytes_ % 2;
        constexpr std::int64_t least = 64;  // less may be anybody's padding
        if (promised <= 0 || riff_end != sound_end || source_.file_bytes() < sound_end + least) return false;
        const std::string after = source_.read_text(sound_end, least);
        const bool is_padding = after.find_first_not_of('\0') == after.npos;
        const bool is_tag =
            after.starts_with("ID3") || after.starts_with("TAG") || after.starts_with("APETAGEX");
        return !is_padding && !is_tag && !is_chunk_at(sound_end);
    }

    bool is_chunk_at(std::int64_t at) {
        const std::string head = source_.read_text(at, 8);
        if (head.size() < 8) return true;  // nothing, or a rest of something
        for (const char letter : head.substr(0, 4))
            if (!std::isprint(static_cast<unsigned char>(letter))) return false;
        return at + 8 + little(std::string_view(head).substr(4)) <= source_.file_bytes() + 1;
    }

    /// The header as it would be had somebody finished it.
    void finish() {
        std::string head = head_before(source_, sound_at_);
        if (head.empty()) return;
        const std::int64_t sound = header_.bytes_there;
        const std::int64_t riff = sound_at_ - 8 + sound;
        if (has_large_sizes()) {
            head.replace(0, 4, "RF64");
            put_little(head, large_at_, 8, riff);
            put_little(head, large_at_ + 8, 8, sound);
            put_little(head, sound_at_ - 4, 4, largest_size);
        } else if (riff <= largest_size) {
            head.replace(0, 4, "RIFF");
            put_little(head, 4, 4, riff);
            put_little(head, sound_at_ - 4, 4, sound);
        } else {
            constexpr std::int64_t large_chunk_bytes = 28;
            put_little(head, sound_at_ - 4, 4, largest_size);
            head = "RF64" + little_bytes(largest_size, 4) + "WAVEds64" + little_bytes(large_chunk_bytes, 4) +
                   little_bytes(riff + 8 + large_chunk_bytes, 8) + little_bytes(sound, 8) +
                   little_bytes(0, 12) + head.substr(12);
        }
        source_.replace_head(std::move(head), sound_at_);
    }

    SoundSource& source_;
    const bool is_large_;
    SoundHeader header_;
    std::int64_t riff_bytes_ = 0, sound_at_ = -1, large_at_ = -1, large_sound_bytes_ = -1;
};

SoundHeader read_wav(SoundSource& source, std::string_view id) {
    WavHeader wav(source, id != "RIFF");
    SoundHeader header = wav.read();
    // libsndfile knows BW64 by its older name only.
    if (id == "BW64" && header.unfinished.empty())
        source.replace_head(wav.has_large_sizes() ? "RF64" : "RIFF", 4);
    return header;
}

/// Chunks are named by 16 bytes, of which the first four are letters; sizes count the chunk's head.
SoundHeader read_w64(SoundSource& source) {
    constexpr std::int64_t head_bytes = 24;
    SoundHeader header;
    std::int64_t at = 40;
    for (int k = 0; k < most_chunks; ++k) {
        const std::string head = source.read_text(at, head_bytes);
        if (head.size() < head_bytes) return header;
        const std::int64_t size = little(std::string_view(head).substr(16));
        if (head.starts_with("data")) {
            header.bytes_there = source.file_bytes() - at - head_bytes;
            header.promised_bytes = size - head_bytes;
            if (size <= head_bytes && header.bytes_there > 0) {
                header.unfinished = "says 0 s";
                header.promised_bytes = -1;
                const std::int64_t sound_at = at + head_bytes;
                std::string all = head_before(source, sound_at);
                if (all.empty()) return header;
                put_little(all, 16, 8, source.file_bytes());
                put_little(all, at + 16, 8, header.bytes_there + head_bytes);
                source.replace_head(std::move(all), sound_at);
            } else {
                header.bytes_there = there_of(header.promised_bytes, header.bytes_there);
            }
            return header;
        }
        if (size < head_bytes || size > source.file_bytes()) return header;
        at += (size + 7) / 8 * 8;
    }
    return header;
}

SoundHeader read_aiff(SoundSource& source) {
    SoundHeader header;
    std::int64_t at = 12;
    for (int k = 0; k < most_chunks; ++k) {
        const std::string head = source.read_text(at, 16);
        if (head.size() < 8) return header;
        const std::int64_t size = big(std::string_view(head).substr(4, 4));
        if (head.starts_with("COMM") && head.size() >= 14)
            header.promised_frames = big(std::string_view(head).substr(10, 4));
        if (head.starts_with("SSND")) {
            constexpr std::int64_t offset_and_block = 8;
            header.promised_bytes = size - offset_and_block;
            header.bytes_there =
                there_of(header.promised_bytes, source.file_bytes() - at - 8 - offset_and_block);
        }
        at += 8 + size + size % 2;
    }
    return header;
}

SoundHeader read_caf(SoundSource& source) {
    SoundHeader header;
    std::int64_t at = 8;
    for (int k = 0; k < most_chunks; ++k) {
        const std::string head = source.read_text(at, 12);
        if (head.size() < 12) return header;
        const std::int64_t size = big(std::string_view(head).substr(4));
        if (head.starts_with("data")) {
            constexpr std::int64_t edit_count = 4;
            header.bytes_there = source.file_bytes() - at - 12 - edit_count;
            if (size < 0) return header;  // "to the end of the file"
            header.promised_bytes = size - edit_count;
            // libsndfile refuses a size that is larger than the file.
            if (header.promised_bytes > header.bytes_there) {
                std::string all = head_before(source, at + 12);
                if (all.empty()) return header;
                put_big(all, at + 4, 8, header.bytes_there + edit_count);
                source.replace_head(std::move(all), at + 12);
            }
            header.bytes_there = there_of(header.promised_bytes, header.bytes_there);
            return header;
        }
        if (size < 0 || size > source.file_bytes()) return header;
        at += 12 + size;
    }
    return header;
}

}  // namespace

SoundHeader read_sound_header(SoundSource& source) {
    const std::string head = source.read_text(0, 40);
    const std::string_view id = std::string_view(head).substr(0, 4);
    const bool is_wave = head.size() >= 12 && head.compare(8, 4, "WAVE") == 0;
    if ((id == "RIFF" || id == "RF64" || id == "BW64") && is_wave) return read_wav(source, id);
    if (id == "riff" && head.size() >= 40) return read_w64(source);
    if (id == "FORM" && head.size() >= 12 && head.compare(8, 3, "AIF") == 0) return read_aiff(source);
    if (id == "caff") return read_caf(source);
    return {};
}

}  // namespace gainstage
