#include "nodes/models/ed_lstm/ed_lstm.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "nodes/kernels/simd.hpp"
#include "nodes/layers/prepared_node.hpp"
#include "nodes/layers/start_option.hpp"

namespace gainstage {

const NodeType& EdLstm::type() {
    static const NodeType type{
        .name = "ed_lstm",
        .summary = "A learned compressor that hears short windows",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .options = {start_option()},
        .architecture = "ed_lstm",
        .prepare = prepare_node<EdLstm, EdLstmWeights>,
        .level = simd_level,
    };
    return type;
}

EdLstm::EdLstm(const Setup& setup, std::shared_ptr<const EdLstmWeights> weights)
    : weights_(std::move(weights)),
      channels_(setup.channels),
      sigmoid_(vector_math().sigmoid),
      heard_(channels_ * weights_->window),
      sounding_(channels_ * weights_->window),
      controls_(most_windows * padded(weights_->controls.size())),
      conditions_(most_windows * weights_->lstm.row()) {
    const int sequences = most_windows * channels_;
    hidden_.resize(sequences * weights_->lstm.row());
    cell_.resize(sequences * weights_->lstm.row());
    next_hidden_.resize(hidden_.size());
    if (weights_->carries_cell) carried_.resize(channels_ * weights_->lstm.row());
    dense_.resize(sequences * padded(weights_->dense.outputs()));
    output_.resize(sequences * padded(weights_->window));
}

/// Between two calls the LSTM is within one window of each channel, or a window begins.
void EdLstm::list_state(StateList& list) {
    const int rows = channels_ * weights_->lstm.row();
    list.add_clock(fresh_, blind_, position_);
    list.add(heard_, sounding_, carried_, std::span(hidden_).first(rows), std::span(cell_).first(rows));
    list.add_scratch(std::span(hidden_).subspan(rows), std::span(cell_).subspan(rows), next_hidden_, dense_,
                     output_, controls_, conditions_);
}

/// If the history begins within a window, the rest of this window and the next one begin wrongly, and each
/// window sounds during the next.
std::optional<std::int64_t> EdLstm::exact_memory_samples() const noexcept {
    if (weights_->carries_cell) return std::nullopt;
    return 3 * weights_->window;
}

void EdLstm::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    const int window = weights_->window;
    if (fresh_) {
        position_ = static_cast<int>(block.time % static_cast<std::uint64_t>(window));
        blind_ = position_ > 0;
        fresh_ = false;
    }
    for (int done = 0; done < block.frames;) {
        const int left = block.frames - done;
        const int windows = windows_within(left);
        const int steps = std::min(left, window - position_);
        if (position_ == 0) begin_windows(block, done, windows);
        if (!blind_) step(block, done, windows, steps);
        if (windows == 1) play_and_keep(block, done, steps);
        position_ += steps;
        if (position_ == window) finish_windows(block, done, windows);
        done += windows == 1 ? steps : windows * window;
    }
}

/// The number of windows that run together from the next of `frames` frames on; 1 if only one can.
int EdLstm::windows_within(int frames) const noexcept GAINSTAGE_REALTIME {
    if (position_ > 0 || weights_->carries_cell) return 1;
    return std::clamp(frames / weights_->window, 1, most_windows);
}

/// Sets the LSTM's state at the first sample of each window: the block's frames `first`, first + w, ...
void EdLstm::begin_windows(const Block& block, int first, int windows) noexcept GAINSTAGE_REALTIME {
    const int row = padded(weights_->controls.size());
    for (int m = 0; m < windows; ++m)
        for (int i = 0; i < weights_->controls.size(); ++i) {
            const std::uint64_t time = block.time + static_cast<std::uint64_t>(first + m * weights_->window);
            controls_[m * row + i] = weights_->controls.heard(i, block.param(i).at(time));
        }
    begin(weights_->hidden, block, first, windows, hidden_, false);
    if (weights_->carries_cell) std::copy(carried_.begin(), carried_.end(), cell_.begin());
    begin(weights_->cell, block, first, windows, cell_, weights_->carries_cell);
}

/// rows = encoder of the previous windows + condition, added to the rows if the state `goes_on`.
void EdLstm::begin(const EdLstmWeights::Begin& layers, const Block& block, int first, int windows,
                   AlignedFloats& rows, bool goes_on) noexcept GAINSTAGE_REALTIME {
    const int row = weights_->lstm.row(), window = weights_->window;
    std::fill(conditions_.begin(), conditions_.end(), 0.f);
    if (weights_->controls.size() > 0)
        layers.condition.run(controls_.data(), padded(weights_->controls.size()), conditions_.data(), row,
                             windows);
    for (int c = 0; c < channels_; ++c) {
        float* const mine = rows.data() + c * windows * row;
        if (!goes_on) std::fill_n(mine, windows * row, 0.f);
        for (int k = 0; k < windows * row; ++k) mine[k] += conditions_[k];
        layers.encoder.add(heard_.data() + c * window, window, mine, row, 1);
        if (windows > 1) layers.encoder.add(block.in(0, c) + first, window, mine + row, row, windows - 1);
    }
}

/// Runs `steps` samples of each window: the block's frames from `first` on, from `first` + w on, ...
void EdLstm::step(const Block& block, int first, int windows, int steps) noexcept GAINSTAGE_REALTIME {
    std::array<const float*, most_windows * max_channels> in{};
    for (int c = 0; c < channels_; ++c)
        for (int m = 0; m < windows; ++m) in[c * windows + m] = block.in(0, c) + first + m * weights_->window;
    weights_->lstm.run(in.data(), hidden_.data(), cell_.data(), next_hidden_.data(), windows * channels_,
                       steps, position_);
}

/// Plays and stores frames within one window.
void EdLstm::play_and_keep(const Block& block, int first, int frames) noexcept GAINSTAGE_REALTIME {
    for (int c = 0; c < channels_; ++c) {
        const int at = c * weights_->window + position_;
        std::copy_n(sounding_.data() + at, frames, block.out(0, c) + first);
        std::copy_n(block.in(0, c) + first, frames, heard_.data() + at);
    }
}

/// Computes the outputs of complete windows. Each sounds during the next window. `first`: the first frame of
/// the first window, if there are several.
void EdLstm::finish_windows(const Block& block, int first, int windows) noexcept GAINSTAGE_REALTIME {
    position_ = 0;
    if (std::exchange(blind_, false)) return;
    const int window = weights_->window, sequences = windows * channels_;
    const int dense_row = padded(weights_->dense.outputs()), output_row = padded(window);
    weights_->dense.run(hidden_.data(), weights_->lstm.row(), dense_.data(), dense_row, sequences);
    sigmoid_(dense_.data(), dense_.data(), sequences * dense_row);
    weights_->output.run(dense_.data(), dense_row, output_.data(), output_row, sequences);
    for (int c = 0; c < channels_; ++c) {
        const float* from = output_.data() + c * windows * output_row;
        float* const sounding = sounding_.data() + c * window;
        for (int m = 0; m < windows; ++m) {
            if (windows > 1) std::copy_n(sounding, window, block.out(0, c) + first + m * window);
            std::copy_n(from + m * output_row, window, sounding);
        }
        if (windows > 1)
            std::copy_n(block.in(0, c) + first + (windows - 1) * window, window, heard_.data() + c * window);
    }
    if (weights_->carries_cell) std::copy_n(cell_.begin(), carried_.size(), carried_.begin());
}

}  // namespace gainstage
