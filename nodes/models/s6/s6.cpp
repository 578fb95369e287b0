#include "nodes/models/s6/s6.hpp"

#include <algorithm>
#include <span>

#include "nodes/dsp/dot.hpp"
#include "nodes/dsp/knobs.hpp"
#include "nodes/kernels/simd.hpp"
#include "nodes/layers/prepared_node.hpp"
#include "nodes/layers/start_option.hpp"

namespace gainstage {

const NodeType& S6::type() {
    static const NodeType type{
        .name = "s6",
        .summary = "A learned compressor with selective state spaces",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .options = {start_option()},
        .architecture = "s6",
        .prepare = prepare_node<S6, S6Weights>,
        .level = simd_level,
    };
    return type;
}

S6::S6(const Setup& setup, std::shared_ptr<const S6Weights> weights)
    : weights_(std::move(weights)),
      channels_(setup.channels),
      activate_(weights_->tanh_mix ? vector_math().tanh : vector_math().gelu),
      rows_(row_maths()),
      products_(product_kernels()),
      film_row_(padded(weights_->film.inputs())),
      cell_row_(padded(weights_->second_controls + weights_->feature_count())),
      modulation_row_(std::max(padded(weights_->film.outputs()), weights_->cell.row())),
      magnitudes_row_(padded(weights_->spectrum.bins())) {
    const auto rows = [](AlignedFloats& buffer, int row) { buffer.resize(tile_frames * row + row_margin); };
    rows(here_, weights_->row);
    rows(there_, weights_->wide_row);
    rows(film_in_, film_row_);
    rows(cell_in_, cell_row_);
    rows(modulation_, modulation_row_);
    rows(magnitudes_, magnitudes_row_);
    if (weights_->has_temporal()) rows(gates_, weights_->cell.gates_row());
    for (const SelectiveSsm& ssm : weights_->ssm) ssm.fit(scratch_, tile_frames);
    states_.resize(channels_);
    for (State& state : states_) {
        state.past.resize(weights_->window + tile_frames);
        state.spectrum = weights_->spectrum.make_state();
        state.ssm = {weights_->ssm[0].make_state(), weights_->ssm[1].make_state()};
        if (weights_->has_temporal()) state.hidden.resize(weights_->lag_samples * weights_->cell.row());
    }
}

void S6::list_state(StateList& list) {
    list.add_clock(started_);
    for (State& state : states_) {
        list.add(std::span(state.past).first(weights_->window), state.ssm, state.hidden, state.oldest);
        list.add_while(started_, state.spectrum);
        list.add_scratch(std::span(state.past).subspan(weights_->window));
    }
    list.add_scratch(here_, there_, film_in_, cell_in_, gates_, modulation_, magnitudes_);
    list.add_scratch(scratch_.gated, scratch_.inner, scratch_.scanned, scratch_.projected, scratch_.delta);
}

/// At most three windows of the spectrum matter if nothing else remembers.
std::optional<std::int64_t> S6::exact_memory_samples() const noexcept {
    if (weights_->ssm[0].remembers() || weights_->has_temporal()) return std::nullopt;
    return 3 * weights_->window;
}

void S6::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    if (!started_)  // stretches of the spectrum are counted from the start of the stream
        for (State& state : states_)
            SlidingSpectrum::clear(
                state.spectrum, static_cast<int>(block.time % static_cast<std::uint64_t>(weights_->window)));
    started_ = true;
    still_ = !weights_->has_features() && !any_moving(block, weights_->controls.size());
    for (int done = 0; done < block.frames; done += tile_frames) {
        const int frames = std::min(tile_frames, block.frames - done);
        read_controls(block, done, frames);
        for (int c = 0; c < channels_; ++c)
            process_tile(states_[c], block.in(0, c) + done, block.out(0, c) + done, frames);
    }
}

/// The controls' part of film_in_ and cell_in_.
void S6::read_controls(const Block& block, int first, int frames) noexcept GAINSTAGE_REALTIME {
    for (int i = 0; i < weights_->first_controls + weights_->second_controls; ++i) {
        const bool to_film = i < weights_->first_controls;
        float* to = to_film ? film_in_.data() + i : cell_in_.data() + i - weights_->first_controls;
        const int row = to_film ? film_row_ : cell_row_;
        const std::uint64_t time = block.time + static_cast<std::uint64_t>(first);
        for (int k = 0; k < frames; ++k)
            to[k * row] =
                weights_->controls.heard(i, block.param(i).at(time + static_cast<std::uint64_t>(k)));
    }
}

void S6::process_tile(State& state, const float* in, float* out, int frames) noexcept GAINSTAGE_REALTIME {
    const int row = weights_->row, window = weights_->window;
    float* const past = state.past.data();
    std::copy_n(in, frames, past + window);
    // Frame k's window begins at past[k + 1]: the windows are rows of this product that overlap.
    if (weights_->input) {
        weights_->input->run(past + 1, 1, here_.data(), row, frames);
        run_ssm(0, state, here_.data(), row, frames);
    } else {
        run_ssm(0, state, past + 1, 1, frames);
    }
    if (weights_->has_features()) analyse(state, frames);
    // gains and offsets that are the same for all frames are worked out once
    const int film_stride = still_ ? 0 : modulation_row_, channels = weights_->stage_channels(0);
    weights_->film.run(film_in_.data(), film_row_, modulation_.data(), modulation_row_, still_ ? 1 : frames);
    rows_.modulate(here_.data(), row, modulation_.data(), modulation_.data() + channels, film_stride,
                   channels, frames);
    run_glu(weights_->film_glu, frames);
    if (weights_->has_temporal()) {
        modulate_by_memory(state, frames);
        run_glu(weights_->temporal_glu, frames);
        run_ssm(1, state, here_.data(), row, frames);
    }
    products_.dot(here_.data(), weights_->output.data(), weights_->output_bias, row, voice_.data(), frames);
    for (int k = 0; k < frames; ++k) out[k] = weights_->product ? voice_[k] * in[k] : voice_[k];
    std::copy(past + frames, past + frames + window, past);
}

/// The features' part of film_in_ and cell_in_.
void S6::analyse(State& state, int frames) noexcept GAINSTAGE_REALTIME {
    const float* const past = state.past.data();
    const int count = weights_->feature_count(), bins = magnitudes_row_;
    weights_->spectrum.run(state.spectrum, past + weights_->window, past, magnitudes_.data(), bins, frames);
    for (int k = 0; k < frames; ++k)
        for (int f = 0; f < count; ++f) {
            const float feature =
                weights_->features_bias[f] +
                dot(magnitudes_.data() + k * bins, weights_->features.data() + f * bins, bins);
            film_in_[k * film_row_ + weights_->first_controls + f] = feature;
            if (weights_->has_temporal()) cell_in_[k * cell_row_ + weights_->second_controls + f] = feature;
        }
}

/// From `in` to here_, through the stage's state space layer, dense layer and activation.
void S6::run_ssm(int stage, State& state, const float* in, int in_row,
                 int frames) noexcept GAINSTAGE_REALTIME {
    const int row = weights_->row;
    const SelectiveSsm& ssm = weights_->ssm[stage];
    if (const auto& mix = weights_->mix[stage]) {
        ssm.run(state.ssm[stage], in, in_row, there_.data(), weights_->wide_row, frames, scratch_);
        mix->run(there_.data(), weights_->wide_row, here_.data(), row, frames);
    } else {
        ssm.run(state.ssm[stage], in, in_row, here_.data(), row, frames, scratch_);
    }
    activate_(here_.data(), here_.data(), frames * row);
}

/// here_: through a gated linear unit.
void S6::run_glu(const Dense& glu, int frames) noexcept GAINSTAGE_REALTIME {
    const int row = weights_->row, wide = weights_->wide_row;
    glu.run(here_.data(), row, there_.data(), wide, frames);
    rows_.gate_softsign(there_.data(), wide, here_.data(), row, glu.outputs() / 2, frames);
}

/// here_: times the first half of the GRU's state, plus the second.
void S6::modulate_by_memory(State& state, int frames) noexcept GAINSTAGE_REALTIME {
    const GruCell& cell = weights_->cell;
    const int lag = weights_->lag_samples, width = cell.row();
    cell.project(cell_in_.data(), cell_row_, gates_.data(), frames);
    for (int done = 0; done < frames;) {
        // Steps within the lag don't depend on one another.
        const int run = std::min(frames - done, lag - state.oldest);
        float* const hidden = state.hidden.data() + state.oldest * width;
        cell.step(gates_.data() + done * cell.gates_row(), hidden, hidden, run);
        for (int k = 0; k < run; ++k)
            std::copy_n(hidden + k * width, width, modulation_.data() + (done + k) * modulation_row_);
        done += run;
        state.oldest = (state.oldest + run) % lag;
    }
    const int channels = cell.units() / 2;
    rows_.modulate(here_.data(), weights_->row, modulation_.data(), modulation_.data() + channels,
                   modulation_row_, channels, frames);
}

}  // namespace gainstage
