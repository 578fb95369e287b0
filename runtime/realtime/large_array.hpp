#pragma once
/// Megabytes that the audio thread will write, all of them touched before it does.

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace gainstage {

/// An array whose elements begin as zero bytes. One of 2 MiB and more lies on huge pages where the system has
/// any: 4 MiB then take 2 page faults instead of 1,024, and the audio thread misses fewer addresses.
/// REQUIRES: zero bytes are a value of T. Built and freed off the audio thread.
template <class T>
class LargeArray {
public:
    static_assert(std::is_trivially_destructible_v<T>);

    /// Throws std::bad_alloc.
    explicit LargeArray(std::size_t count) {
        const std::size_t bytes = count * sizeof(T);
        const std::size_t alignment = bytes >= huge_page ? huge_page : 64;
        std::size_t room = bytes + alignment;
        // calloc hands out pages of the system as they are: they are zero and not there yet.
        memory_ = std::calloc(1, room);
        if (!memory_) throw std::bad_alloc();
        void* first = memory_;
        first_ = static_cast<std::byte*>(std::align(alignment, bytes, first, room));
#ifdef MADV_HUGEPAGE
        if (bytes >= huge_page) madvise(first_, bytes, MADV_HUGEPAGE);  // a wish: small pages do as well
#endif
        for (std::size_t at = 0; at < bytes; at += small_page) {
            volatile std::byte& touched = first_[at];
            touched = std::byte{0};
        }
        if (bytes > 0) {  // an array that begins within a page ends in one more
            volatile std::byte& last = first_[bytes - 1];
            last = std::byte{0};
        }
    }
    LargeArray(const LargeArray&) = delete;
    LargeArray& operator=(const LargeArray&) = delete;
    ~LargeArray() {
        std::free(memory_);
    }

    T* data() const noexcept {
        return reinterpret_cast<T*>(first_);
    }

private:
    static constexpr std::size_t huge_page = std::size_t{2} << 20, small_page = 4096;

    void* memory_ = nullptr;
    std::byte* first_ = nullptr;
};

}  // namespace gainstage
