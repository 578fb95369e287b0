#pragma once
/// What the nodes `lstm` and `gru` have in common: all but the cell.

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <vector>

#include "nodes/dsp/knobs.hpp"
#include "nodes/dsp/lanes.hpp"
#include "nodes/kernels/aligned.hpp"
#include "nodes/kernels/product.hpp"
#include "nodes/kernels/vector_math.hpp"
#include "nodes/models/recurrent/recurrent_weights.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// Layers of cells that hear the sample and the knobs, and a linear output. No latency. The knobs are the
/// controls that the file declares, and reach the network at every sample as they are smoothed. Stereo: each
/// channel on its own, side by side. The file's tensors: recurrent_weights.hpp. `Cell`:
/// layers/lstm_cell.hpp, gru_cell.hpp.
template <class Cell>
class Recurrent : public Node {
public:
    using Weights = RecurrentCells<Cell>;

    Recurrent(const Setup& setup, std::shared_ptr<const Weights> weights)
        : weights_(std::move(weights)),
          channels_(setup.channels),
          knobs_(tile * std::max(weights_->controls.size(), 1)) {
        int state = 0, gates = 0;
        for (const Cell& cell : weights_->cells) {
            state += cell.state_floats();
            gates = std::max(gates, cell.gates_row());
        }
        gates_.resize(channels_ * tile * gates);
        hidden_.resize(channels_ * tile * weights_->cells.back().row());
        states_.assign(channels_, AlignedFloats(static_cast<std::size_t>(state)));
    }

    void process(const Block& block) noexcept GAINSTAGE_REALTIME override {
        for (int first = 0; first < block.frames; first += tile) {
            const int frames = std::min(tile, block.frames - first);
            step(block, first, frames);
            play(block, first, frames);
        }
    }
    void list_state(StateList& list) override {
        list.add(states_);
        list.add_scratch(knobs_, gates_, hidden_);
    }
    std::int64_t memory_samples() const noexcept override { return weights_->facts.memory_samples; }

private:
    static constexpr int tile = 4 * lane_count;  ///< what begins and ends one is 1 ns a sample at 16

    /// All layers, each with the channels side by side; the last one's h is left in hidden_.
    void step(const Block& block, int first, int frames) noexcept {
        std::array<GatedSequence, max_channels> sequences;
        hear(block, first, frames, sequences);
        const std::vector<Cell>& cells = weights_->cells;
        int state = 0;
        for (std::size_t layer = 0; layer < cells.size(); ++layer) {
            const Cell& cell = cells[layer];
            if (layer > 0) pass_on(cell, frames, sequences);
            for (int c = 0; c < channels_; ++c) {
                sequences[c].state = states_[c].data() + state;
                sequences[c].out = hidden_.data() + c * frames * cell.row();
            }
            cell.run(std::span(sequences).first(channels_), frames);
            state += cell.state_floats();
        }
    }

    /// What the first layer hears: the knobs, which are the same for all channels, and the samples.
    void hear(const Block& block, int first, int frames, std::span<GatedSequence> sequences) noexcept {
        const Cell& cell = weights_->cells.front();
        const int knobs = cell.inputs();
        const bool moving = any_moving(block, knobs);
        const int rows = moving ? frames : 1;  // at rest all frames have the same
        for (int i = 0; i < knobs; ++i) {
            for (int k = 0; k < rows; ++k)
                knobs_[k * knobs + i] =
                    weights_->controls.heard(i, block.param(i).at(block.time + first + k));
        }
        cell.project(knobs_.data(), knobs, gates_.data(), rows);
        for (int c = 0; c < channels_; ++c)
            sequences[c] = {.gates = gates_.data(),
                            .gates_stride = moving ? cell.gates_row() : 0,
                            .samples = block.in(0, c) + first};
    }

    /// What a further layer hears: the h of the one before.
    void pass_on(const Cell& cell, int frames, std::span<GatedSequence> sequences) noexcept {
        cell.project(hidden_.data(), cell.row(), gates_.data(), channels_ * frames);
        for (int c = 0; c < channels_; ++c)
            sequences[c] = {.gates = gates_.data() + c * frames * cell.gates_row(),
                            .gates_stride = cell.gates_row()};
    }

    /// From the last layer's h to the sound.
    void play(const Block& block, int first, int frames) noexcept {
        const Weights& weights = *weights_;
        const int width = weights.cells.back().row();
        for (int c = 0; c < channels_; ++c) {
            const float* const in = block.in(0, c) + first;
            float* const out = block.out(0, c) + first;
            kernels_.dot(hidden_.data() + c * frames * width, weights.output.data(), weights.output_bias,
                         width, line_.begin(), frames);
            if (weights.final_tanh) tanh_(line_.begin(), line_.begin(), frames);
            for (int k = 0; k < frames; ++k) out[k] = weights.skip ? line_.data[k] + in[k] : line_.data[k];
        }
    }

    // fixed after construction
    const std::shared_ptr<const Weights> weights_;
    const int channels_;
    const ProductKernels& kernels_ = product_kernels();  ///< of the level in use
    const VectorMath::Function tanh_ = vector_math().tanh;
    // audio thread
    std::vector<AlignedFloats> states_;  ///< [channel][each layer's]
    // scratch within one call: rows of a tile; of gates_ and hidden_ for each channel; never empty
    AlignedFloats knobs_, gates_, hidden_;
    Tile<tile> line_;
};

}  // namespace gainstage
