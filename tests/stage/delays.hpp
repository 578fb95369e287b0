#pragma once
/// How much later than it was sent a noise is heard, and how much later it must be.

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>

#include "tests/stage/program.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test {

/// A patch that delays by so many milliseconds, and changes no sample below its ceiling.
inline std::string delayed(double ms) {
    if (ms <= 0.) return patch(R"("in -> out")", "");
    return patch(R"("in -> safety -> out")",
                 node("safety", "limiter", fmt::format("ceiling_dbfs = 0.0\nlookahead_ms = {:.6f}", ms)));
}

/// The patch's latency as `check` declares it.
inline int declared(const std::string& file) {
    Program check({"check", file, "--json"});
    if (check.wait() != 0) throw std::runtime_error(check.words());
    return nlohmann::json::parse(check.standard_output()).at(0).at("latency_samples").get<int>();
}

/// Of all stretches of a noise.
struct Delays {
    static constexpr int stretch = 512, most = 2'000;

    std::set<int> found;  ///< of those that are whole
    int whole = 0, all = 0;

    /// Once the ramp at the start is over.
    Delays(const Channel& sent, const Channel& heard) {
        const int frames = static_cast<int>(std::min(sent.size(), heard.size()));
        for (int from = settled_in; from + stretch + most < frames; from += stretch, ++all)
            if (const int delay = of(sent, heard, from); delay >= 0) ++whole, found.insert(delay);
    }

private:
    /// -1: a part of it is missing.
    static int of(const Channel& sent, const Channel& heard, int from) {
        for (int delay = 0; delay < most; ++delay)
            if (std::equal(sent.begin() + from, sent.begin() + from + stretch, heard.begin() + from + delay))
                return delay;
        return -1;
    }
};

}  // namespace gainstage::test
