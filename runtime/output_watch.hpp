#pragma once
/// What an output has seen of the sound that leaves through it.

#include <array>
#include <atomic>
#include <cstdint>

#include "runtime/node.hpp"

namespace gainstage {

/// Written by whoever runs the node, unless a comment says otherwise; read by any thread.
struct OutputWatch {
    static constexpr std::uint64_t never = ~std::uint64_t{0};

    /// Stream sample of the first intervention since the reader wrote `never`.
    std::atomic<std::uint64_t> since{never};
    /// The loudest sample above 0 dBFS since the reader zeroed it, linear; 0: none.
    std::atomic<float> peak{0.f};
    std::atomic<std::uint64_t> softened{0};     ///< frames that came out softer than they came in, so far
    std::atomic<std::uint64_t> not_numbers{0};  ///< samples in whose place silence was played, so far
    /// Per channel of the node: its mean, linear, while that has been above -30 dBFS for 2 s; else 0.
    std::array<std::atomic<float>, max_channels> dc{};
};

}  // namespace gainstage
