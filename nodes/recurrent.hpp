#pragma once
/// What the nodes `lstm` and `gru` have in common: all but the cell.

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <vector>

#include "nodes/kernels/aligned.hpp"
#include "nodes/kernels/lanes.hpp"
#include "nodes/kernels/product.hpp"
#include "nodes/kernels/vector_math.hpp"
#include "nodes/recurrent_weights.hpp"
#include "runtime/model/model.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// Layers of cells that hear the sample and the knobs, and a linear output. No latency. The knobs are the
/// controls that the file declares, and reach the network at every sample as they are smoothed. Stereo: each
/// channel on its own, side by side. The file's tensors: recurrent_weights.hpp. `Cell`:
/// kernels/lstm_cell.hpp, gru_cell.hpp.
template <class Cell>
class Recurrent : public Node {
public:
    explicit Recurrent(const Setup& setup)
        : model_(setup.model),
          weights_(*model_, Cell::gates, setup.sample_rate_hz),
          channels_(setup.channels),
          inputs_(channels_ * tile * weights_.inputs()) {
        int state = 0, gates = 0;
        for (const CellWeights& layer : weights_.layers) {
            cells_.emplace_back(layer);
            state += cells_.back().state_floats();
            gates = std::max(gates, cells_.back().gates_row());
        }
        gates_.resize(channels_ * tile * gates);
        hidden_.resize(channels_ * tile * cells_.back().row());
        states_.assign(channels_, AlignedFloats(static_cast<std::size_t>(state)));
    }

    void process(const Block& block) noexcept GAINSTAGE_REALTIME override {
        for (int first = 0; first < block.frames; first += tile) {
            const int frames = std::min(tile, block.frames - first);
            read_inputs(block, first, frames);
            step(frames);
            play(block, first, frames);
        }
    }
    void reset() noexcept GAINSTAGE_REALTIME override {
        for (AlignedFloats& state : states_) std::fill(state.begin(), state.end(), 0.f);
    }
    void copy_state(const Node& twin) noexcept GAINSTAGE_REALTIME override {
        const auto& other = static_cast<const Recurrent&>(twin);
        for (std::size_t c = 0; c < states_.size(); ++c)
            std::copy(other.states_[c].begin(), other.states_[c].end(), states_[c].begin());
    }
    std::int64_t memory_samples() const noexcept override { return weights_.memory_samples; }

private:
    static constexpr int tile = lane_count;

    /// Rows of inputs: the sample, behind it the knobs.
    void read_inputs(const Block& block, int first, int frames) noexcept {
        const int width = weights_.inputs();
        for (int c = 0; c < channels_; ++c) {
            const float* const in = block.in(0, c) + first;
            float* const rows = inputs_.data() + c * frames * width;
            for (int k = 0; k < frames; ++k) rows[k * width] = in[k];
            for (int i = 1; i < width; ++i) {
                const auto [scale, offset] = weights_.controls[i - 1];
                for (int k = 0; k < frames; ++k)
                    rows[k * width + i] = block.param(i - 1).at(block.time + first + k) * scale + offset;
            }
        }
    }

    /// All layers, each with the channels side by side; the last one's h is left in hidden_.
    void step(int frames) noexcept {
        const float* rows = inputs_.data();
        int width = weights_.inputs(), state = 0;
        for (const Cell& cell : cells_) {
            cell.project(rows, width, gates_.data(), channels_ * frames);
            std::array<GatedSequence, max_channels> sequences;
            for (int c = 0; c < channels_; ++c)
                sequences[c] = {.gates = gates_.data() + c * frames * cell.gates_row(),
                                .state = states_[c].data() + state,
                                .out = hidden_.data() + c * frames * cell.row()};
            cell.run(std::span(sequences).first(channels_), frames);
            rows = hidden_.data();
            width = cell.row();
            state += cell.state_floats();
        }
    }

    /// From the last layer's h to the sound.
    void play(const Block& block, int first, int frames) noexcept {
        const int width = cells_.back().row();
        for (int c = 0; c < channels_; ++c) {
            const float* const in = block.in(0, c) + first;
            float* const out = block.out(0, c) + first;
            kernels_.dot(hidden_.data() + c * frames * width, weights_.output.data(), weights_.output_bias,
                         width, line_.begin(), frames);
            if (weights_.final_tanh) tanh_(line_.begin(), line_.begin(), frames);
            for (int k = 0; k < frames; ++k) out[k] = weights_.skip ? line_.data[k] + in[k] : line_.data[k];
        }
    }

    // fixed after construction
    std::shared_ptr<const Model> model_;
    RecurrentWeights weights_;
    const int channels_;
    std::vector<Cell> cells_;
    const ProductKernels& kernels_ = product_kernels();  ///< of the level in use
    const VectorMath::Function tanh_ = vector_math().tanh;
    // audio thread
    std::vector<AlignedFloats> states_;  ///< [channel][each layer's]
    // scratch within one call: [channel] rows of a tile
    AlignedFloats inputs_, gates_, hidden_;
    Tile<tile> line_;
};

/// For NodeType::operations.
template <class Cell>
double operations_of_recurrent(const Model& model) {
    return RecurrentWeights(model, Cell::gates, model.sample_rate_hz).operations();
}

/// For NodeType::notes: tensors that mean nothing to such a node.
template <class Cell>
std::vector<std::string> notes_on_recurrent(const Model& model) {
    const std::vector<std::string> used = RecurrentWeights(model, Cell::gates, model.sample_rate_hz).tensors;
    return model.notes_on_extra(std::vector<std::string_view>(used.begin(), used.end()));
}

}  // namespace gainstage
