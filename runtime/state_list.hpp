#pragma once
/// The memory on which a node's future sound depends, named span by span; and how much more it takes.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <stdexcept>
#include <type_traits>
#include <variant>
#include <vector>

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// A stretch of memory. Either all of it matters, or only its beginning.
struct StateSpan {
    /// Counts what was written; none: all of it matters.
    using Counter = std::variant<std::monostate, const int*, const std::int64_t*>;

    std::byte* at = nullptr;
    std::size_t bytes = 0;
    const bool* known = nullptr;  ///< while this is false nothing matters; null: always known
    Counter counter = {};
    std::size_t bytes_per_count = 0;
    bool is_clock = false;  ///< ties the node to the stream's time

    /// Audio thread. How many of the first bytes matter now. REQUIRES: the count is not negative.
    std::size_t used() const noexcept GAINSTAGE_REALTIME {
        if (known && !*known) return 0;
        if (std::holds_alternative<std::monostate>(counter)) return bytes;
        const auto all = static_cast<std::int64_t>(bytes / bytes_per_count);
        return count() > all ? bytes : static_cast<std::size_t>(count()) * bytes_per_count;
    }

private:
    std::int64_t count() const noexcept {
        if (const auto* small = std::get_if<const int*>(&counter)) return **small;
        return **std::get_if<const std::int64_t*>(&counter);
    }
};

/// The spans of one node, in the order in which it names them. Control thread.
///
/// A node can name: values that may be copied byte by byte (numbers, plain structs, arrays of them), spans
/// and vectors of such values, objects that have a member `list_state(StateList&)`, and ranges of all these.
class StateList {
public:
    /// All of it matters.
    template <class... Values>
    void add(Values&&... values) {
        (add_one(values), ...);
    }
    /// Matters while `known` is true. While it is false the node writes this memory before it reads it, so a
    /// reset, which turns `known` back to false, leaves it alone. REQUIRES: `known` is false in a new node
    /// and is named too.
    template <class... Values>
    void add_while(const bool& known, Values&&... values) {
        if (known_ != nullptr) throw std::logic_error("a node's state: add_while() within add_while()");
        known_ = &known;
        (add_one(values), ...);
        known_ = nullptr;
    }
    /// Ties the node to the stream's time: "has begun", "where in its window". A node that has come to rest
    /// before the stream begins gets these back as they were built (NodeMemory::keep).
    template <class... Values>
    void add_clock(Values&&... values) {
        is_clock_ = true;
        (add_one(values), ...);
        is_clock_ = false;
    }
    /// Only the first `count` * `per_count` values of a range matter (all, if it is shorter), as in a ring
    /// that is not full yet. REQUIRES: `count` is named too.
    template <class Count, std::ranges::contiguous_range Range>
    void add_first(const Count& count, Range&& values, std::size_t per_count = 1) {
        static_assert(std::same_as<Count, int> || std::same_as<Count, std::int64_t>);
        add_one(values);
        if (std::ranges::empty(values)) return;
        spans_.back().counter = &count;
        spans_.back().bytes_per_count = per_count * sizeof(*std::ranges::data(values));
    }

    /// Memory in which the node works and on which no later sound depends: numbers, and ranges of ranges of
    /// them. Only its size is kept, so that a patch that wants too much can be refused. Leave out what is
    /// smaller than a kilobyte.
    template <class... Values>
    void add_scratch(const Values&... values) {
        (add_scratch_bytes(bytes_of(values)), ...);
    }
    /// The same for what a library keeps.
    void add_scratch_bytes(std::size_t bytes) { scratch_bytes_ += bytes; }

    const std::vector<StateSpan>& spans() const noexcept { return spans_; }
    std::size_t scratch_bytes() const noexcept { return scratch_bytes_; }

private:
    template <class T>
    static constexpr bool names_itself = requires(T& part, StateList& list) {
        part.list_state(list);
    };
    template <class T>
    static constexpr bool is_plain =
        std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && !std::ranges::view<T> && !names_itself<T>;

    template <class T>
    void add_one(T& value) {
        if constexpr (names_itself<T>)
            value.list_state(*this);
        else if constexpr (std::ranges::range<T>)
            add_range(value);
        else
            add_bytes(&value, 1);
    }
    template <class Range>
    void add_range(Range& range) {
        using Element = std::ranges::range_value_t<Range>;
        if constexpr (std::ranges::contiguous_range<Range> && is_plain<Element>)
            add_bytes(std::ranges::data(range), std::ranges::size(range));
        else
            for (auto& element : range) add_one(element);
    }
    template <class T>
    void add_bytes(T* first, std::size_t count) {
        static_assert(is_plain<T> && !std::is_const_v<T>,
                      "a node's state is plain memory that may be written");
        if (count == 0) return;
        spans_.push_back({.at = reinterpret_cast<std::byte*>(first),
                          .bytes = count * sizeof(T),
                          .known = known_,
                          .is_clock = is_clock_});
    }

    template <class T>
    static std::size_t bytes_of(const T& value) {
        if constexpr (!std::ranges::range<const T>) {
            static_assert(std::is_trivially_copyable_v<T>);
            return sizeof value;
        } else if constexpr (std::is_trivially_copyable_v<std::ranges::range_value_t<const T>>) {
            return static_cast<std::size_t>(std::ranges::size(value)) *
                   sizeof(std::ranges::range_value_t<const T>);
        } else {
            std::size_t bytes = 0;
            for (const auto& element : value) bytes += sizeof element + bytes_of(element);
            return bytes;
        }
    }

    std::vector<StateSpan> spans_;
    std::size_t scratch_bytes_ = 0;
    const bool* known_ = nullptr;  ///< of the add_while() under way
    bool is_clock_ = false;        ///< add_clock() is under way
};

}  // namespace gainstage
