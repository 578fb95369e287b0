#pragma once
/// Whole numbers as they lie in files: the least byte first (little endian) or last (big endian).

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gainstage {

enum class ByteOrder { little, big };

/// The number that all of `bytes` make; eight at most.
constexpr std::int64_t number_of(std::string_view bytes, ByteOrder order) {
    std::uint64_t value = 0;
    for (std::size_t k = 0; k < bytes.size(); ++k) {
        const std::size_t at = order == ByteOrder::little ? bytes.size() - 1 - k : k;
        value = value << 8 | static_cast<std::uint8_t>(bytes[at]);
    }
    return static_cast<std::int64_t>(value);
}

/// Of `count` bytes from `at` on. REQUIRES: they are there.
constexpr std::int64_t number_at(std::string_view bytes, std::int64_t at, int count, ByteOrder order) {
    return number_of(bytes.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(count)), order);
}

inline std::string bytes_of(std::int64_t value, int count, ByteOrder order) {
    std::string bytes;
    for (int k = 0; k < count; ++k) {
        const int shift = 8 * (order == ByteOrder::little ? k : count - 1 - k);
        bytes += static_cast<char>(static_cast<std::uint64_t>(value) >> shift);
    }
    return bytes;
}

/// Writes over `count` bytes from `at` on. REQUIRES: they are there.
inline void put_number(std::string& bytes, std::int64_t at, int count, std::int64_t value, ByteOrder order) {
    bytes.replace(static_cast<std::size_t>(at), static_cast<std::size_t>(count),
                  bytes_of(value, count, order));
}

}  // namespace gainstage
