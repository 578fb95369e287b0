#pragma once
/// A compressor as a network with selective state spaces: Simionato & Fasciani, "Modeling Time-Variant
/// Responses of Optical Compressors with Selective State Space Models", JAES 73(3), 2025 (arXiv 2408.12549).

#include <array>
#include <memory>
#include <vector>

#include "nodes/kernels/product.hpp"
#include "nodes/kernels/row_maths.hpp"
#include "nodes/kernels/vector_math.hpp"
#include "nodes/models/s6/s6_weights.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// The last samples -> dense -> S6 -> dense -> FiLM by controls and spectrum -> GLU -> FiLM by a GRU of the
/// same
/// -> GLU -> S6 -> dense -> a gain for the newest sample. No latency. The knobs are the controls that the
/// file declares. They are read at every sample, because they enter only a sum of a few products. Stereo:
/// each channel has its own state. The file's tensors: s6_weights.hpp.
class S6 final : public Node {
public:
    static const NodeType& type();

    S6(const Setup&, std::shared_ptr<const S6Weights>);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList&) override;
    std::int64_t memory_samples() const noexcept override { return weights_->facts.memory_samples; }
    std::optional<std::int64_t> exact_memory_samples() const noexcept override;

private:
    static constexpr int tile_frames = 64;

    struct State {
        AlignedFloats past;  ///< the last `window` samples, and room for a tile
        SlidingSpectrum::State spectrum;
        std::array<SelectiveSsm::State, 2> ssm;
        AlignedFloats hidden;  ///< of the GRU, a row for each of the last lag_samples steps
        int oldest = 0;        ///< the row whose turn it is
    };

    void read_controls(const Block&, int first, int frames) noexcept GAINSTAGE_REALTIME;
    void process_tile(State&, const float* in, float* out, int frames) noexcept GAINSTAGE_REALTIME;
    void analyse(State&, int frames) noexcept GAINSTAGE_REALTIME;
    void run_ssm(int stage, State&, const float* in, int in_row, int frames) noexcept GAINSTAGE_REALTIME;
    void run_glu(const Dense& glu, int frames) noexcept GAINSTAGE_REALTIME;
    void modulate_by_memory(State&, int frames) noexcept GAINSTAGE_REALTIME;

    // fixed after construction
    const std::shared_ptr<const S6Weights> weights_;
    const int channels_;
    const VectorMath::Function activate_;
    const RowMaths& rows_;  ///< these and the next: of the level in use
    const ProductKernels& products_;
    // audio thread
    std::vector<State> states_;
    bool started_ = false;
    bool still_ = false;  ///< what makes gains and offsets is the same for all frames of the block
    // scratch within one call; [frame][weights_->row], [frame][weights_->wide_row], ...
    AlignedFloats here_, there_;
    AlignedFloats film_in_, cell_in_;  ///< rows [controls, features]
    AlignedFloats gates_, modulation_, magnitudes_;
    std::array<float, tile_frames> voice_{};
    SelectiveSsm::Scratch scratch_;
    const int film_row_, cell_row_, modulation_row_, magnitudes_row_;
};

}  // namespace gainstage
