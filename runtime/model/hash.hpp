#pragma once
/// Tells one content from another: FNV-1a, 64 bits, not safe against adversaries. It is written here because
/// it is five lines and, unlike boost::hash or std::hash, gives the same number on every machine and library
/// version. So a log may quote it.

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>

namespace gainstage {

class Hash {
public:
    void add(std::span<const std::byte> bytes) noexcept {
        for (const std::byte byte : bytes) value_ = (value_ ^ static_cast<std::uint8_t>(byte)) * prime;
    }
    /// Hashes the length too, so that "a" + "bc" differs from "ab" + "c".
    void add(std::string_view text) noexcept {
        add_number(text.size());
        add(std::as_bytes(std::span(text)));
    }
    void add_number(std::uint64_t word) noexcept {
        if (word <= 0xff) {  // the seven bytes of 0 only multiply
            value_ = (value_ ^ word) * prime_to_the_8th;
            return;
        }
        for (int i = 0; i < 8; ++i) value_ = (value_ ^ ((word >> (8 * i)) & 0xff)) * prime;
    }
    /// Of many weights, eight times as fast as word by word. No log may quote a hash that has it.
    void add(std::span<const float> weights) noexcept {
        add_number(weights.size());
        for (const float weight : weights)
            value_ = std::rotl((value_ ^ std::bit_cast<std::uint32_t>(weight)) * prime, 23);
    }
    std::uint64_t value() const noexcept { return value_; }

private:
    static constexpr std::uint64_t prime = 1099511628211u, prime_squared = prime * prime,
                                   prime_to_the_4th = prime_squared * prime_squared,
                                   prime_to_the_8th = prime_to_the_4th * prime_to_the_4th;

    std::uint64_t value_ = 14695981039346656037u;
};

}  // namespace gainstage
