#pragma once
/// What a sound file's header promises, where libsndfile doesn't say: it cuts the length down to what is
/// there, and reads nothing of a file that was never finished. Sources: Multimedia Programming Interface 1.0
/// (RIFF), EBU Tech 3306 (RF64), ITU-R BS.2088 (BW64), Sony Wave64, AIFF 1.3, Core Audio
/// Format 1.0, audio(7) of NeXT.

#include <cstdint>
#include <string>

#include "runtime/io/sound_source.hpp"

namespace gainstage {

struct SoundHeader {
    std::int64_t promised_bytes = -1;   ///< of sound, as the header says; -1: it doesn't say
    std::int64_t promised_frames = -1;  ///< where the header counts frames; else -1
    std::int64_t bytes_there = 0;       ///< of sound, in the file
    std::string unfinished;  ///< how a header that was never finished is wrong; empty: it is finished
    std::string codec;       ///< of a WAV that holds what libsndfile doesn't read: "MP3"
};

/// Looks at the chunks of WAV, RIFX, RF64, BW64, W64, AIFF and CAF, and at AU's header. Has libsndfile see a
/// true header where the file's is unfinished or of another name. Trusts no length in the file. Control
/// thread; never throws on what the file holds.
SoundHeader read_sound_header(SoundSource&);

}  // namespace gainstage
