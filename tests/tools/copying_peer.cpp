// A library for `bench --all --beside` whose only model gives back what it hears.

#include <algorithm>
#include <cstring>

#include "tools/bench/peers/peer.h"

void* gainstage_peer_make(const char* exhibit) {
    return std::strcmp(exhibit, "GRU 8") == 0 ? new int(0) : nullptr;
}
void gainstage_peer_play(void*, const float* in, float* out, int frames) {
    std::copy_n(in, frames, out);
}
void gainstage_peer_destroy(void* model) {
    delete static_cast<int*>(model);
}
