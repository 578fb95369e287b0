#pragma once
/// How much memory the process has taken from the heap and not given back.

#include <malloc.h>

#include <array>
#include <cstddef>
#include <cstdlib>

namespace gainstage::test {

/// Bytes in use, exactly. mallinfo2() counts what this thread has freed and glibc keeps for it (up to seven
/// pieces of each of 64 sizes) as in use, so all of those are taken while it counts, and left out.
inline std::size_t heap_in_use() {
    constexpr std::size_t sizes = 64, of_each = 7;
    static std::array<void*, sizes * of_each> taken;
    std::size_t ours = 0;
    for (std::size_t n = 0; n < taken.size(); ++n) {
        taken[n] = std::malloc(24 + 16 * (n / of_each));
        ours += malloc_usable_size(taken[n]) + sizeof(std::size_t);
    }
    const struct mallinfo2 info = mallinfo2();
    for (void* piece : taken) std::free(piece);
    return info.uordblks + info.hblkhd - ours;
}

}  // namespace gainstage::test
