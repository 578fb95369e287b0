#include "runtime/realtime/rate_converter.hpp"

#include <speex/speex_resampler.h>

#include <algorithm>
#include <array>
#include <new>

#include "runtime/node.hpp"

namespace gainstage {

namespace {

/// 96 taps or more; two conversions delay by 2.2 ms at 44.1 and 48 kHz. The next quality gains another
/// kilohertz for 0.7 ms more.
constexpr int quality = 6;

std::int64_t floor_mod(std::int64_t a, std::int64_t b) {
    const std::int64_t rest = a % b;
    return rest < 0 ? rest + b : rest;
}

/// The first number from `least` up whose remainder by `period` is `phase`.
std::int64_t first_in_phase(std::int64_t least, std::int64_t phase, std::int64_t period) {
    return least + floor_mod(phase - least, period);
}

/// What speexdsp's resampler allocates: a filter for each phase, or a table of the sinc where that is
/// shorter; and for each channel the length of the filter and a piece of 160 samples.
std::size_t bytes_of_library(int taps, int phases, int channels) {
    constexpr int oversampling = 16, piece = 160;  // of this quality
    const int table = std::min(taps * phases, taps * oversampling + 8);
    return sizeof(float) * static_cast<std::size_t>(table + channels * (taps - 1 + piece));
}

}  // namespace

void RateConverter::Free::operator()(SpeexResamplerState_* library) const noexcept {
    speex_resampler_destroy(library);
}

RateConverter::RateConverter(int from, int to, int channels, int max_in_frames)
    : from_(from), to_(to), discarded_(256) {
    int error = 0;
    library_.reset(speex_resampler_init(static_cast<spx_uint32_t>(channels), static_cast<spx_uint32_t>(from),
                                        static_cast<spx_uint32_t>(to), quality, &error));
    if (!library_) throw std::bad_alloc();  // the only failure left: rates and quality are in range
    taps_ = 2 * speex_resampler_get_input_latency(library_.get());
    library_bytes_ = bytes_of_library(taps_, to, channels);
    const int slack = 4 * (from / to + 1);  // inputs that wait for their turn
    keep_ = taps_ + from + slack;
    past_.assign(static_cast<std::size_t>(channels),
                 std::vector<float>(static_cast<std::size_t>(2 * keep_ + max_in_frames)));
    filled_ = taken_ = keep_;
}

void RateConverter::list_state(StateList& list) {
    list.add(filled_);
    for (auto& channel : past_) list.add_first(filled_, channel);
    list.add_scratch(discarded_);
    list.add_scratch_bytes(library_bytes_);
}

/// The library can't be set to a phase and a past. But it gets there from silence at output 0, by as many
/// outputs as bring it into phase and fill its filter with the remembered inputs.
void RateConverter::start(std::int64_t next_in, std::int64_t next_out) noexcept GAINSTAGE_REALTIME {
    const std::int64_t from = from_, to = to_;
    const std::int64_t filled_after = ((taps_ - 1) * to + from - 1) / from;
    const std::int64_t outputs = first_in_phase(filled_after, floor_mod(next_out, to), to);
    const std::int64_t first_input = (next_out - outputs) / to * from;
    taken_ = filled_ - static_cast<int>(next_in - first_input);
    // The library allocates when it is made and no more, and has no lock.
    GAINSTAGE_KNOWN_REALTIME(speex_resampler_reset_mem(library_.get()));
    std::array<float*, max_channels> nowhere{};
    nowhere.fill(discarded_.data());
    const auto longest = static_cast<std::int64_t>(discarded_.size());
    for (std::int64_t left = outputs; left > 0; left -= longest)
        take(nowhere.data(), static_cast<int>(std::min(left, longest)));
}

void RateConverter::convert(const float* const* in, int in_frames, float* const* out,
                            int out_frames) noexcept GAINSTAGE_REALTIME {
    append(in, in_frames);
    if (out_frames > 0) take(out, out_frames);
}

void RateConverter::append(const float* const* in, int frames) noexcept GAINSTAGE_REALTIME {
    const int surplus = filled_ - keep_;
    if (filled_ + frames > static_cast<int>(past_[0].size())) {
        for (auto& channel : past_) std::copy_n(channel.begin() + surplus, keep_, channel.begin());
        filled_ -= surplus;
        taken_ -= surplus;
    }
    for (std::size_t c = 0; c < past_.size(); ++c) std::copy_n(in[c], frames, past_[c].begin() + filled_);
    filled_ += frames;
}

/// The library leaves inputs that it does not need yet; the next call offers them again.
void RateConverter::take(float* const* out, int frames) noexcept GAINSTAGE_REALTIME {
    spx_uint32_t used = 0;
    for (std::size_t c = 0; c < past_.size(); ++c) {
        auto written = static_cast<spx_uint32_t>(frames);
        used = static_cast<spx_uint32_t>(filled_ - taken_);
        GAINSTAGE_KNOWN_REALTIME(speex_resampler_process_float(  // as above
            library_.get(), static_cast<spx_uint32_t>(c), past_[c].data() + taken_, &used, out[c], &written));
    }
    taken_ += static_cast<int>(used);
}

}  // namespace gainstage
