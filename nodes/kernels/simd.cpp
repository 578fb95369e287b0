#include "nodes/kernels/simd.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>

#include "nodes/kernels/simd_targets.hpp"
//
#include <hwy/highway.h>

namespace gainstage {

namespace {

constexpr std::int64_t plain_targets = HWY_EMU128 | HWY_SCALAR;

std::string name_of(std::int64_t target) {
    if (target & plain_targets) return "scalar";
    std::string name = hwy::TargetName(target);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return name;
}

/// Levels that both this processor and this binary have, best first (the order of Highway's numbers). Read
/// once, before any level is disabled.
const std::vector<std::int64_t>& targets_here() {
    static const std::vector<std::int64_t> targets = [] {
        std::vector<std::int64_t> found;
        for (const std::int64_t target : hwy::SupportedAndGeneratedTargets())
            if (!(target & plain_targets)) found.push_back(target);
        if (const std::int64_t plain = HWY_TARGETS & plain_targets) found.push_back(plain);
        return found;
    }();
    return targets;
}

/// Disables all levels better than the one asked for, so that Highway takes that one. Returns its name.
std::string settle() {
    const char* asked = std::getenv("GAINSTAGE_SIMD");
    std::int64_t better = 0;
    std::string known;
    for (const std::int64_t target : targets_here()) {
        std::string name = name_of(target);
        if (!asked || !*asked || name == asked) {
            hwy::DisableTargets(better);
            hwy::GetChosenTarget().Update(hwy::SupportedTargets());
            return name;
        }
        better |= target;
        known += (known.empty() ? "" : ", ") + name;
    }
    throw SimdError(std::string("GAINSTAGE_SIMD is \"") + asked + "\"; expected one of " + known +
                    ", or nothing for the best");
}

}  // namespace

std::vector<std::string> simd_levels() {
    std::vector<std::string> names;
    for (const std::int64_t target : targets_here()) names.push_back(name_of(target));
    return names;
}

const std::string& simd_level() {
    static const std::string level = settle();
    return level;
}

}  // namespace gainstage
