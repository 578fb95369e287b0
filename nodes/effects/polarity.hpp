#pragma once
/// Inverts a sound.

#include "runtime/node.hpp"

namespace gainstage {

/// out = -in, or in when switched off. A switch fades through zero in 5 ms, so that it does not click.
class Polarity final : public Node {
public:
    enum Param { invert };
    static constexpr double turn_s = 0.005;

    static const NodeType& type();

    explicit Polarity(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList& list) override { list.add(heard_, sign_); }
    std::optional<std::int64_t> exact_memory_samples() const noexcept override { return turn_samples_; }

private:
    // fixed after construction
    const int channels_;
    const std::uint32_t turn_samples_;
    // state, audio thread
    bool heard_ = false;  ///< false before the first sample
    Ramp sign_;           ///< the factor, between +1 and -1
};

}  // namespace gainstage
