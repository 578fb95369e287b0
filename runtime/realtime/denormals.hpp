#pragma once
/// Numbers too small to hear are taken for zero, so that decaying tails cost no more than sound.

#include <cstdint>

#include "runtime/nonblocking.hpp"

#if defined(__x86_64__) || defined(__i386__)
#include <xmmintrin.h>
#endif

namespace gainstage {

/// While it lives, this thread flushes denormal results and inputs to zero; then the mode is as before. Any
/// thread.
class FlushDenormals {
public:
    FlushDenormals() noexcept GAINSTAGE_REALTIME : before_(read()) {
        if (!flushed_already()) write(before_ | flush_bits);  // a write waits for the pipeline, some 4 ns
    }
    ~FlushDenormals() {
        if (!flushed_already()) write(before_);
    }
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

private:
#if defined(__x86_64__) || defined(__i386__)
    using Mode = unsigned;
    static constexpr Mode flush_bits = 0x8040;  // FTZ | DAZ
    static Mode read() noexcept {
        return _mm_getcsr();
    }
    static void write(Mode mode) noexcept {
        _mm_setcsr(mode);
    }
#elif defined(__aarch64__)
    using Mode = std::uint64_t;
    static constexpr Mode flush_bits = Mode{1} << 24;  // FPCR.FZ
    static Mode read() noexcept {
        Mode mode;
        asm volatile("mrs %0, fpcr" : "=r"(mode));
        return mode;
    }
    static void write(Mode mode) noexcept {
        asm volatile("msr fpcr, %0" : : "r"(mode));
    }
#else
    using Mode = unsigned;
    static constexpr Mode flush_bits = 0;
    static Mode read() noexcept {
        return 0;
    }
    static void write(Mode) noexcept {}
#endif
    bool flushed_already() const noexcept {
        return (before_ & flush_bits) == flush_bits;
    }

    const Mode before_;
};

}  // namespace gainstage
