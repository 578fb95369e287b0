#pragma once
/// How the process keeps memory that is freed.

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace gainstage {

/// Blocks of 1 MB and more go back to the system when they are freed. Else the C library learns from the
/// first freed model to keep the next ones' memory: two or three models' worth, locked. For the whole
/// process: a program calls it at its start.
inline void return_large_blocks() noexcept {
#if defined(M_MMAP_THRESHOLD)
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
}

}  // namespace gainstage
