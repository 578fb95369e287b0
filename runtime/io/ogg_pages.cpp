#include "runtime/io/ogg_pages.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <string_view>

namespace gainstage {

namespace {

constexpr std::size_t page_head_bytes = 27;
constexpr std::size_t search_bytes = 1 << 16;
constexpr std::size_t most_holes = 1'000;

constexpr std::array<std::uint32_t, 256> crc_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t k = 0; k < 256; ++k) {
        std::uint32_t rest = k << 24;
        for (int bit = 0; bit < 8; ++bit) rest = rest << 1 ^ (rest & 0x8000'0000 ? 0x04C1'1DB7u : 0u);
        table[k] = rest;
    }
    return table;
}();

std::uint32_t crc_of(std::string_view bytes) {
    std::uint32_t crc = 0;
    for (const char byte : bytes)
        crc = crc << 8 ^ crc_table[(crc >> 24 ^ static_cast<std::uint8_t>(byte)) & 0xFF];
    return crc;
}

std::uint64_t number_at(std::string_view bytes, std::size_t at, int count) {
    std::uint64_t value = 0;
    for (int k = count - 1; k >= 0; --k)
        value = value << 8 | static_cast<std::uint8_t>(bytes[at + static_cast<std::size_t>(k)]);
    return value;
}

struct Page {
    std::int64_t size = 0;      ///< 0: there is no whole page
    std::int64_t granule = -1;  ///< samples up to its end; -1: no packet ends on it
    std::uint32_t stream = 0, number = 0;
    bool is_last = false;
};

Page page_at(SoundSource& source, std::int64_t at) {
    const std::string head = source.read_text(at, page_head_bytes);
    if (head.size() < page_head_bytes || !head.starts_with("OggS")) return {};
    const std::size_t segments = static_cast<std::uint8_t>(head[26]);
    const std::string sizes = source.read_text(at + static_cast<std::int64_t>(page_head_bytes), segments);
    const std::size_t body =
        std::accumulate(sizes.begin(), sizes.end(), std::size_t{0},
                        [](std::size_t sum, char size) { return sum + static_cast<std::uint8_t>(size); });
    const std::size_t size = page_head_bytes + segments + body;
    std::string page = source.read_text(at, size);
    if (page.size() < size) return {};
    page.replace(22, 4, 4, '\0');
    if (crc_of(page) != number_at(head, 22, 4)) return {};
    return {.size = static_cast<std::int64_t>(size),
            .granule = static_cast<std::int64_t>(number_at(head, 6, 8)),
            .stream = static_cast<std::uint32_t>(number_at(head, 14, 4)),
            .number = static_cast<std::uint32_t>(number_at(head, 18, 4)),
            .is_last = (head[5] & 4) != 0};
}

/// The next place from `at` on that may be a page; the end of the file if there is none.
std::int64_t next_page(SoundSource& source, std::int64_t at) {
    while (at < source.file_bytes()) {
        const std::string bytes = source.read_text(at, search_bytes);
        const std::size_t found = bytes.find("OggS");
        if (found != bytes.npos) return at + static_cast<std::int64_t>(found);
        if (bytes.size() < search_bytes) break;
        at += static_cast<std::int64_t>(search_bytes) - 3;  // the name may lie on the edge
    }
    return source.file_bytes();
}

}  // namespace

OggPages look_at_ogg_pages(SoundSource& source) {
    OggPages found;
    found.has_last_page = false;
    std::uint32_t stream = 0, expected = 0;
    std::int64_t granule = 0;
    bool has_begun = false, is_open = false;  // a hole whose end isn't known yet
    for (std::int64_t at = 0; at < source.file_bytes();) {
        const Page page = page_at(source, at);
        if (page.size == 0) {
            at = next_page(source, at + 1);
            continue;
        }
        at += page.size;
        if (has_begun && page.stream != stream) return {};
        is_open = is_open || (has_begun && page.number != expected);
        has_begun = true;
        stream = page.stream;
        expected = page.number + 1;
        found.has_last_page = page.is_last;
        if (page.granule < 0) continue;
        if (is_open && page.granule > granule && found.holes.size() < most_holes)
            found.holes.push_back({granule, page.granule});
        is_open = false;
        granule = page.granule;
    }
    return found;
}

}  // namespace gainstage
