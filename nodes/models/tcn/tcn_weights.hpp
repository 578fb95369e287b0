#pragma once
/// The weights of a TCN file, prepared.

#include <cstdint>
#include <string>
#include <vector>

#include "nodes/layers/conditioning.hpp"
#include "nodes/layers/dilated_block.hpp"
#include "runtime/prepared.hpp"

namespace gainstage {

/// Tensors of a file with `architecture` "tcn". All sizes follow from their shapes; what is in brackets may
/// be absent. z: width of the conditioning vector, c: channels of a block, i: of the one before it (1 before
/// the first), both different from block to block if need be.
///
///     [conditioning.M.weight, .bias]     network from the controls to z (layers/conditioning.hpp)
///     blocks.N.conv.weight (c, i, k)     N = 0, 1, ...; the last of k taps is the newest sample.
///                                        (c, i/g, k): g groups. Dilation: config.dilation_growth to the
///                                        power of N modulo config.stack_size (absent: N)
///     [blocks.N.conv.bias (c)]
///     blocks.N.norm..., .film...         of the convolution (layers/conditioning.hpp); config.norm_epsilon
///                                        (1e-5)
///     blocks.N.slope (c) or (1)          of the PReLU
///     blocks.N.residual.weight (c, i)    or (c, 1): each output from its own input
///     [output.weight (1, c), output.bias (1)]      absent: the last block has one channel
///
/// config.final_tanh = "none" | "tanh".
/// config.causal (true): the residual path of a block is config.residual_delay (0; published causal files: 1)
/// samples late. false: it comes from the middle of the taps, and the output belongs to the middle of the
/// receptive field: so much is latency.
/// config.start = "silence": at the start, silence has lasted for ever, with the knobs as they are at the
/// first sample. "zeros": what every layer remembers is 0.
struct TcnWeights {
    /// Bounds on sizes.
    static constexpr int max_blocks = 32, max_channels = 256, max_taps = 256, max_growth = 1024;
    static constexpr std::int64_t max_state_floats = 32 << 20;  ///< what the blocks remember, per channel

    /// Control thread. Throws ModelError if a tensor is missing or out of bounds.
    explicit TcnWeights(const Model&);

    PreparedFacts facts;
    /// Gain and offset of every block, as DilatedBlock::Lines has them; the convolutions' biases are folded
    /// in.
    Conditioning conditioning;
    std::vector<DilatedBlock> blocks;
    std::vector<float> output;  ///< [padded channels]; empty: none
    float output_bias = 0.f;
    bool final_tanh = false, starts_silent = true;

private:
    void read_blocks(LayerReader&);
    void read_block(LayerReader&, const std::string& prefix, int dilation);
    void read_output(LayerReader&);
    void measure(const Model&);
    double count_operations(const Model&) const;
};

}  // namespace gainstage
