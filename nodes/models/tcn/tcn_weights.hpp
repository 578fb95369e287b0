#pragma once
/// What a TCN file holds, ready to run.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nodes/layers/dense.hpp"
#include "nodes/layers/dilated_block.hpp"
#include "nodes/layers/mlp.hpp"

namespace gainstage {

class LayerReader;
class Model;

/// Tensors of a file with `architecture` "tcn". All sizes follow from their shapes; what is in brackets may
/// be absent. z: width of the conditioning vector, c: channels of a block, i: of the one before it (1 before
/// the first), both different from block to block if need be.
///
///     [conditioning.M.weight, .bias]     network from the controls to z, M = 0, 1, ..., a ReLU after every
///                                        layer; absent: z are the controls themselves
///     blocks.N.conv.weight (c, i, k)     N = 0, 1, ...; the last of k taps is the newest sample. (c, i/g,
///     k):
///                                        g groups. Dilation: config.dilation_growth to the power of N modulo
///                                        config.stack_size (absent: N)
///     [blocks.N.conv.bias (c)]
///     [blocks.N.norm.mean (c), blocks.N.norm.variance (c)]      config.norm_epsilon (1e-5)
///     blocks.N.film.weight (2 c, z)      gains, then offsets; without controls there is none
///     blocks.N.film.bias (2 c)           without controls it may be absent: gain 1, offset 0
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
    static constexpr double longest_memory_seconds = 10.;
    static constexpr std::int64_t max_state_floats = 32 << 20;  ///< what the blocks remember, per channel

    /// Control thread. Throws ModelError (what the file lacks), SetupError (another sample rate).
    TcnWeights(const Model&, double sample_rate_hz);

    /// Values of a conditioning grid: gain and offset of every block, as DilatedBlock::Lines has them.
    int values() const noexcept { return film.outputs(); }
    /// Audio thread. `knobs`: values of the controls, in their units.
    void evaluate(const float* knobs, float* values) noexcept GAINSTAGE_REALTIME;

    struct ToModel {
        float scale, offset;
    };
    std::vector<ToModel> controls;  ///< what the network hears at a knob's value
    std::optional<Mlp> conditioning;
    Dense film;  ///< from z to all gains and offsets; normalisation and biases are folded into it
    std::vector<DilatedBlock> blocks;
    std::vector<float> output;  ///< [padded channels]; empty: none
    float output_bias = 0.f;
    bool final_tanh = false, starts_silent = true;
    int receptive_field = 1, latency_samples = 0;
    std::vector<std::string> tensors;  ///< names of those read

private:
    struct Folded;

    void read_controls(const Model&);
    void read_blocks(LayerReader&);
    void read_block(LayerReader&, const std::string& prefix, int dilation, Folded&);
    void read_output(LayerReader&);
    void measure(const Model&);
    int conditioning_width() const noexcept;

    // scratch of evaluate()
    std::vector<float> heard_, vector_;
};

/// For NodeType::notes: tensors that mean nothing to a TCN.
std::vector<std::string> notes_on_tcn(const Model&);

/// For NodeType::operations.
double operations_of_tcn(const Model&);

}  // namespace gainstage
