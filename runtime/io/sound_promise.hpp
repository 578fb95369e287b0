#pragma once
/// How long a sound file says it is, and whether that can be.

#include <sndfile.h>

#include <cstdint>

#include "runtime/io/sound_header.hpp"

namespace gainstage {

/// Bytes of one frame as they lie in the file; 0: compressed, so that frames have no size.
int stored_frame_bytes(const SF_INFO& info);

/// The length that the header promises; less than libsndfile finds where it says nothing.
std::int64_t promised_frames(const SF_INFO& info, const SoundHeader& header);

/// Whether so much may be missing of a file. A header that promises hours where there are seconds was never
/// true, and nobody wants hours of silence.
bool is_believable(double missing_s, double there_s);

}  // namespace gainstage
