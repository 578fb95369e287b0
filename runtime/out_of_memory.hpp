#pragma once
/// What is said where there is no memory. Nothing here allocates.

#include <exception>
#include <new>

namespace gainstage {

inline constexpr const char* out_of_memory =
    "there is not enough memory for it; close other programs, or allow this one more (ulimit -v)";

inline bool is_out_of_memory(const std::exception& error) noexcept {
    return dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
}

/// The reason in words for people.
inline const char* reason_of(const std::exception& error) noexcept {
    return is_out_of_memory(error) ? out_of_memory : error.what();
}

}  // namespace gainstage
