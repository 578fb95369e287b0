#pragma once
/// Fades from one sound to another with one knob.

#include "runtime/node.hpp"

namespace gainstage {

/// `linear` (-6 dB each in the middle) keeps the level of similar sounds, `equal_power` (-3 dB each) that of
/// different ones. At the ends the output is exactly a, exactly b.
class Crossfade final : public Node {
public:
    enum Param { position };
    enum Input { a, b };

    static const NodeType& type();

    explicit Crossfade(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    std::optional<std::int64_t> exact_memory_samples() const noexcept override { return 0; }

private:
    float factor(float amount) const noexcept;

    const int channels_;
    const bool equal_power_;
};

}  // namespace gainstage
