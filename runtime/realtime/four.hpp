#pragma once
/// Four samples at once, by the vector types that gcc and clang have for every architecture. For the few
/// loops that run for every node of every block; the compiler turns each operation into one instruction.

#include <cstdint>
#include <cstring>

namespace gainstage {

using Four = float __attribute__((vector_size(16)));
using FourBits = std::int32_t __attribute__((vector_size(16)));

inline Four load_four(const float* from) noexcept {
    Four four;
    std::memcpy(&four, from, sizeof four);
    return four;
}
inline FourBits load_bits(const float* from) noexcept {
    FourBits four;
    std::memcpy(&four, from, sizeof four);
    return four;
}
inline void store_four(float* to, Four four) noexcept {
    std::memcpy(to, &four, sizeof four);
}

/// What is left when the sixteens are done; apart, so that whole blocks stay short.
__attribute__((noinline)) inline void scale_rest(const float* in, float* out, int from, int frames,
                                                 float factor) noexcept {
    for (int k = from; k < frames; ++k) out[k] = in[k] * factor;
}

/// out[k] = in[k] * factor. The same bits for every sample, wherever in the loop it comes.
inline void scale(const float* in, float* out, int frames, float factor) noexcept {
    const Four factors = {factor, factor, factor, factor};
    int k = 0;
    for (; k + 16 <= frames; k += 16) {
        const Four a = load_four(in + k), b = load_four(in + k + 4), c = load_four(in + k + 8),
                   d = load_four(in + k + 12);
        store_four(out + k, a * factors);
        store_four(out + k + 4, b * factors);
        store_four(out + k + 8, c * factors);
        store_four(out + k + 12, d * factors);
    }
    if (k < frames) scale_rest(in, out, k, frames, factor);
}

/// All bit patterns or-ed together.
inline std::int32_t or_of_bits(const float* x, int frames) noexcept {
    FourBits a = {}, b = {};
    int k = 0;
    for (; k + 16 <= frames; k += 16) {
        a |= load_bits(x + k) | load_bits(x + k + 4);
        b |= load_bits(x + k + 8) | load_bits(x + k + 12);
    }
    a |= b;
    std::int32_t all = a[0] | a[1] | a[2] | a[3];
    for (; k < frames; ++k) {
        std::int32_t bits;
        std::memcpy(&bits, x + k, sizeof bits);
        all |= bits;
    }
    return all;
}

}  // namespace gainstage
