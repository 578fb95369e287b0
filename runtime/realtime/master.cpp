#include "runtime/realtime/master.hpp"

#include <algorithm>

#include "runtime/realtime/samples.hpp"

namespace gainstage {

std::uint32_t Master::samples(float ms) const noexcept GAINSTAGE_REALTIME {
    return samples_of(ms, sample_rate_hz_);
}

void Master::start(float ramp_ms) {
    level_ =
        ramp_ms > 0.f ? Ramp{.start = 0, .length = samples(ramp_ms), .from = 0.f, .to = 1.f} : settled(1.f);
}

std::uint64_t Master::panic(std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    if (fading_out_ || level_.to == 0.f) return never;
    level_ = {.start = now, .length = samples(panic_down_ms), .from = level_.at(now), .to = 0.f};
    return now + level_.length;
}

void Master::come_back(std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    if (!fading_out_) level_ = {.start = now, .length = samples(panic_up_ms), .from = 0.f, .to = 1.f};
}

void Master::fade_out(std::uint64_t now, float ms) noexcept GAINSTAGE_REALTIME {
    fading_out_ = true;
    level_ = {.start = now, .length = std::max(1u, samples(ms)), .from = level_.at(now), .to = 0.f};
}

std::uint64_t Master::next_cut(std::uint64_t now) const noexcept GAINSTAGE_REALTIME {
    return fading_out_ && level_.moving(now) ? level_.start + level_.length : never;
}

bool Master::play(const DeviceBlock& device, int frames, std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    if (!level_.moving(now) && level_.to == 1.f) return false;
    for (int c = 0; c < device.out_channels; ++c) {
        float* out = device.out[c] + device.offset;
        for (int k = 0; k < frames; ++k) out[k] *= level_.at(now + static_cast<std::uint64_t>(k));
    }
    const std::uint64_t end = now + static_cast<std::uint64_t>(frames);
    if (!fading_out_ || !level_.moving(now) || level_.moving(end)) return false;
    silent_at_.store(end, std::memory_order_release);
    return true;
}

}  // namespace gainstage
