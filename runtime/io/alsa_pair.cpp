#include "runtime/io/alsa_pair.hpp"

#include <fmt/format.h>

#include "runtime/io/alsa_devices.hpp"

namespace gainstage {

namespace {

/// USB sends in packets of a millisecond or less, beside the blocks, and needs one block more.
int usual_periods(int card) {
    return is_usb_card(card) ? 3 : 2;
}

}  // namespace

AlsaPair::AlsaPair(const ChosenDevice& chosen, const AudioRequest& request) : rate_hz_(chosen.rate_hz) {
    if (chosen.out)
        out_ =
            std::make_unique<AlsaPcm>(*chosen.out, SND_PCM_STREAM_PLAYBACK, request.out_channels, rate_hz_);
    if (chosen.in)
        in_ = std::make_unique<AlsaPcm>(*chosen.in, SND_PCM_STREAM_CAPTURE, request.in_channels, rate_hz_);
    refuse_two_cards(chosen);
    block_frames_ = common_block(request.block_frames);
    const int periods = request.periods ? request.periods : usual_periods((out_ ? out_ : in_)->card());
    for (AlsaPcm* pcm : {in_.get(), out_.get()})
        if (pcm) pcm->set_up(block_frames_, periods);
    linked_ = in_ && out_ && snd_pcm_link(in_->handle(), out_->handle()) == 0;
}

/// Two clocks drift apart until a block is missing or too many. One device of ALSA's configuration is taken
/// to be one card.
void AlsaPair::refuse_two_cards(const ChosenDevice& chosen) const {
    if (!in_ || !out_ || chosen.in->address == chosen.out->address) return;
    if (in_->card() >= 0 && in_->card() == out_->card()) return;
    throw DeviceError(
        fmt::format("\"{}\" and \"{}\" are two cards, and their clocks drift apart; let a server keep them "
                    "together: PipeWire "
                    "(pw-jack gainstage run ... --api jack), or JACK on the one card with alsa_in or "
                    "alsa_out for the other",
                    chosen.in->name, chosen.out->name));
}

bool AlsaPair::all_offer(int block_frames) const {
    return block_frames > 0 && (!in_ || in_->offers_block(block_frames)) &&
           (!out_ || out_->offers_block(block_frames));
}

/// The block that was asked for, or else the nearest that both have.
int AlsaPair::common_block(int wanted_frames) const {
    if (all_offer(wanted_frames)) return wanted_frames;
    const int out = out_ ? out_->nearest_block(wanted_frames) : 0;
    const int in = in_ ? in_->nearest_block(wanted_frames) : 0;
    for (const int nearest : {out, in})
        if (all_offer(nearest)) return nearest;
    throw DeviceError(
        fmt::format("the card has no blocks near {} frames that input and output share (near it the input "
                    "has {}, the output {}); "
                    "choose another --block",
                    wanted_frames, in, out));
}

// ------------------------ audio thread

AlsaFault AlsaPair::at_input(int error) const noexcept {
    if (error == 0) return {};
    return {.error = error, .at_input = true, .at_output = out_ && out_->has_xrun()};
}
AlsaFault AlsaPair::at_output(int error) const noexcept {
    if (error == 0) return {};
    return {.error = error, .at_input = in_ && in_->has_xrun(), .at_output = true};
}

AlsaFault AlsaPair::start() noexcept {
    stop();
    if (in_)
        if (const int error = in_->prepare(); error < 0) return at_input(error);
    if (out_)
        if (const int error = out_->prepare(); error < 0) return at_output(error);
    for (int k = 0; out_ && k < out_->periods(); ++k)
        if (const int error = out_->write_silence(); error < 0) return at_output(error);
    // The input first: an output that begins a moment later still has room for the first block when it comes,
    // a moment later.
    if (in_)
        if (const int error = in_->start(); error < 0) return at_input(error);
    if (out_ && !linked_)
        if (const int error = out_->start(); error < 0) return at_output(error);
    return {};
}

void AlsaPair::stop() noexcept {
    for (AlsaPcm* pcm : {in_.get(), out_.get()})
        if (pcm) pcm->drop();
}

AlsaFault AlsaPair::read(const std::atomic<bool>& end) noexcept {
    return in_ ? at_input(in_->read_block(end)) : at_output(out_->await_block(end));
}

AlsaFault AlsaPair::write(const std::atomic<bool>& end) noexcept {
    return out_ ? at_output(out_->write_block(end)) : AlsaFault{};
}

void AlsaPair::wake(const std::atomic<bool>& end) noexcept {
    for (AlsaPcm* pcm : {in_.get(), out_.get()})
        if (pcm) pcm->wake(end);
}

void AlsaPair::take(float* const* out, int channels) noexcept GAINSTAGE_REALTIME {
    if (in_) in_->take(out, channels);
}

void AlsaPair::put(const float* const* in, int channels) noexcept GAINSTAGE_REALTIME {
    if (out_) out_->put(in, channels);
}

}  // namespace gainstage
