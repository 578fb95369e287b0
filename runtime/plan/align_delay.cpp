#include "runtime/plan/align_delay.hpp"

#include <utility>

namespace gainstage {

const NodeType& AlignDelay::type() {
    static const NodeType type{
        .name = "~align",
        .summary = "Delays a path so that it arrives with its slower neighbours",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .options = {{.name = "samples", .kind = OptionKind::integer, .start = "1", .min = 1, .max = 1e9}},
        .make = make_node<AlignDelay>,
    };
    return type;
}

AlignDelay::AlignDelay(const Setup& setup)
    : length_(static_cast<int>(setup.options.get<std::int64_t>("samples"))),
      ring_(static_cast<std::size_t>(setup.channels), std::vector<float>(static_cast<std::size_t>(length_))) {
}

void AlignDelay::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    int at = position_;
    for (std::size_t c = 0; c < ring_.size(); ++c) {
        const float* in = block.in(0, static_cast<int>(c));
        float* out = block.out(0, static_cast<int>(c));
        at = position_;
        for (int k = 0; k < block.frames; ++k) {
            out[k] = std::exchange(ring_[c][at], in[k]);
            if (++at == length_) at = 0;
        }
    }
    position_ = at;
}

}  // namespace gainstage
