#pragma once
/// How much memory an arrangement takes, and what takes it.

#include <cstddef>
#include <string>
#include <vector>

namespace gainstage {

/// Counts the large things: what nodes remember, weights, the past that is kept for newcomers. Plain data,
/// one thread at a time.
class MemoryUse {
public:
    /// `what`: "delay", "weights" ...; those of one name are added up.
    void add(const std::string& what, std::size_t bytes);
    std::size_t total() const noexcept { return total_; }

    struct Share {
        std::string what;
        int count = 0;  ///< how many of them
        std::size_t bytes = 0;
    };
    /// The largest first, `most` at most.
    std::vector<Share> largest(std::size_t most) const;

private:
    std::vector<Share> shares_;
    std::size_t latest_ = 0;  // as a rule the next one has the same name
    std::size_t total_ = 0;
};

/// "1.50 GB", "16.4 MB", "12 kB", in powers of ten.
std::string memory_text(std::size_t bytes);
/// "delay: 3.10 GB (4000 of them), weights: 12.0 MB (2 of them)": the largest three.
std::string memory_text(const MemoryUse&);

/// Half of the memory that this machine has. Any thread.
std::size_t half_of_memory() noexcept;

}  // namespace gainstage
