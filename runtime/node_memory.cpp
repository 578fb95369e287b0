#include "runtime/node_memory.hpp"

#include <algorithm>

#include "runtime/node.hpp"

namespace gainstage {

NodeMemory::NodeMemory(Node& node) : node_(node) {
    StateList list;
    node.list_state(list);
    spans_ = list.spans();
    for (const StateSpan& span : spans_) {
        bytes_ += span.bytes;
        const std::size_t used = span.used();
        if (used == 0) continue;
        const bool is_zero =
            std::all_of(span.at, span.at + used, [](std::byte b) { return b == std::byte{}; });
        (is_zero ? zeros_ : others_).push_back({.at = span.at, .bytes = used, .kept = kept_.size()});
        if (!is_zero) kept_.insert(kept_.end(), span.at, span.at + used);
    }
}

void NodeMemory::reset() noexcept {
    for (const Built& zero : zeros_) std::fill_n(zero.at, zero.bytes, std::byte{});
    for (const Built& other : others_) std::copy_n(kept_.data() + other.kept, other.bytes, other.at);
    node_.after_load();
}

void NodeMemory::copy(const NodeMemory& twin) noexcept {
    for (std::size_t i = 0; i < spans_.size(); ++i)
        std::copy_n(twin.spans_[i].at, twin.spans_[i].used(), spans_[i].at);
    node_.after_load();
}

}  // namespace gainstage
