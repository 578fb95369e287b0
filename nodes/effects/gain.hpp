#pragma once
/// Makes a sound louder or quieter.

#include "nodes/dsp/fader.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// out = in * 10^(gain_db / 20). The ramp is straight in decibels, as a fader moves. The lowest value is
/// silence. With more than 56 dB the output is held to +80 dBFS, the ceiling of plain effects: what comes in
/// at +24 dBFS at most is then no fault.
class Gain final : public Node {
public:
    enum Param { gain_db };

    static const NodeType& type();

    explicit Gain(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    std::optional<std::int64_t> exact_memory_samples() const noexcept override { return 0; }

private:
    // fixed after construction
    const int channels_;
    // audio thread
    static constexpr float loud_db = 56.f, held_to = 1e4f;
    GAINSTAGE_NOINLINE void process_anyhow(const Block&) noexcept GAINSTAGE_REALTIME;

    Fader fader_;
    Mapped<float> resting_;  ///< never knows more than loud_db, so process() needs no look at it
};

}  // namespace gainstage
