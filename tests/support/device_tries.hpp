#pragma once
/// Audio devices are tried: what they refuse, and what becomes of them.

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "runtime/io/choose_device.hpp"

namespace gainstage::test {

/// The message of the DeviceError that this throws.
inline std::string error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const DeviceError& error) {
        return error.what();
    }
    return "no error";
}

/// Looks until it is so. False: not within `limit`.
inline bool becomes_true(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition())
        if (std::this_thread::sleep_for(std::chrono::milliseconds(2)); std::chrono::steady_clock::now() > end)
            return false;
    return true;
}

}  // namespace gainstage::test
