#include "nodes/effects/output.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "nodes/dsp/door_channels.hpp"
#include "runtime/each_within.hpp"

namespace gainstage {

const NodeType& Output::type() {
    static const NodeType type{
        .name = "output",
        .summary = "Sound to the interface, or to the file being rendered",
        .inputs = {{.name = "in", .width = Width::option}},
        .options = {door_channels_spec("device channels, counted from 1; mono into two feeds both"),
                    {.name = "guard",
                     .kind = OptionKind::choice,
                     .start = "clip_safe",
                     .choices = {"clip_safe", "off"},
                     .summary = "clip_safe: above 0 dBFS it turns all channels down at once, for 100 ms, and "
                                "says so; below every bit passes; off: all passes"}},
        .device = Door::out,
        .make = make_node<Output>,
    };
    return type;
}

namespace {

enum { bypass, mute };  // the knobs that every node has; an output has no others

constexpr auto unity_bits = std::bit_cast<std::int32_t>(1.f);

/// This thread is the only writer, so no other may come between load and store.
void raise(std::atomic<std::uint64_t>& counter, std::uint64_t more) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

}  // namespace

Output::Output(const Setup& setup)
    : channels_(door_channels(setup.options)),
      is_guarded_(setup.options.get<std::string>("guard") != "off"),
      guard_(setup.sample_rate_hz),
      dc_(channels_.size(), DcWatch(setup.sample_rate_hz)) {}

std::optional<std::int64_t> Output::exact_memory_samples() const noexcept {
    if (is_guarded_) return std::nullopt;
    return 0;
}

void Output::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    if (block.device == nullptr) return;  // a plan that only warms its nodes
    const bool is_muted = block.param(mute).moving(block.time) || block.param(mute).to > 0.f;
    bool is_plain = !is_muted && (!is_guarded_ || guard_.is_at_rest());
    for (std::size_t c = 0; is_guarded_ && c < channels_.size(); ++c) {
        is_plain = is_plain && each_within(block.in(0, static_cast<int>(c)), block.frames, unity_bits);
        if (!is_muted) watch_dc(block, static_cast<int>(c));
    }
    is_plain ? play_plain(block) : play_closely(block);
}

void Output::play_plain(const Block& block) noexcept {
    const DeviceBlock* device = block.device;
    for (std::size_t c = 0; c < channels_.size(); ++c) {
        const int channel = channels_[c] - 1;
        if (channel >= device->out_channels) continue;
        const float* in = block.in(0, static_cast<int>(c));
        float* out = device->out[channel] + device->offset + block.offset;
        for (int k = 0; k < block.frames; ++k) out[k] += in[k];
    }
}

void Output::play_closely(const Block& block) noexcept {
    const DeviceBlock* device = block.device;
    const int channels = static_cast<int>(channels_.size());
    const Ramp& muting = block.param(mute);
    std::uint64_t softened = 0, not_numbers = 0, since = OutputWatch::never;
    float loudest = 0.f;
    for (int k = 0; k < block.frames; ++k) {
        std::array<float, max_channels> in{};
        float peak = 0.f;
        std::uint64_t no_numbers_here = 0;
        for (int c = 0; c < channels; ++c) {
            const float x = block.in(0, c)[k];
            const bool is_number = std::isfinite(x);
            no_numbers_here += !is_number;
            in[c] = is_number ? x : 0.f;
            peak = std::max(peak, std::abs(in[c]));
        }
        const double gain = is_guarded_ ? guard_.tick(peak) : 1.;
        const float left = 1.f - muting.at(block.time + static_cast<std::uint64_t>(k));
        if (left <= 0.f) continue;  // nobody hears it, so nobody is told of it
        not_numbers += no_numbers_here;
        softened += gain < 1.;
        loudest = std::max(loudest, peak);
        if ((no_numbers_here > 0 || peak > 1.f) && since == OutputWatch::never)
            since = block.time + static_cast<std::uint64_t>(k);
        for (int c = 0; c < channels; ++c)
            if (const int channel = channels_[c] - 1; channel < device->out_channels) {
                const float safe = gain < 1. ? static_cast<float>(double{in[c]} * gain) : in[c];
                device->out[channel][device->offset + block.offset + k] += safe * left;
            }
    }
    if (!is_guarded_) return;  // nothing is watched
    raise(watch_.softened, softened);
    raise(watch_.not_numbers, not_numbers);
    if (loudest > 1.f && loudest > watch_.peak.load(std::memory_order_relaxed))
        watch_.peak.store(loudest, std::memory_order_relaxed);
    if (since < watch_.since.load(std::memory_order_relaxed))
        watch_.since.store(since, std::memory_order_release);
}

void Output::watch_dc(const Block& block, int channel) noexcept {
    if (dc_[channel].add(block.in(0, channel), block.frames))
        watch_.dc[channel].store(dc_[channel].dc(), std::memory_order_relaxed);
}

}  // namespace gainstage
