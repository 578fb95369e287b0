#include "runtime/io/ogg_pages.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/io/byte_order.hpp"

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

struct Page {
    std::int64_t at = 0;        ///< in the file
    std::int64_t size = 0;      ///< 0: there is no whole page
    std::int64_t granule = -1;  ///< samples up to its end; -1: no packet ends on it
    std::int64_t stream = 0, number = 0;
    bool is_first = false, is_last = false;  // of its stream
    std::string body = {};                   // of a first page
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
    constexpr ByteOrder order = ByteOrder::little;
    if (crc_of(page) != number_at(head, 22, 4, order)) return {};
    const bool is_first = (head[5] & 2) != 0;
    return {.at = at,
            .size = static_cast<std::int64_t>(size),
            .granule = number_at(head, 6, 8, order),
            .stream = number_at(head, 14, 4, order),
            .number = number_at(head, 18, 4, order),
            .is_first = is_first,
            .is_last = (head[5] & 4) != 0,
            .body = is_first ? page.substr(page_head_bytes + segments) : std::string()};
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

/// The streams of a chain, one after the other.
class Chain {
public:
    /// False: streams lie beside each other, as sound does beside a picture.
    bool add(const Page& page) {
        if (page.is_first) {
            if (!has_sound_ && streams_ > 0) return false;
            begin(page);
        }
        if (streams_ == 0 || page.stream != stream_) return streams_ == 0;
        if (streams_ == 1)
            add_to_first(page);
        else if (page.granule > 0)
            last_ = page.granule;
        has_sound_ = has_sound_ || page.granule > 0;
        expected_ = page.number + 1;
        return true;
    }
    OggPages found() {
        count_stream();
        return std::move(found_);
    }

private:
    void begin(const Page& page) {
        count_stream();
        stream_ = page.stream;
        expected_ = page.number;
        has_sound_ = false;
        last_ = 0;
        (++streams_ == 1 ? found_ : later_) = ogg_clock(page.body);
        if (streams_ == 1) found_.has_last_page = false;
    }

    /// The stream that ends here.
    void count_stream() {
        found_.streams = std::max(streams_, 1);
        if (streams_ > 1 && later_.ticks_per_second > 0)
            found_.later_s += std::max(0., later_.seconds(last_));
    }

    void add_to_first(const Page& page) {
        if (!is_open_ && page.number != expected_) {
            is_open_ = true;
            behind_ = page.at;
        }
        if (found_.sound_at == 0 && page.granule > 0) found_.sound_at = page.at;
        found_.has_last_page = page.is_last;
        if (page.granule < 0) return;
        if (is_open_ && page.granule > granule_ && found_.holes.size() < most_holes)
            found_.holes.push_back({granule_, page.granule, behind_});
        is_open_ = false;
        granule_ = page.granule;
    }

    OggPages found_, later_;
    std::int64_t stream_ = 0, expected_ = 0, granule_ = 0, last_ = 0, behind_ = 0;
    int streams_ = 0;
    bool has_sound_ = false, is_open_ = false;  // a hole whose end isn't known yet
};

}  // namespace

OggPages ogg_clock(std::string_view first_packet) {
    OggPages found;
    const auto number = [&](std::int64_t at, int count, ByteOrder order) {
        const bool is_there = first_packet.size() >= static_cast<std::size_t>(at + count);
        return is_there ? static_cast<int>(number_at(first_packet, at, count, order)) : 0;
    };
    if (first_packet.starts_with("\x01vorbis")) {
        found.ticks_per_second = number(12, 4, ByteOrder::little);
    } else if (first_packet.starts_with("OpusHead")) {
        found.is_opus = true;
        found.ticks_per_second = 48'000;
        found.ticks_before = number(10, 2, ByteOrder::little);
    } else if (first_packet.starts_with("\x7f"
                                        "FLAC")) {
        found.ticks_per_second = number(27, 3, ByteOrder::big) >> 4;
    }
    return found;
}

OggPages look_at_ogg_pages(SoundSource& source) {
    Chain chain;
    for (std::int64_t at = 0; at < source.file_bytes();) {
        const Page page = page_at(source, at);
        if (page.size > 0 && !chain.add(page)) return {};
        at = page.size > 0 ? at + page.size : next_page(source, at + 1);
    }
    return chain.found();
}

}  // namespace gainstage
