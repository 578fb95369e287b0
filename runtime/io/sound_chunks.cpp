#include "runtime/io/sound_chunks.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace gainstage {

namespace {

constexpr std::size_t window_bytes = 1 << 20;
constexpr int most_following = 1'000;

bool is_name_letter(char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) ||
           std::string_view(" _-.()").find(letter) != std::string_view::npos;
}

/// Sony's GUIDs continue the four letters in one of two ways.
bool continues_as_guid(std::string_view head) {
    using namespace std::string_view_literals;
    const std::string_view rest = head.substr(4, 12);
    return rest == "\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"sv ||
           rest.substr(1) == "\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"sv;
}

bool has_name(const ChunkForm& form, std::string_view head) {
    return head[0] != ' ' && std::all_of(head.begin(), head.begin() + 4, is_name_letter) &&
           (!form.has_long_names || continues_as_guid(head));
}

/// Whether chunks lie from the one with this head on without a gap up to the end of the file. The last may
/// lack the byte that makes its size even.
bool leads_to_the_end(SoundSource& source, const ChunkForm& form, std::string_view first, std::int64_t at,
                      int& reads_left) {
    const std::int64_t end = source.file_bytes();
    const auto head_bytes = static_cast<std::size_t>(form.head_bytes);
    std::string head(first.substr(0, head_bytes));
    for (int k = 0; k < most_following && head.size() == head_bytes && has_name(form, head); ++k) {
        const Chunk chunk = chunk_of(form, head, at);
        if (chunk.size < 0 || chunk.size > end - chunk.content) return false;
        if (chunk.next >= end) return true;
        if (--reads_left < 0) return false;
        at = chunk.next;
        head = source.read_text(at, head_bytes);
    }
    return false;
}

}  // namespace

Chunk chunk_of(const ChunkForm& form, std::string_view head, std::int64_t at) {
    const std::int64_t said = number_at(head, form.size_at, form.size_bytes, form.order);
    const std::int64_t size =
        form.size_counts_head ? std::max<std::int64_t>(said, 0) - form.head_bytes : said;
    constexpr std::int64_t farthest = std::int64_t{1} << 60;
    const std::int64_t content = at + form.head_bytes;
    const std::int64_t end = content + std::clamp<std::int64_t>(size, 0, farthest);
    return {
        .at = at, .size = size, .content = content, .next = (end + form.step - 1) / form.step * form.step};
}

bool is_chunk_at(SoundSource& source, const ChunkForm& form, std::int64_t at) {
    const auto head_bytes = static_cast<std::size_t>(form.head_bytes);
    const std::string head = source.read_text(at, head_bytes);
    if (head.size() < head_bytes) return true;  // nothing, or a rest of something
    const auto is_printed = [](unsigned char letter) { return std::isprint(letter) != 0; };
    if (!std::all_of(head.begin(), head.begin() + 4, is_printed)) return false;
    if (form.has_long_names && !continues_as_guid(head)) return false;
    const Chunk chunk = chunk_of(form, head, at);
    return chunk.size >= 0 && chunk.size <= source.file_bytes() + 1 - chunk.content;
}

std::int64_t end_of_sound(SoundSource& source, const ChunkForm& form, std::int64_t begin) {
    const auto head_bytes = static_cast<std::size_t>(form.head_bytes);
    const std::int64_t end = source.file_bytes();
    int reads_left = 100'000;  // a file made for it would be read for hours
    std::int64_t at = (begin + form.step - 1) / form.step * form.step;
    while (at < end && reads_left >= 0) {
        const std::string window = source.read_text(at, window_bytes);
        if (window.size() < head_bytes) break;
        const std::size_t last = window.size() - head_bytes;
        for (std::size_t k = 0; k <= last; k += static_cast<std::size_t>(form.step)) {
            const std::string_view head = std::string_view(window).substr(k, head_bytes);
            const std::int64_t place = at + static_cast<std::int64_t>(k);
            if (has_name(form, head) && leads_to_the_end(source, form, head, place, reads_left)) return place;
        }
        // The next window begins where this one had no room for a head.
        at += static_cast<std::int64_t>(last / static_cast<std::size_t>(form.step) + 1) * form.step;
    }
    return end;
}

}  // namespace gainstage
