#pragma once
/// Vectors that begin at a cache line: a 64-byte load that crosses a line costs two loads.

#include <cstddef>
#include <new>
#include <vector>

namespace gainstage {

inline constexpr std::size_t cache_line_bytes = 64;

template <class T>
struct LineAllocator {
    using value_type = T;

    LineAllocator() = default;
    template <class U>
    LineAllocator(const LineAllocator<U>&) noexcept {}

    T* allocate(std::size_t count) {
        return static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{cache_line_bytes}));
    }
    void deallocate(T* at, std::size_t) noexcept {
        ::operator delete (at, std::align_val_t{cache_line_bytes});
    }
    template <class U>
    bool operator==(const LineAllocator<U>&) const noexcept {
        return true;
    }
};

/// Its first element begins a cache line.
using AlignedFloats = std::vector<float, LineAllocator<float>>;

}  // namespace gainstage
