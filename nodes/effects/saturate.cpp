#include "nodes/effects/saturate.hpp"

#include <algorithm>
#include <numbers>

#include "nodes/dsp/decibel.hpp"
#include "nodes/dsp/time_constant.hpp"
#include "nodes/dsp/waveshapes.hpp"

namespace gainstage {

const NodeType& Saturate::type() {
    static const NodeType type{
        .name = "saturate",
        .summary = "Warmth to fuzz: drives a curve, antialiased",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .params = {{.name = "drive_db",
                    .unit = "dB",
                    .min = 0.f,
                    .max = 48.f,
                    .start = 12.f,
                    .summary = "Gain before the curve, which bends from about 0 dBFS on"},
                   {.name = "bias",
                    .unit = "",
                    .min = -1.f,
                    .max = 1.f,
                    .start = 0.f,
                    .summary = "Moves the sound off the curve's centre: even harmonics"},
                   {.name = "mix_percent",
                    .unit = "%",
                    .min = 0.f,
                    .max = 100.f,
                    .start = 100.f,
                    .summary = "Share of the saturated sound"},
                   {.name = "output_db",
                    .unit = "dB",
                    .min = -48.f,
                    .max = 24.f,
                    .start = 0.f,
                    .summary = "Gain after the mix"}},
        .options = {{.name = "shape",
                     .kind = OptionKind::choice,
                     .start = "tanh",
                     .choices = {"tanh", "soft_clip", "hard_clip", "asymmetric", "fold"},
                     .summary =
                         "tanh: smooth; soft_clip: cubic; hard_clip: a wall; asymmetric: even harmonics "
                         "first; fold: folds back"}},
        .make = make_node<Saturate>,
    };
    return type;
}

namespace {

constexpr double dc_block_hz = 5.;
constexpr double treble_pole = 0.8;

Saturate::Shape shape_of(const Options& options) {
    const auto& choices = Saturate::type().options[0].choices;
    const auto chosen = std::find(choices.begin(), choices.end(), options.get<std::string>("shape"));
    return static_cast<Saturate::Shape>(chosen - choices.begin());
}

constexpr double dc_time_constant_ms = 1000. / (2. * std::numbers::pi * dc_block_hz);

}  // namespace

Saturate::Saturate(const Setup& setup)
    : channels_(setup.channels),
      shape_(shape_of(setup.options)),
      sample_rate_hz_(setup.sample_rate_hz),
      dc_remaining_(remaining_per_sample(dc_time_constant_ms, sample_rate_hz_)) {}

std::int64_t Saturate::memory_samples() const noexcept {
    return memory_of(dc_time_constant_ms, sample_rate_hz_);
}

void Saturate::update(const Block& block, std::uint64_t time) noexcept {
    drive_ = drive_of_.of(block.param(drive_db).at(time), db_to_gain);
    output_ = output_of_.of(block.param(output_db).at(time), db_to_gain);
    bias_ = block.param(bias).at(time);
    mix_ = 0.01 * block.param(mix_percent).at(time);
}

/// The mean of the curve on the way from the bias before to this one: taken off, so that a jump in silence is
/// silent.
template <class Curve>
double Saturate::rest_on_the_way(Path& path) const noexcept {
    if (path.fresh) {
        path.shaped.settle<Curve>(bias_);
        path.bias = bias_, path.fresh = false;
    }
    const double mean = Adaa::mean<Curve>(path.bias, bias_);
    path.bias = bias_;
    return mean;
}

template <class Curve>
double Saturate::wet(Path& path, double in, double at_rest) const noexcept {
    const double shaped = path.shaped.tick<Curve>(drive_ * in + bias_) - at_rest;
    path.treble = (1. + treble_pole) * shaped - treble_pole * path.treble;
    path.blocked_out = path.treble - path.blocked_in + dc_remaining_ * path.blocked_out;
    path.blocked_in = path.treble;
    return path.blocked_out;
}

template <class Curve>
void Saturate::play(const Block& block) noexcept {
    const bool moving = any_moving(block, param_count);
    double standing = 0.;  // the rest, while the bias stands
    for (int k = 0; k < block.frames; ++k) {
        const bool is_on_the_way = moving || k == 0;
        if (is_on_the_way) update(block, block.time + static_cast<std::uint64_t>(k));
        if (k == 0) standing = Adaa::mean<Curve>(bias_, bias_);
        for (int c = 0; c < channels_; ++c) {
            const double dry = block.in(0, c)[k];
            const double at_rest = is_on_the_way ? rest_on_the_way<Curve>(path_[c]) : standing;
            block.out(0, c)[k] =
                static_cast<float>(output_ * (dry + mix_ * (wet<Curve>(path_[c], dry, at_rest) - dry)));
        }
    }
}

void Saturate::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    switch (shape_) {
        case Shape::tanh:
            return play<TanhShape>(block);
        case Shape::soft_clip:
            return play<CubicShape>(block);
        case Shape::hard_clip:
            return play<HardClipShape>(block);
        case Shape::asymmetric:
            return play<AsymmetricShape>(block);
        case Shape::fold:
            return play<FoldShape>(block);
    }
}

}  // namespace gainstage
