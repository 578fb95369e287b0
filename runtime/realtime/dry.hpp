#pragma once
/// What is heard in place of a node: its first input, as late as the node is.

#include "runtime/realtime/plan.hpp"

namespace gainstage {

/// The dry sound of a step at frames of a piece: its first input, folded to mono where the output is; silence
/// for a node without inputs, and for a delay in a loop, whose input comes later. Whoever runs the step.
class Dry {
public:
    Dry(const Step& step, int offset) noexcept
        : step_(step), offset_(offset), silent_(step.kind == StepKind::emit || step.input_count == 0) {}

    /// Aligned for the node's latency.
    float aligned(int channel, int frame) const noexcept GAINSTAGE_REALTIME {
        if (silent_) return 0.f;
        return step_.slot->latency_samples ? step_.slot->dry.now(channel)[frame] : plain(channel, frame);
    }
    /// Takes the piece into the dry line of a node with latency.
    void feed(int frames) const noexcept GAINSTAGE_REALTIME {
        if (silent_ || step_.output_count == 0) return;
        for (int c = 0; c < step_.outputs[0].channels; ++c)
            step_.slot->dry.feed(c, frames, [&](int k) { return plain(c, k); });
        step_.slot->dry.advance(frames);
    }

private:
    bool folds() const noexcept { return step_.outputs[0].channels == 1 && step_.inputs[0].channels == 2; }
    float plain(int channel, int frame) const noexcept {
        const PortBuffer& in = step_.inputs[0];
        if (folds()) return 0.5f * (in.channel[0][offset_ + frame] + in.channel[1][offset_ + frame]);
        return in.channel[channel][offset_ + frame];
    }

    const Step& step_;
    const int offset_;
    const bool silent_;
};

}  // namespace gainstage
