#pragma once
/// Adds cables: a dry/wet blend, eight levels, and the fold from stereo to mono.

#include "nodes/dsp/fader.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// out = (1 - mix) dry + mix wet + sum of in1..in8 at their levels. The blend is linear in amplitude, because
/// dry and wet are usually similar (0: exactly dry, 100: exactly wet). With `channels = 1` a stereo cable is
/// folded to (L + R) / 2. A mono cable into a stereo output feeds both sides.
class Mix final : public Node {
public:
    static constexpr int level_count = 8;
    enum Param { mix_percent, first_level_db };
    enum Input { dry, wet, first_in };

    static const NodeType& type();

    explicit Mix(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList& list) override { list.add_scratch(folded_, folded_wet_); }
    std::optional<std::int64_t> exact_memory_samples() const noexcept override { return 0; }

private:
    const float* source(const Block&, int port, int channel, std::vector<float>& folded) const noexcept;
    void blend(const Block&, int channel) noexcept;
    void add_levels(const Block&, int channel) noexcept;

    // fixed after construction
    const int channels_;
    // audio thread
    std::array<Fader, level_count> levels_;
    // scratch within one call: folded inputs
    std::vector<float> folded_, folded_wet_;
};

}  // namespace gainstage
