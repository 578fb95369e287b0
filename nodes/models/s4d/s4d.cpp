#include "nodes/models/s4d/s4d.hpp"

#include <algorithm>

#include "nodes/dsp/grey_box_maths.hpp"
#include "nodes/kernels/simd.hpp"
#include "nodes/layers/prepared_node.hpp"
#include "nodes/layers/start_option.hpp"
#include "runtime/four.hpp"

namespace gainstage {

namespace {

std::size_t state_size(const S4dWeights& weights) {
    std::size_t size = 0;
    for (const S4dWeights::OneBlock& block : weights.blocks) size += block.ssm->state_size();
    return size;
}

/// rows = filtered + residual rows
void add_residual(float* rows, const float* residual, const float* filtered, int width, int frames) noexcept {
    for (int k = 0; k < frames; ++k)
        for (int c = 0; c < width; c += 4) {
            float* at = rows + k * width + c;
            store_four(at, load_four(filtered + k * width + c) + load_four(residual + c) * load_four(at));
        }
}

}  // namespace

const NodeType& S4d::type() {
    static const NodeType type{
        .name = "s4d",
        .summary = "A compressor learned as a network of state-space models",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .options = {start_option()},
        .architecture = "s4d",
        .prepare = prepare_node<S4d, S4dWeights>,
        .level = simd_level,
    };
    return type;
}

S4d::S4d(const Setup& setup, std::shared_ptr<const S4dWeights> weights)
    : weights_(std::move(weights)),
      kernels_(product_kernels()),
      tanh_(vector_math().tanh),
      channels_(setup.channels),
      width_(padded(weights_->channels)),
      condition_(weights_->conditioning.make_scratch()),
      rows_(static_cast<std::size_t>(Buffer::frames * width_)),
      mixed_(rows_.size()),
      filtered_(rows_.size()),
      grid_(weights_->conditioning.controls(), weights_->conditioning.values()) {
    for (int c = 0; c < channels_; ++c) states_[c].resize(state_size(*weights_));
}

void S4d::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    const auto network = [this](const float* knobs, float* values) {
        weights_->conditioning.evaluate(knobs, values, condition_);
    };
    for (int done = 0; done < block.frames;) {
        const int run = grid_.advance(block.params, block.time + done, block.frames - done, network);
        for (int into_run = 0; into_run < run; into_run += Buffer::frames)
            for (int c = 0; c < channels_; ++c)
                play_tile(block.in(0, c) + done + into_run, block.out(0, c) + done + into_run,
                          states_[c].data(), std::min(run - into_run, Buffer::frames), into_run);
        done += run;
    }
}

/// `into_run`: the tile's first frame within the grid's run.
void S4d::play_tile(const float* in, float* out, float* state, int frames,
                    int into_run) noexcept GAINSTAGE_REALTIME {
    listen(in, frames);
    weights_->expand.run(level_.begin(), 1, rows_.data(), width_, frames);
    for (int i = 0; i < static_cast<int>(weights_->blocks.size()); ++i) {
        run_block(i, state, frames, into_run);
        state += weights_->blocks[i].ssm->state_size();
    }
    speak(in, out, frames);
}

/// level_: the network's input.
void S4d::listen(const float* in, int frames) noexcept GAINSTAGE_REALTIME {
    std::copy_n(in, frames, level_.begin());
    if (!weights_->front_decibels) return;
    for (int k = 0; k < frames; k += lane_count) level_.lanes(k) = grey_box::level_db(level_.lanes(k));
}

/// rows_: from the block's input to its output.
void S4d::run_block(int index, float* state, int frames, int into_run) noexcept GAINSTAGE_REALTIME {
    const S4dWeights::OneBlock& block = weights_->blocks[index];
    const Dense* const linear = index == 0 ? &weights_->first : block.linear ? &*block.linear : nullptr;
    const float* const in = index == 0 ? level_.begin() : rows_.data();
    const int stride = index == 0 ? 1 : width_;
    if (linear && block.before.kind() == ActivationKind::prelu) {
        linear->run_prelu(in, stride, block.before.factors(), mixed_.data(), width_, frames);
    } else {
        if (linear)
            linear->run(in, stride, mixed_.data(), width_, frames);
        else
            std::copy_n(rows_.data(), width_ * frames, mixed_.data());
        block.before.run(mixed_.data(), frames);
    }
    finish_block(index, state, frames, into_run);
}

/// mixed_ to rows_.
void S4d::finish_block(int index, float* state, int frames, int into_run) noexcept GAINSTAGE_REALTIME {
    const S4dWeights::OneBlock& block = weights_->blocks[index];
    if (block.after.kind() != ActivationKind::prelu) {
        block.ssm->run(state, mixed_.data(), filtered_.data(), frames);
        modulate(index, frames, into_run);
        block.after.run(filtered_.data(), frames);
        add_residual(rows_.data(), block.residual.data(), filtered_.data(), width_, frames);
        return;
    }
    const float* const from = grid_.from() + 2 * index * width_;
    const float* const slope = grid_.slope() + 2 * index * width_;
    block.ssm->run_affine_prelu(state, mixed_.data(), filtered_.data(),
                                {.gain = from,
                                 .gain_slope = slope,
                                 .offset = from + width_,
                                 .offset_slope = slope + width_,
                                 .position = static_cast<float>(grid_.position() + into_run),
                                 .glides = grid_.gliding(),
                                 .slope = block.after.factors(),
                                 .skip = rows_.data(),
                                 .skip_stride = width_,
                                 .skip_gain = block.residual.data()},
                                rows_.data(), frames);
}

/// Applies the block's gains and offsets, each on its line, to filtered_.
void S4d::modulate(int block, int frames, int into_run) noexcept GAINSTAGE_REALTIME {
    const float* from = grid_.from() + 2 * block * width_;
    const float* slope = grid_.slope() + 2 * block * width_;
    const float first = static_cast<float>(grid_.position() + into_run);
    for (int c = 0; c < width_; c += 4) {
        const Four gain = load_four(from + c), offset = load_four(from + width_ + c);
        const Four gain_slope = load_four(slope + c), offset_slope = load_four(slope + width_ + c);
        float* at = filtered_.data() + c;
        if (grid_.gliding())
            for (int k = 0; k < frames; ++k, at += width_) {
                const float position = first + static_cast<float>(k);
                store_four(
                    at, (gain + gain_slope * position) * load_four(at) + (offset + offset_slope * position));
            }
        else
            for (int k = 0; k < frames; ++k, at += width_) store_four(at, gain * load_four(at) + offset);
    }
}

/// rows_ to the output.
void S4d::speak(const float* in, float* out, int frames) noexcept GAINSTAGE_REALTIME {
    kernels_.dot(rows_.data(), weights_->contract.data(), weights_->contract_bias, width_, voice_.begin(),
                 frames);
    if (weights_->to_amplitude)
        for (int k = 0; k < frames; k += lane_count)
            voice_.lanes(k) = (0.11512925464970229f * voice_.lanes(k)).exp();  // ln(10) / 20
    squash(weights_->before_product, voice_, frames);
    if (weights_->product)
        for (int k = 0; k < frames; ++k) voice_.data[k] *= in[k];
    squash(weights_->final, voice_, frames);
    std::copy_n(voice_.begin(), frames, out);
}

void S4d::squash(S4dWeights::Squash how, Buffer& tile, int frames) const noexcept GAINSTAGE_REALTIME {
    if (how == S4dWeights::Squash::none) return;
    const float factor = how == S4dWeights::Squash::ptanh ? weights_->tanh_factor : 1.f;
    tanh_(tile.begin(), tile.begin(), frames);
    if (factor != 1.f)
        for (int k = 0; k < frames; ++k) tile.data[k] *= factor;
}

}  // namespace gainstage
