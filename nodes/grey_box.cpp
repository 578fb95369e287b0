#include "nodes/grey_box.hpp"

#include <algorithm>
#include <cmath>

#include "nodes/kernels/grey_box_maths.hpp"
#include "runtime/model/model.hpp"

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
      kernels_(&grey_box_kernels()),
      small_cells_(is_small(weights_.detector_cell.get()) && is_small(weights_.makeup_cell.get())),
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
        const float* const in = block.in(0, c) + first;
        float* const out = block.out(0, c) + first;
        const bool both_at_once = c < detectors_ && small_cells_;
        if (c < detectors_) find_gain(block, c, first, frames, into_run, both_at_once);
        if (!both_at_once) make_up(states_[c], in, out, frames);
    }
}

/// gain_: factors, as detector `detector` hears its own channel, or the louder of both. With `make_up` the
/// channel's output as well.
void GreyBox::find_gain(const Block& block, int detector, int first, int frames, int into_run,
                        bool make_up) noexcept {
    State& state = states_[detector];
    const bool both = detectors_ < channels_;
    const GreyBoxKey key{.one = block.in(0, detector) + first,
                         .other = block.in(0, both ? 1 : detector) + first,
                         .frames = frames};
    const GainCurve curve{.from = grid_.from(),
                          .slope = grid_.slope(),
                          .position = static_cast<float>(grid_.position() + into_run),
                          .soft = weights_.soft_knee};
    if (!weights_.detector_cell) {
        const Switching pole{.attack = weights_.attack, .release = weights_.release, .smoothed = &state.gain};
        return kernels_->switching(curve, key, pole, gain_.begin());
    }
    kernels_->curve(curve, key, gain_.begin());
    Gliding gliding{.samples_per_second = rate_hz_, .smoothed = &state.gain};
    if (!make_up) {
        weights_.detector_cell->run(state.detector, gain_.begin(), wet_.begin(), frames);
        return kernels_->smooth(gliding, wet_.begin(), gain_.begin(), frames);
    }
    gliding.detector = weights_.detector_cell->cell();
    gliding.detector_state = state.detector.hidden.data();
    gliding.makeup = weights_.makeup_cell->cell();
    gliding.makeup_state = state.makeup.hidden.data();
    gliding.in = block.in(0, detector) + first, gliding.out = block.out(0, detector) + first;
    kernels_->glide_and_make_up[gliding.detector.gru][gliding.makeup.gru](gliding, wet_.begin(),
                                                                          gain_.begin(), frames);
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
