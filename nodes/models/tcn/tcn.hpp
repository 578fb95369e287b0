#pragma once
/// Temporal convolutional networks: Steinmetz & Reiss, "Efficient neural networks for real-time modeling of
/// analog dynamic range compression", AES 152nd Convention, 2022 (micro-TCN), and their relatives.

#include <memory>
#include <vector>

#include "nodes/dsp/conditioning_grid.hpp"
#include "nodes/dsp/lanes.hpp"
#include "nodes/kernels/product.hpp"
#include "nodes/kernels/vector_math.hpp"
#include "nodes/layers/row_ring.hpp"
#include "nodes/models/tcn/tcn_weights.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// Blocks of dilated convolutions. Each is followed by a gain and an offset for each channel, which the knobs
/// set, by a PReLU and by a path around the block. Forgets exactly after its receptive field. Latency: none
/// if causal, else the look-ahead. The knobs are the controls that the file declares. While they move, the
/// conditioning network runs on the control grid, and gains and offsets follow straight lines between.
/// Stereo: each channel on its own. The file's tensors: tcn_weights.hpp.
///
/// The state is what the blocks remember: 1.7 MB a channel for 13,000 samples of 32 channels, 5.7 MB
/// for 44,000 (42 and 127 us measured with both in the cache; some times that from memory).
class Tcn final : public Node {
public:
    static const NodeType& type();

    Tcn(const Setup&, std::shared_ptr<const TcnWeights>);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList&) override;
    int latency_samples() const noexcept override { return weights_->facts.latency_samples; }
    std::int64_t memory_samples() const noexcept override { return weights_->facts.memory_samples; }
    /// Gains and offsets come to rest within two cells of the grid.
    std::optional<std::int64_t> exact_memory_samples() const noexcept override {
        return weights_->facts.memory_samples + 2 * control_grid_frames;
    }

private:
    using Buffer = Tile<64>;

    void start() noexcept GAINSTAGE_REALTIME;
    void process_tile(const Block&, int channel, int first, int frames,
                      int into_run) noexcept GAINSTAGE_REALTIME;
    void write_output(float* out, int frames) noexcept GAINSTAGE_REALTIME;
    DilatedBlock::Lines lines_of(int block, int into_run) const noexcept;

    // fixed after construction
    const std::shared_ptr<const TcnWeights> weights_;
    const ProductKernels& kernels_;  ///< of the level in use
    const VectorMath::Function tanh_;
    std::vector<int> first_value_;  ///< of each block's gains and offsets among the grid's values
    // audio thread
    Conditioning::Scratch condition_;
    ConditioningGrid grid_;
    std::vector<std::vector<RowRing>> past_;  ///< [channel][block]: the block's input
    bool started_ = false;
    bool begins_after_silence_;  ///< as the file says; a node that is kept at rest begins so in any case
    // scratch within one call
    AlignedFloats rows_;
    Buffer line_;
};

}  // namespace gainstage
