#include "runtime/node_memory.hpp"

#include <algorithm>

#include "runtime/node.hpp"

namespace gainstage {

namespace {

/// Most spans hold one number, which is not worth a call.
void write(std::byte* to, const std::byte* from, std::size_t bytes) noexcept {
    switch (bytes) {
        case 1:
            std::copy_n(from, 1, to);
            break;
        case 4:
            std::copy_n(from, 4, to);
            break;
        case 8:
            std::copy_n(from, 8, to);
            break;
        default:
            std::copy_n(from, bytes, to);
    }
}

bool is_zero(const std::byte* at, std::size_t bytes) {
    return std::all_of(at, at + bytes, [](std::byte b) { return b == std::byte{}; });
}

}  // namespace

NodeMemory::NodeMemory(Node& node) : node_(node) {
    StateList list;
    node.list_state(list);
    spans_ = list.spans();
    for (const StateSpan& span : spans_) {
        bytes_ += span.bytes;
        const std::size_t used = span.used();
        if (used == 0) continue;
        const bool fills = used > most_kept_zeros && is_zero(span.at, used);
        built_.push_back({.at = span.at, .bytes = used, .kept = fills ? zeros : kept_.size()});
        if (!fills) kept_.insert(kept_.end(), span.at, span.at + used);
    }
}

void NodeMemory::reset() noexcept GAINSTAGE_REALTIME {
    for (const Built& part : built_)
        if (part.kept == zeros)
            std::fill_n(part.at, part.bytes, std::byte{});
        else
            write(part.at, kept_.data() + part.kept, part.bytes);
    node_.after_load();
}

void NodeMemory::copy(const NodeMemory& twin) noexcept GAINSTAGE_REALTIME {
    for (std::size_t i = 0; i < spans_.size(); ++i)
        write(spans_[i].at, twin.spans_[i].at, twin.spans_[i].used());
    node_.after_load();
}

}  // namespace gainstage
