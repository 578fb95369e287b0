#pragma once
/// Delays a path so that it arrives together with its slower neighbours. The plan adds it; patches can't.

#include <vector>

#include "runtime/node.hpp"

namespace gainstage {

/// Output = input, `samples` (option, >= 1) later.
class AlignDelay final : public Node {
public:
    static const NodeType& type();

    explicit AlignDelay(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList& list) override { list.add(position_, ring_); }
    std::int64_t memory_samples() const noexcept override { return length_; }
    std::optional<std::int64_t> exact_memory_samples() const noexcept override { return length_; }

private:
    // fixed after construction
    const int length_;
    // state, audio thread
    std::vector<std::vector<float>> ring_;  // per channel
    int position_ = 0;
};

}  // namespace gainstage
