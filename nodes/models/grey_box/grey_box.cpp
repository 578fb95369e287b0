#include "nodes/models/grey_box/grey_box.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "nodes/dsp/grey_box_maths.hpp"
#include "nodes/kernels/simd.hpp"
#include "nodes/layers/prepared_node.hpp"
#include "nodes/layers/start_option.hpp"

namespace gainstage {

namespace {

bool is_small(const Recurrence* cell) noexcept {
    return cell && cell->units <= 4;
}

float sigmoid(float x) noexcept {
    return 1.f / (1.f + std::exp(-x));
}

}  // namespace

const NodeType& GreyBox::type() {
    static const NodeType type{
        .name = "grey_box",
        .summary = "A learned compressor of known parts: curve, detector, make-up",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .options = {{.name = "link",
                     .kind = OptionKind::boolean,
                     .start = "true",
                     .summary = "stereo: the louder channel turns both down, so the image stays put"},
                    start_option()},
        .readings = {{.name = "gain_reduction_db", .unit = "dB"}},
        .architecture = "grey_box",
        .prepare = prepare_node<GreyBox, GreyBoxWeights>,
        .level = simd_level,
    };
    return type;
}

GreyBox::GreyBox(const Setup& setup, std::shared_ptr<const GreyBoxWeights> weights)
    : weights_(std::move(weights)),
      channels_(setup.channels),
      detectors_(setup.options.get<bool>("link") ? 1 : setup.channels),
      rate_hz_(setup.sample_rate_hz),
      kernels_(&grey_box_kernels()),
      in_one_loop_(channels_ == 1 && is_small(weights_->detector_cell.get()) &&
                   is_small(weights_->makeup_cell.get())),
      grid_(weights_->controls.size(), curve_values),
      network_in_(weights_->controls.size()),
      network_(weights_->mlp.make_scratch()) {}

void GreyBox::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    const auto curve = [this](const float* knobs, float* values) { evaluate_curve(knobs, values); };
    const auto play_tile = in_one_loop_ ? &GreyBox::process_in_one_loop : &GreyBox::process_tile;
    for (int done = 0; done < block.frames;) {
        const int run = grid_.advance(block.params, block.time + done, block.frames - done, curve);
        for (int into_run = 0; into_run < run; into_run += Buffer::frames)
            (this->*play_tile)(block, done + into_run, std::min(run - into_run, Buffer::frames), into_run);
        done += run;
    }
    double gain = states_[0].gain;
    for (int d = 1; d < detectors_; ++d) gain = std::min(gain, states_[d].gain);
    block.report(0, static_cast<float>(-gain) * grey_box::range_db);
}

/// From knobs to the values of the static curve.
void GreyBox::evaluate_curve(const float* knobs, float* values) noexcept GAINSTAGE_REALTIME {
    weights_->controls.hear(knobs, network_in_.data());
    std::array<float, 3> out{};
    weights_->mlp.evaluate(network_in_.data(), out.data(), network_);
    const bool linear = weights_->linear_curve;
    const float ratio = linear ? std::clamp(out[1], 1.f, 31.f) : 1.f + 30.f * sigmoid(out[1]);
    values[threshold_db] = linear ? std::clamp(out[0], -80.f, 0.f) : -80.f * sigmoid(out[0]);
    values[slope] = (1.f / ratio - 1.f) / grey_box::range_db;
    values[knee_db] = !weights_->soft_knee ? 0.f
                      : linear             ? std::clamp(out[2], 0.f, 30.f)
                                           : 30.f * sigmoid(out[2]);
}

/// `into_run`: frames since the grid's run began.
GainCurve GreyBox::curve_at(int into_run) const noexcept GAINSTAGE_REALTIME {
    return {.from = grid_.from(),
            .slope = grid_.slope(),
            .position = static_cast<float>(grid_.position() + into_run),
            .soft = weights_->soft_knee};
}

/// The input of a detector: its own channel, or the louder of both.
GreyBoxKey GreyBox::key_of(const Block& block, int detector, int first,
                           int frames) const noexcept GAINSTAGE_REALTIME {
    const bool both = detectors_ < channels_;
    return {.one = block.in(0, detector) + first,
            .other = block.in(0, both ? 1 : detector) + first,
            .frames = frames};
}

/// `first`: the tile's first frame within the block.
void GreyBox::process_in_one_loop(const Block& block, int first, int frames,
                                  int into_run) noexcept GAINSTAGE_REALTIME {
    State& state = states_[0];
    const Recurrence &detector = *weights_->detector_cell, &makeup = *weights_->makeup_cell;
    kernels_->curve(curve_at(into_run), key_of(block, 0, first, frames), gain_[0].begin());
    const Gliding gliding{.samples_per_second = rate_hz_,
                          .smoothed = &state.gain,
                          .detector = detector.cell(),
                          .makeup = makeup.cell(),
                          .detector_state = state.detector.hidden.data(),
                          .makeup_state = state.makeup.hidden.data(),
                          .in = block.in(0) + first,
                          .out = block.out(0) + first};
    kernels_->glide_and_make_up[detector.gru][makeup.gru](gliding, said_[0].begin(), gain_[0].begin(),
                                                          frames);
}

void GreyBox::process_tile(const Block& block, int first, int frames,
                           int into_run) noexcept GAINSTAGE_REALTIME {
    find_gains(block, first, frames, into_run);
    make_up(block, first, frames);
}

/// gain_: factors.
void GreyBox::find_gains(const Block& block, int first, int frames,
                         int into_run) noexcept GAINSTAGE_REALTIME {
    std::array<SmallSequence, max_channels> heard;
    for (int d = 0; d < detectors_; ++d) {
        float* const gain = gain_[d].begin();
        const GreyBoxKey key = key_of(block, d, first, frames);
        if (!weights_->detector_cell) {
            const Switching pole{
                .attack = weights_->attack, .release = weights_->release, .smoothed = &states_[d].gain};
            kernels_->switching(curve_at(into_run), key, pole, gain);
        } else {
            kernels_->curve(curve_at(into_run), key, gain);
            heard[d] = {.state = states_[d].detector.hidden.data(), .in = gain, .out = said_[d].begin()};
        }
    }
    if (!weights_->detector_cell) return;
    weights_->detector_cell->run(std::span(heard).first(detectors_), frames);
    for (int d = 0; d < detectors_; ++d) {
        const Gliding gliding{.samples_per_second = rate_hz_, .smoothed = &states_[d].gain};
        kernels_->smooth(gliding, said_[d].begin(), gain_[d].begin(), frames);
    }
}

/// The channels times their gain, and make-up.
void GreyBox::make_up(const Block& block, int first, int frames) noexcept GAINSTAGE_REALTIME {
    const float offset = weights_->makeup_cell ? 0.f : weights_->makeup_offset;
    const float factor = weights_->makeup_cell ? 1.f : weights_->makeup_factor;
    std::array<SmallSequence, max_channels> turned;
    for (int c = 0; c < channels_; ++c) {
        const float* const in = block.in(0, c) + first;
        const float* const gain = gain_[std::min(c, detectors_ - 1)].begin();
        float* const GAINSTAGE_RESTRICT out = block.out(0, c) + first;
        for (int k = 0; k < frames; ++k) out[k] = (in[k] * gain[k] + offset) * factor;
        turned[c] = {.state = states_[c].makeup.hidden.data(), .in = out, .out = said_[c].begin()};
    }
    if (!weights_->makeup_cell) return;
    weights_->makeup_cell->run(std::span(turned).first(channels_), frames);
    for (int c = 0; c < channels_; ++c) {
        float* const out = block.out(0, c) + first;
        for (int k = 0; k < frames; ++k) out[k] += said_[c].data[k];
    }
}

}  // namespace gainstage
