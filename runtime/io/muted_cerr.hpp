#pragma once
/// Keeps RtAudio 5 from std::cerr.

#include <ios>
#include <iostream>

#include "runtime/io/rtaudio_bridge.hpp"

namespace gainstage {

#ifdef GAINSTAGE_RTAUDIO_6
struct MutedCerr {};
#else
/// When a JACK server dies, RtAudio 5 writes to std::cerr from a thread that it has just ordered to be
/// cancelled; now and then that ended the program. What is not written can't be interrupted. (Our own
/// messages go another way.)
class MutedCerr {
public:
    MutedCerr() : state_(std::cerr.rdstate()), flags_(std::cerr.flags()) {
        std::cerr.unsetf(std::ios::unitbuf);
        std::cerr.setstate(std::ios::badbit);
    }
    ~MutedCerr() {
        std::cerr.clear(state_);
        std::cerr.flags(flags_);
    }
    MutedCerr(const MutedCerr&) = delete;
    MutedCerr& operator=(const MutedCerr&) = delete;

private:
    const std::ios::iostate state_;
    const std::ios::fmtflags flags_;
};
#endif

}  // namespace gainstage
