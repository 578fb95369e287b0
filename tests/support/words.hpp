#pragma once
/// What a message says, and what an action throws.

#include <functional>
#include <string>

#include "runtime/io/file_place.hpp"

namespace gainstage::test {

inline bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// The words of the WriteError that the action throws, or "no error".
inline std::string write_error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const WriteError& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace gainstage::test
