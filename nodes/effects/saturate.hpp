#pragma once
/// Distorts from warmth to fuzz, with few aliases.

#include <array>

#include "nodes/dsp/adaa.hpp"
#include "nodes/dsp/knobs.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// wet = shape(drive in + bias) - shape(bias), both antialiased, then a 5 Hz DC block;  out = output ((1 -
/// mix) in + mix wet).
///
/// Antialiased to first order (dsp/adaa.hpp), which costs half a sample and some treble. A filter of one
/// pole, 1.8 / (1 + 0.8 z^-1), restores both: the wet path is flat within 1 dB up to 0.43 of the sample rate
/// and 0.06 samples late (5 degrees at 10 kHz, 48 kHz). So dry and wet add up without a comb, the dry path
/// needs no delay, mix 0 changes no bit, and the node has no latency. Like every band-limited clipper it
/// overshoots its curve a little on steep edges.
class Saturate final : public Node {
public:
    enum Param { drive_db, bias, mix_percent, output_db, param_count };
    enum class Shape { tanh, soft_clip, hard_clip, asymmetric, fold };

    static const NodeType& type();

    explicit Saturate(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList& list) override { list.add(path_); }
    std::int64_t memory_samples() const noexcept override;

private:
    /// The wet path of one channel.
    struct Path {
        bool fresh =
            true;  ///< before the first sample, which starts from the bias: silence is silent at once
        Adaa shaped;
        double bias = 0., treble = 0., blocked_in = 0., blocked_out = 0.;
    };
    template <class Curve>
    void play(const Block&) noexcept;
    template <class Curve>
    double rest_on_the_way(Path&) const noexcept;
    template <class Curve>
    double wet(Path&, double in, double at_rest) const noexcept;
    void update(const Block&, std::uint64_t time) noexcept;

    // fixed after construction
    const int channels_;
    const Shape shape_;
    const double sample_rate_hz_, dc_remaining_;
    // audio thread: settings that follow from the knobs
    Mapped<float> drive_of_, output_of_;
    double drive_ = 1., bias_ = 0., mix_ = 1., output_ = 1.;
    // state, audio thread
    std::array<Path, max_channels> path_;
};

}  // namespace gainstage
