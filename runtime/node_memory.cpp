#include "runtime/node_memory.hpp"

#include <algorithm>
#include <utility>

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
    scratch_bytes_ = list.scratch_bytes();
    for (const StateSpan& span : spans_) bytes_ += span.bytes;
    image_ = image_of_state();
}

std::shared_ptr<const NodeMemory::Image> NodeMemory::image_of_state() const {
    static const auto nothing = std::make_shared<const Image>();
    if (spans_.empty()) return nothing;  // as a gain has none
    auto image = std::make_shared<Image>();
    for (std::size_t i = 0; i < spans_.size(); ++i) {
        const StateSpan& span = spans_[i];
        const std::size_t used = span.used();
        if (used == 0) continue;
        const bool fills = used > most_kept_zeros && is_zero(span.at, used);
        image->parts.push_back(
            {.span = i, .bytes = used, .first = fills ? Image::zeros : image->kept.size()});
        if (!fills) image->kept.insert(image->kept.end(), span.at, span.at + used);
    }
    return image;
}

void NodeMemory::keep() {
    for (const Image::Part& part : image_->parts)
        if (spans_[part.span].is_clock) put_back(part);
    node_.after_load();
    image_ = image_of_state();
}

void NodeMemory::keep(std::shared_ptr<const Image> of_twin) {
    image_ = std::move(of_twin);
    reset();
}

void NodeMemory::put_back(const Image::Part& part) noexcept {
    std::byte* const at = spans_[part.span].at;
    if (part.first == Image::zeros)
        std::fill_n(at, part.bytes, std::byte{});
    else
        write(at, image_->kept.data() + part.first, part.bytes);
}

void NodeMemory::reset() noexcept GAINSTAGE_REALTIME {
    for (const Image::Part& part : image_->parts) put_back(part);
    node_.after_load();
}

void NodeMemory::copy(const NodeMemory& twin) noexcept GAINSTAGE_REALTIME {
    for (std::size_t i = 0; i < spans_.size(); ++i)
        write(spans_[i].at, twin.spans_[i].at, twin.spans_[i].used());
    node_.after_load();
}

}  // namespace gainstage
