#pragma once
/// How late a player hears what they play, and who is to blame.

#include <optional>
#include <string>

#include "runtime/io/audio_stream.hpp"

namespace gainstage {

/// From an input of the device to an output. All in samples of the device. Any thread.
struct HeardLatency {
    double rate_hz = 48'000.;
    int patch_samples = 0;   ///< look-ahead, windows, resamplers: what the patch declares
    int period_samples = 0;  ///< until a block is whole; two where the API adds one of its own
    std::optional<int> driver_samples = {};  ///< converters and the driver's buffers; nothing: it doesn't say

    /// Without what is not known.
    double total_ms() const { return ms(patch_samples + period_samples + driver_samples.value_or(0)); }
    double ms(int samples) const { return 1000. * samples / rate_hz; }
};

HeardLatency heard_latency(const AudioFormat&, int patch_samples);

/// "9.3 ms: patch 1.3, period 2.7, driver 5.3", "at least 4.0 ms: patch 1.3, period 2.7, driver unknown".
std::string text_of(const HeardLatency&);

}  // namespace gainstage
