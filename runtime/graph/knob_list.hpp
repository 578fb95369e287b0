#pragma once
/// The knobs of a node: one list, shared by all nodes of one type that play the same model.

#include <array>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/param.hpp"

namespace gainstage {

/// Immutable once built, and cheap to copy: copies share the list. Any thread.
class KnobList {
public:
    KnobList() = default;
    /// Any thread but the audio thread.
    explicit KnobList(std::vector<ParamSpec> own);

    /// The node's own knobs: its type's, then its model's controls.
    std::span<const ParamSpec> own() const noexcept { return all().first(size()); }
    /// The same and, after them, the two that every node has: bypass and mute.
    std::span<const ParamSpec> all() const noexcept { return *list_; }

    std::size_t size() const noexcept { return list_->size() - extra_count; }
    bool empty() const noexcept { return size() == 0; }
    const ParamSpec& operator[](std::size_t index) const noexcept { return (*list_)[index]; }
    auto begin() const noexcept { return own().begin(); }
    auto end() const noexcept { return own().end(); }
    /// Of an own knob; -1: none.
    int index_of(std::string_view name) const noexcept;

    /// How many knobs every node has after its own.
    static constexpr std::size_t extra_count = 2;

private:
    using List = std::shared_ptr<const std::vector<ParamSpec>>;
    static const List& no_knobs();

    List list_ = no_knobs();  // own knobs, then bypass and mute
};

}  // namespace gainstage
