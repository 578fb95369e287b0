#include "runtime/io/heard_latency.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gainstage {

HeardLatency heard_latency(const AudioFormat& format, int patch_samples) {
    HeardLatency heard{.rate_hz = static_cast<double>(format.rate_hz),
                       .patch_samples = patch_samples,
                       .period_samples = format.block_frames + format.hidden_frames};
    // A driver counts the block that it fills.
    if (format.latency_frames > 0)
        heard.driver_samples = std::max(0, format.latency_frames - format.block_frames);
    return heard;
}

std::string text_of(const HeardLatency& heard) {
    return fmt::format(
        "{}{:.1f} ms: patch {:.1f}, period {:.1f}, driver {}", heard.driver_samples ? "" : "at least ",
        heard.total_ms(), heard.ms(heard.patch_samples), heard.ms(heard.period_samples),
        heard.driver_samples ? fmt::format("{:.1f}", heard.ms(*heard.driver_samples)) : "unknown");
}

}  // namespace gainstage
