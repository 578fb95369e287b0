#pragma once
/// Chunks: a name, a size, and as many bytes. WAV, W64, AIFF and CAF are made of them.

#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/io/byte_order.hpp"
#include "runtime/io/sound_source.hpp"

namespace gainstage {

/// How a format writes its chunks. Each begins with a name of four letters.
struct ChunkForm {
    ByteOrder order = ByteOrder::little;
    int head_bytes = 8;  ///< name and size
    int size_at = 4;     ///< in the head
    int size_bytes = 4;  ///< of the number
    int step = 2;        ///< chunks begin at multiples of it
    bool size_counts_head = false;
    bool has_long_names = false;  ///< W64: the four letters are the beginning of a GUID
};

inline constexpr ChunkForm wav_chunks{}, rifx_chunks{.order = ByteOrder::big}, aiff_chunks = rifx_chunks;
inline constexpr ChunkForm caf_chunks{.order = ByteOrder::big, .head_bytes = 12, .size_bytes = 8, .step = 1};
inline constexpr ChunkForm w64_chunks{.head_bytes = 24,
                                      .size_at = 16,
                                      .size_bytes = 8,
                                      .step = 8,
                                      .size_counts_head = true,
                                      .has_long_names = true};

struct Chunk {
    std::int64_t at = 0;       ///< of its head
    std::int64_t size = 0;     ///< of its content, as its head says: nobody vouches for it
    std::int64_t content = 0;  ///< where that begins
    std::int64_t next = 0;     ///< where the next chunk begins
};

/// The chunk whose head is `head` (at least head_bytes of it) and lies at `at`.
Chunk chunk_of(const ChunkForm&, std::string_view head, std::int64_t at);

/// Whether something that looks like a chunk begins at `at`, and its size leads to a place in the file.
bool is_chunk_at(SoundSource&, const ChunkForm&, std::int64_t at);

/// Where the sound ends that begins at `begin`, in a file that doesn't say so: before the chunks that fill
/// the rest of the file to its last byte, or at the end of the file. Reads all of it, once, and up to 100,000
/// heads; a file that asks for more has no such chunks.
std::int64_t end_of_sound(SoundSource&, const ChunkForm&, std::int64_t begin);

}  // namespace gainstage
