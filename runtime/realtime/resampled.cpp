#include "runtime/realtime/resampled.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gainstage {

namespace {

constexpr std::uint64_t never = ~std::uint64_t{0};
constexpr int longest_piece = 512;
/// By how much two rate conversions round a sample's time up, in device samples.
constexpr int most_late = 3;

std::int64_t divided_up(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}

Setup at_rate(Setup setup, double rate_hz, int max_frames) {
    setup.sample_rate_hz = rate_hz;
    setup.max_frames = max_frames;
    return setup;
}

/// The most model samples that a piece of the stream may hold.
int most_frames(int piece_frames, int device, int model) {
    return static_cast<int>(divided_up(std::int64_t{piece_frames} * model, device)) + 1;
}

int piece_length(const Setup& setup, int device, int model) {
    const int fitting = static_cast<int>(std::int64_t{max_block_frames - 2} * device / model);
    return std::max(1, std::min({setup.max_frames, longest_piece, fitting}));
}

}  // namespace

Resampled::Ratio Resampled::ratio_of(double device_hz, double model_hz) {
    const auto device = std::llround(device_hz), model = std::llround(model_hz);
    const auto common = std::gcd(device, model);
    if (std::max(device, model) / common > largest_term)
        throw SetupError(fmt::format(
            "the model was trained at {:g} Hz, and {:g} Hz is no simple ratio of that, so it can't "
            "be resampled while it plays; run the device at {:g} Hz, or at 44100, 48000, 88200 "
            "or 96000 Hz",
            model_hz, device_hz, model_hz));
    return {static_cast<int>(device / common), static_cast<int>(model / common)};
}

Resampled::Resampled(const Prepared& prepared, const Setup& setup)
    : model_rate_hz_(prepared.facts().sample_rate_hz),
      ratio_(ratio_of(setup.sample_rate_hz, model_rate_hz_)),
      channels_(setup.channels),
      piece_frames_(piece_length(setup, ratio_.device, ratio_.model)),
      inner_(prepared.make(
          at_rate(setup, model_rate_hz_, most_frames(piece_frames_, ratio_.device, ratio_.model)))),
      to_model_(ratio_.device, ratio_.model, channels_, piece_frames_),
      to_device_(ratio_.model, ratio_.device, channels_,
                 most_frames(piece_frames_, ratio_.device, ratio_.model)),
      next_time_(never),
      ramps_(setup.start.size()) {
    const auto most = static_cast<std::size_t>(most_frames(piece_frames_, ratio_.device, ratio_.model));
    in_.channels = out_.channels = channels_;
    for (std::size_t c = 0; c < max_channels; ++c) {
        const std::size_t from = std::min(c, static_cast<std::size_t>(channels_ - 1));
        if (from == c) heard_[c].resize(most), played_[c].resize(most);
        in_.channel[c] = heard_[from].data();
        out_.channel[c] = played_[from].data();
    }
    set_latency();
    const std::int64_t filters =
        to_model_.taps() + divided_up(std::int64_t{to_device_.taps()} * ratio_.device, ratio_.model);
    const std::int64_t model = divided_up(inner_->memory_samples() * ratio_.device, ratio_.model);
    const auto longest = static_cast<std::int64_t>(longest_memory_s * setup.sample_rate_hz);
    memory_ = std::min(model + filters, longest);
    if (const auto exact = inner_->exact_memory_samples())
        exact_memory_ = divided_up(*exact * ratio_.device, ratio_.model) + filters + most_late;
}

/// The delays of the node and of the second resampler are whole model samples. Their sum is rounded up to
/// device samples by `late`, in units of 1/model of a device sample, or 1/device of a model sample.
void Resampled::set_latency() {
    const std::int64_t device = ratio_.device, model = ratio_.model;
    const std::int64_t after = (inner_->latency_samples() + to_device_.delay_samples()) * device;
    const std::int64_t late = divided_up(after, model) * model - after;
    latency_ = to_model_.delay_samples() + static_cast<int>((after + late) / model);
    // Stream sample t plays model position (t * model - late) / device. Output k of the resampler is at
    // k * model / device, so we look for the k = t + out_ahead with the same fraction.
    while ((out_ahead_ * model + late) % device != 0) ++out_ahead_;
    in_ahead_ = (out_ahead_ * model + late) / device;
}

void Resampled::list_state(StateList& list) {
    inner_->list_state(list);
    list.add(to_model_, to_device_);
    list.add_scratch(ramps_, heard_, played_);
}

/// The library's filters can't be listed. The next block starts them again from the listed inputs.
void Resampled::after_load() noexcept GAINSTAGE_REALTIME {
    inner_->after_load();
    next_time_ = never;
}

/// The first model sample that is due at stream sample `time` or later. All before it have been played.
std::uint64_t Resampled::first_model_sample(std::uint64_t time) const noexcept GAINSTAGE_REALTIME {
    const auto device = static_cast<std::uint64_t>(ratio_.device);
    const auto model = static_cast<std::uint64_t>(ratio_.model);
    return time / device * model + (time % device * model + device - 1) / device;
}

/// A knob moves at the first model sample that is due after it was moved.
Ramp Resampled::at_model_rate(Ramp ramp) const noexcept GAINSTAGE_REALTIME {
    const auto device = static_cast<std::uint64_t>(ratio_.device);
    const auto model = static_cast<std::uint64_t>(ratio_.model);
    ramp.start = first_model_sample(ramp.start);
    if (ramp.length > 0)
        ramp.length = std::max(1u, static_cast<std::uint32_t>((ramp.length * model + device / 2) / device));
    return ramp;
}

void Resampled::start(std::uint64_t time) noexcept GAINSTAGE_REALTIME {
    const auto model_time = static_cast<std::int64_t>(first_model_sample(time));
    const auto device_time = static_cast<std::int64_t>(time);
    to_model_.start(device_time, model_time);
    to_device_.start(model_time + in_ahead_, device_time + out_ahead_);
}

void Resampled::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    if (block.time != next_time_) start(block.time);
    for (int done = 0; done < block.frames; done += piece_frames_)
        play(block, done, std::min(piece_frames_, block.frames - done));
    next_time_ = block.time + static_cast<std::uint64_t>(block.frames);
}

void Resampled::play(const Block& block, int first, int frames) noexcept GAINSTAGE_REALTIME {
    const std::uint64_t time = block.time + static_cast<std::uint64_t>(first);
    const std::uint64_t model_time = first_model_sample(time);
    const auto model_frames =
        static_cast<int>(first_model_sample(time + static_cast<std::uint64_t>(frames)) - model_time);
    std::array<const float*, max_channels> in{};
    std::array<float*, max_channels> out{};
    for (int c = 0; c < channels_; ++c) {
        in[c] = block.in(0, c) + first;
        out[c] = block.out(0, c) + first;
    }
    to_model_.convert(in.data(), frames, in_.channel.data(), model_frames);
    if (model_frames > 0) run_model(block, model_time, model_frames);
    to_device_.convert(out_.channel.data(), model_frames, out.data(), frames);
}

void Resampled::run_model(const Block& block, std::uint64_t time, int frames) noexcept GAINSTAGE_REALTIME {
    for (std::size_t i = 0; i < ramps_.size(); ++i) ramps_[i] = at_model_rate(block.params[i]);
    Block inner;
    inner.time = time;
    inner.frames = frames;
    inner.inputs = &in_;
    inner.outputs = &out_;
    inner.params = ramps_.data();
    inner.readings = block.readings;
    inner_->process(inner);
}

}  // namespace gainstage
