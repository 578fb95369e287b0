#pragma once
/// What is missing of an Ogg file. Its decoders pass over missing pages without a word, and what follows
/// comes too early. Source: RFC 3533.

#include <cstdint>
#include <vector>

#include "runtime/io/sound_source.hpp"

namespace gainstage {

/// Sound between two times that was on pages which are missing or damaged.
struct OggHole {
    std::int64_t from = 0, to = 0;  ///< in samples; `from` < `to`
};

struct OggPages {
    std::vector<OggHole> holes;  ///< in order
    bool has_last_page = true;   ///< false: the file was cut short, and nobody knows how long it was
};

/// Looks at every page of the file. Says nothing of files with several streams. Control thread.
OggPages look_at_ogg_pages(SoundSource&);

}  // namespace gainstage
