#pragma once
/// Megabytes that the audio thread will write, all of them touched before it does.

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

// AddressSanitizer sees the end of an array only if it comes from operator new.
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
#define GAINSTAGE_MAPS_LARGE_ARRAYS
#include <sys/mman.h>
#endif

namespace gainstage {

/// An array whose elements begin as zero bytes. On Linux one of 2 MiB and more comes straight from the
/// system, on huge pages where there are any: 4 MiB then take 2 page faults instead of 1,024, and the audio
/// thread misses fewer addresses. REQUIRES: zero bytes are a value of T. Built and freed off the audio
/// thread.
template <class T>
class LargeArray {
public:
    static_assert(std::is_trivially_destructible_v<T>);

    /// Throws std::bad_alloc.
    explicit LargeArray(std::size_t count) : bytes_(count * sizeof(T)) {
#ifdef GAINSTAGE_MAPS_LARGE_ARRAYS
        if (bytes_ >= huge_page) {
            map();
            return;
        }
#endif
        memory_ = static_cast<std::byte*>(::operator new(bytes_));
        std::uninitialized_value_construct_n(data(), count);
    }
    LargeArray(const LargeArray&) = delete;
    LargeArray& operator=(const LargeArray&) = delete;
    ~LargeArray() {
#ifdef GAINSTAGE_MAPS_LARGE_ARRAYS
        if (mapped_) {
            munmap(mapped_, bytes_ + huge_page);
            return;
        }
#endif
        ::operator delete(memory_);
    }

    T* data() const noexcept {
        return reinterpret_cast<T*>(memory_);
    }

private:
#ifdef GAINSTAGE_MAPS_LARGE_ARRAYS
    static constexpr std::size_t huge_page = std::size_t{2} << 20, small_page = 4096;

    /// The system hands out zeroes, page by page as they are first written: here.
    void map() {
        mapped_ =
            mmap(nullptr, bytes_ + huge_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapped_ == MAP_FAILED) throw std::bad_alloc();
        std::size_t room = bytes_ + huge_page;
        void* first = mapped_;
        memory_ = static_cast<std::byte*>(std::align(huge_page, bytes_, first, room));
        madvise(memory_, bytes_, MADV_HUGEPAGE);  // a wish: small pages do as well
        for (std::size_t at = 0; at < bytes_; at += small_page) {
            volatile std::byte& touched = memory_[at];
            touched = std::byte{0};
        }
    }

    void* mapped_ = nullptr;
#endif
    std::size_t bytes_;
    std::byte* memory_ = nullptr;
};

}  // namespace gainstage
