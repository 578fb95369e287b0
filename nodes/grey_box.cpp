#include "nodes/grey_box.hpp"

#include <algorithm>
#include <cmath>

#include "nodes/kernels/grey_box_maths.hpp"
#include "runtime/model/model.hpp"

namespace gainstage {

namespace {

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
                     .summary = "stereo: the louder channel turns both down, so the image stays put"}},
        .readings = {{.name = "gain_reduction_db", .unit = "dB"}},
        .architecture = "grey_box",
        .make = make_node<GreyBox>,
        .notes = notes_on_grey_box,
        .operations = operations_of_grey_box,
        .any_rate = plays_at_any_rate,
    };
    return type;
}

GreyBox::GreyBox(const Setup& setup)
    : weights_(*setup.model, setup.sample_rate_hz),
      channels_(setup.channels),
      detectors_(setup.options.get<bool>("link") ? 1 : setup.channels),
      rate_hz_(setup.sample_rate_hz),
      grid_(static_cast<int>(setup.model->controls.size()), curve_values),
      network_in_(setup.model->controls.size()) {
    for (const ModelControl& control : setup.model->controls)
        to_model_.push_back({control.scale, control.offset});
}

void GreyBox::reset() noexcept {
    grid_.reset();
    states_ = {};
}

void GreyBox::copy_state(const Node& twin) noexcept {
    const auto& other = static_cast<const GreyBox&>(twin);
    grid_.copy_state(other.grid_);
    states_ = other.states_;
}

void GreyBox::process(const Block& block) noexcept {
    const auto curve = [this](const float* knobs, float* values) { evaluate_curve(knobs, values); };
    for (int done = 0; done < block.frames;) {
        const int run = grid_.advance(block.params, block.time + done, block.frames - done, curve);
        for (int into_run = 0; into_run < run; into_run += Buffer::frames)
            process_tile(block, done + into_run, std::min(run - into_run, Buffer::frames), into_run);
        done += run;
    }
    double gain = states_[0].gain;
    for (int d = 1; d < detectors_; ++d) gain = std::min(gain, states_[d].gain);
    block.report(0, static_cast<float>(-gain) * grey_box::range_db);
}

/// From knobs to what the static curve needs.
void GreyBox::evaluate_curve(const float* knobs, float* values) noexcept {
    for (std::size_t i = 0; i < to_model_.size(); ++i)
        network_in_[i] = knobs[i] * to_model_[i].scale + to_model_[i].offset;
    std::array<float, 3> out{};
    weights_.mlp.evaluate(network_in_.data(), out.data());
    const bool linear = weights_.linear_curve;
    const float ratio = linear ? std::clamp(out[1], 1.f, 31.f) : 1.f + 30.f * sigmoid(out[1]);
    values[threshold_db] = linear ? std::clamp(out[0], -80.f, 0.f) : -80.f * sigmoid(out[0]);
    values[slope] = (1.f / ratio - 1.f) / grey_box::range_db;
    values[knee_db] = !weights_.soft_knee ? 0.f
                      : linear            ? std::clamp(out[2], 0.f, 30.f)
                                          : 30.f * sigmoid(out[2]);
}

/// `first`: the tile's first frame within the block; `into_run`: within the grid's run.
void GreyBox::process_tile(const Block& block, int first, int frames, int into_run) noexcept {
    for (int c = 0; c < channels_; ++c) {
        if (c < detectors_) {
            read_key(block, c, first, frames);
            apply_curve(frames, into_run);
            smooth(states_[c], frames);
            for (int k = 0; k < frames; k += lane_count) gain_.lanes(k) = grey_box::amplitude(gain_.lanes(k));
        }
        make_up(states_[c], block.in(0, c) + first, block.out(0, c) + first, frames);
    }
}

/// gain_ = what the detector hears: its own channel, or the louder of both.
void GreyBox::read_key(const Block& block, int detector, int first, int frames) noexcept {
    const bool both = detectors_ < channels_;
    const float* one = block.in(0, detector) + first;
    const float* other = block.in(0, both ? 1 : detector) + first;
    for (int k = 0; k < frames; ++k) gain_.data[k] = std::max(std::abs(one[k]), std::abs(other[k]));
}

/// gain_: from amplitude to the static curve's gain.
void GreyBox::apply_curve(int frames, int into_run) noexcept {
    for (int k = 0; k < frames; k += lane_count) {
        const Lanes position = lane_numbers + static_cast<float>(grid_.position() + into_run + k);
        const auto line = [&](CurveValue i) -> Lanes { return grid_.from(i) + grid_.slope(i) * position; };
        gain_.lanes(k) = grey_box::static_gain(grey_box::level_db(gain_.lanes(k)), line(threshold_db),
                                               line(slope), line(knee_db));
    }
}

/// gain_: smoothed in place.
void GreyBox::smooth(State& state, int frames) noexcept {
    double s = state.gain;
    if (weights_.detector_cell) {
        weights_.detector_cell->run(state.detector, gain_.begin(), wet_.begin(), frames);
        for (int k = 0; k < frames; k += lane_count)
            grey_box::coefficients(wet_.lanes(k), rate_hz_, coefficients_.data() + k);
        for (int k = 0; k < frames; ++k) {
            s += coefficients_[k] * (double{gain_.data[k]} - s);
            gain_.data[k] = static_cast<float>(s);
        }
    } else {
        const double attack = weights_.attack, release = weights_.release;
        for (int k = 0; k < frames; ++k) {
            // Both ways in parallel, then the choice: a shorter chain from sample to sample.
            const double g = double{gain_.data[k]};
            const double down = s + attack * (g - s), up = s + release * (g - s);
            s = s > g ? down : up;
            gain_.data[k] = static_cast<float>(s);
        }
    }
    state.gain = s;
}

/// `out` = `in` times the gain, and make-up.
void GreyBox::make_up(State& state, const float* in, float* out, int frames) noexcept {
    const float offset = weights_.makeup_offset, factor = weights_.makeup_factor;
    if (!weights_.makeup_cell) {
        for (int k = 0; k < frames; ++k) out[k] = (in[k] * gain_.data[k] + offset) * factor;
        return;
    }
    for (int k = 0; k < frames; ++k) out[k] = in[k] * gain_.data[k];
    weights_.makeup_cell->run(state.makeup, out, wet_.begin(), frames);
    for (int k = 0; k < frames; ++k) out[k] += wet_.data[k];
}

}  // namespace gainstage
