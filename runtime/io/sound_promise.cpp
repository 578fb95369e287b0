#include "runtime/io/sound_promise.hpp"

#include <algorithm>
#include <limits>

#include "runtime/numbers.hpp"

namespace gainstage {

int stored_frame_bytes(const SF_INFO& info) {
    switch (info.format & SF_FORMAT_SUBMASK) {
        case SF_FORMAT_PCM_S8:
        case SF_FORMAT_PCM_U8:
        case SF_FORMAT_ULAW:
        case SF_FORMAT_ALAW:
            return info.channels;
        case SF_FORMAT_PCM_16:
            return 2 * info.channels;
        case SF_FORMAT_PCM_24:
            return 3 * info.channels;
        case SF_FORMAT_PCM_32:
        case SF_FORMAT_FLOAT:
            return 4 * info.channels;
        case SF_FORMAT_DOUBLE:
            return 8 * info.channels;
        default:
            return 0;
    }
}

std::int64_t promised_frames(const SF_INFO& info, const SoundHeader& header) {
    std::int64_t promised = header.promised_frames;
    if (promised < 0 && header.promised_bytes > header.bytes_there) {
        const int frame_bytes = stored_frame_bytes(info);
        if (frame_bytes > 0)
            promised = header.promised_bytes / frame_bytes;
        else if (header.bytes_there > 0)
            promised = whole_within(
                static_cast<double>(info.frames) *
                    (static_cast<double>(header.promised_bytes) / static_cast<double>(header.bytes_there)),
                std::int64_t{0}, std::numeric_limits<std::int64_t>::max());
    }
    return promised;
}

bool is_believable(double missing_s, double there_s) {
    constexpr double always_s = 60., never_s = 24. * 3600., most_times = 10.;
    return missing_s <= std::max(always_s, most_times * there_s) && missing_s < never_s;
}

}  // namespace gainstage
