#pragma once
/// A compressor of known parts with learned numbers: Wright & Valimaki, "Grey-box modelling of dynamic range
/// compression", DAFx 2022.

#include <array>
#include <memory>
#include <vector>

#include "nodes/dsp/conditioning_grid.hpp"
#include "nodes/dsp/lanes.hpp"
#include "nodes/kernels/grey_box_steps.hpp"
#include "nodes/models/grey_box/grey_box_weights.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// level of |x| -> static curve (a small network sets its threshold, ratio and knee from the knobs) ->
/// smoothing of the gain -> times x -> make-up. No latency. The knobs are the controls that the file
/// declares. While they move, the network runs on the control grid, and threshold, slope and knee follow
/// straight lines between. Linked stereo (`link`, the default): one detector hears the louder channel and
/// turns both down; each channel has its own make-up. The file's tensors: grey_box_weights.hpp.
class GreyBox final : public Node {
public:
    static const NodeType& type();

    GreyBox(const Setup&, std::shared_ptr<const GreyBoxWeights>);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList& list) override {
        list.add(grid_, states_);
        list.add_scratch(network_in_, network_.here, network_.next);
    }
    std::int64_t memory_samples() const noexcept override { return weights_->facts.memory_samples; }

private:
    using Buffer = Tile<64>;
    enum CurveValue { threshold_db, slope, knee_db, curve_values };
    struct State {
        double gain = 0.;  ///< smoothed, in units of 80 dB. Double: near 1 s a float would lose its last bits
        Recurrence::State detector, makeup;
    };

    void evaluate_curve(const float* knobs, float* values) noexcept GAINSTAGE_REALTIME;
    GainCurve curve_at(int into_run) const noexcept GAINSTAGE_REALTIME;
    GreyBoxKey key_of(const Block&, int detector, int first, int frames) const noexcept GAINSTAGE_REALTIME;
    void process_in_one_loop(const Block&, int first, int frames, int into_run) noexcept GAINSTAGE_REALTIME;
    void process_tile(const Block&, int first, int frames, int into_run) noexcept GAINSTAGE_REALTIME;
    void find_gains(const Block&, int first, int frames, int into_run) noexcept GAINSTAGE_REALTIME;
    void make_up(const Block&, int first, int frames) noexcept GAINSTAGE_REALTIME;

    // fixed after construction
    const std::shared_ptr<const GreyBoxWeights> weights_;
    const int channels_, detectors_;
    const double rate_hz_;
    const GreyBoxKernels* const kernels_;  ///< of the level in use
    const bool in_one_loop_;               ///< one channel, both cells of four units at most
    // audio thread
    ConditioningGrid grid_;
    std::array<State, max_channels> states_;
    // scratch within one call
    std::vector<float> network_in_;
    Mlp::Scratch network_;
    std::array<Buffer, max_channels> gain_;  ///< [detector]
    std::array<Buffer, max_channels> said_;  ///< [channel], by a cell
};

}  // namespace gainstage
