#pragma once
/// A compressor learned as a network of state-space models: Yin, "Modeling analog dynamic range compressors
/// using deep learning and state-space models", thesis 2023; Yin, Cheng, Volgenau, arXiv 2403.16331.

#include <array>
#include <memory>

#include "nodes/dsp/conditioning_grid.hpp"
#include "nodes/dsp/lanes.hpp"
#include "nodes/kernels/aligned.hpp"
#include "nodes/kernels/product.hpp"
#include "nodes/kernels/vector_math.hpp"
#include "nodes/models/s4d/s4d_weights.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// Expand to c channels -> blocks of linear layer, activation, one state-space model for each channel, a gain
/// and an offset (BatchNorm and FiLM), activation, plus a share of the block's input -> contract to one ->
/// tanh and product with the input, as the file says. No latency; at any sample rate, with no resampler.
/// The knobs are the controls that the file declares. They set one gain and one offset for each channel of
/// each block. These are computed on the control grid and follow straight lines between, because the network
/// that computes them is steep. Stereo: each channel has its own state. The file's tensors: s4d_weights.hpp.
class S4d final : public Node {
public:
    static const NodeType& type();

    S4d(const Setup&, std::shared_ptr<const S4dWeights>);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList& list) override {
        list.add(grid_, states_);
        list.add_scratch(condition_.heard, condition_.vector, condition_.network.here,
                         condition_.network.next, rows_, mixed_, filtered_);
    }
    std::int64_t memory_samples() const noexcept override { return weights_->facts.memory_samples; }

private:
    using Buffer = Tile<64>;

    void play_tile(const float* in, float* out, float* state, int frames,
                   int into_run) noexcept GAINSTAGE_REALTIME;
    void listen(const float* in, int frames) noexcept GAINSTAGE_REALTIME;
    void run_block(int index, float* state, int frames, int into_run) noexcept GAINSTAGE_REALTIME;
    void finish_block(int index, float* state, int frames, int into_run) noexcept GAINSTAGE_REALTIME;
    void modulate(int block, int frames, int into_run) noexcept GAINSTAGE_REALTIME;
    void speak(const float* in, float* out, int frames) noexcept GAINSTAGE_REALTIME;
    void squash(S4dWeights::Squash, Buffer&, int frames) const noexcept GAINSTAGE_REALTIME;

    // fixed after construction
    const std::shared_ptr<const S4dWeights> weights_;
    const ProductKernels& kernels_;  ///< of the level in use
    const VectorMath::Function tanh_;
    const int channels_, width_;  ///< of the node; of a row inside
    // audio thread
    Conditioning::Scratch condition_;
    Buffer level_, voice_;
    AlignedFloats rows_, mixed_, filtered_;  ///< [frame][width_]: a block's input, and on its way
    // state, audio thread
    ConditioningGrid grid_;
    std::array<AlignedFloats, max_channels> states_;  ///< of all blocks, one after the other
};

}  // namespace gainstage
