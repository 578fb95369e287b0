#include "runtime/plan/memory_use.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace gainstage {

void MemoryUse::add(const std::string& what, std::size_t bytes) {
    const auto is_it = [&](const Share& share) { return share.what == what; };
    if (latest_ >= shares_.size() || !is_it(shares_[latest_])) {
        const auto found = std::find_if(shares_.begin(), shares_.end(), is_it);
        latest_ = static_cast<std::size_t>(found - shares_.begin());
        if (found == shares_.end()) shares_.push_back({.what = what});
    }
    Share& share = shares_[latest_];
    ++share.count;
    share.bytes += bytes;
    total_ += bytes;
}

std::vector<MemoryUse::Share> MemoryUse::largest(std::size_t most) const {
    std::vector<Share> all = shares_;
    std::sort(all.begin(), all.end(), [](const Share& a, const Share& b) {
        return a.bytes != b.bytes ? a.bytes > b.bytes : a.what < b.what;
    });
    if (all.size() > most) all.resize(most);
    return all;
}

std::string memory_text(std::size_t bytes) {
    const auto size = static_cast<double>(bytes);
    if (size >= 1e9) return fmt::format("{:.2f} GB", size / 1e9);
    if (size >= 1e6) return fmt::format("{:.1f} MB", size / 1e6);
    return fmt::format("{:.0f} kB", size / 1e3);
}

std::string memory_text(const MemoryUse& use) {
    std::string text;
    for (const MemoryUse::Share& share : use.largest(3))
        text += fmt::format("{}{}: {} ({} of them)", text.empty() ? "" : ", ", share.what,
                            memory_text(share.bytes), share.count);
    return text;
}

std::size_t half_of_memory() noexcept {
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page <= 0) return ~std::size_t{0};
    return static_cast<std::size_t>(pages) / 2 * static_cast<std::size_t>(page);
}

}  // namespace gainstage
