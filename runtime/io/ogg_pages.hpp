#pragma once
/// What is missing of an Ogg file. Its decoders pass over missing pages without a word, and what follows
/// comes too early. Source: RFC 3533.

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/io/sound_source.hpp"

namespace gainstage {

/// Sound between two times that was on pages which are missing or damaged.
struct OggHole {
    std::int64_t from = 0, to = 0;  ///< in ticks; `from` < `to`
    std::int64_t page_at = 0;       ///< the first page behind it, in bytes
};

struct OggPages {
    std::vector<OggHole> holes;  ///< of the first stream, in order
    bool has_last_page = true;   ///< of the first stream; false: cut short, and nobody knows how long it was
    int ticks_per_second = 0;    ///< 0: a codec that we don't know (not Vorbis, Opus or FLAC)
    int ticks_before = 0;        ///< before the first sample (Opus)
    bool is_opus = false;
    std::int64_t sound_at = 0;  ///< the first page with sound, in bytes
    int streams = 1;            ///< one after the other: a chain, as of an internet radio
    double later_s = 0.;        ///< of sound in all streams but the first

    /// Of sound up to a tick. REQUIRES: the codec is known.
    double seconds(std::int64_t ticks) const {
        return static_cast<double>(ticks - ticks_before) / ticks_per_second;
    }
};

/// How a stream counts time, by its first packet: the ticks. Sources: Vorbis I 4.2.2, RFC 7845 5.1, the
/// mapping of FLAC to Ogg.
OggPages ogg_clock(std::string_view first_packet);

/// Looks at every page of the file. Says nothing of files with several streams beside each other. Control
/// thread.
OggPages look_at_ogg_pages(SoundSource&);

}  // namespace gainstage
