#include "tests/support/test_nodes.hpp"

#include <limits>

#include "tests/support/engine_rig.hpp"

namespace gainstage::test {

namespace {

class Bomb final : public Node {
public:
    explicit Bomb(const Setup& setup)
        : channels_(setup.channels),
          at_(static_cast<std::uint64_t>(setup.options.get<std::int64_t>("at"))),
          every_(static_cast<std::uint64_t>(setup.options.get<std::int64_t>("every"))),
          what_(setup.options.get<std::string>("what")) {}

    void process(const Block& block) noexcept override {
        for (int c = 0; c < channels_; ++c)
            for (int k = 0; k < block.frames; ++k) {
                const bool hit = is_hit(block.time + static_cast<std::uint64_t>(k));
                poisoned_ = poisoned_ || (hit && what_ == "stuck_nan");
                block.out(0, c)[k] = hit || poisoned_ ? bad() : block.in(0, c)[k];
            }
    }
    void reset() noexcept override { poisoned_ = false; }
    void copy_state(const Node& twin) noexcept override {
        poisoned_ = static_cast<const Bomb&>(twin).poisoned_;
    }

private:
    bool is_hit(std::uint64_t time) const noexcept {
        return time >= at_ && (time == at_ || (every_ && (time - at_) % every_ == 0));
    }
    float bad() const noexcept {
        if (what_ == "inf") return std::numeric_limits<float>::infinity();
        if (what_ == "loud") return 1e5f;
        return std::numeric_limits<float>::quiet_NaN();
    }
    const int channels_;
    const std::uint64_t at_, every_;
    const std::string what_;
    bool poisoned_ = false;
};

}  // namespace

const NodeType& bomb_type() {
    static const NodeType type{
        .name = "bomb",
        .summary = "Misbehaves at a chosen sample",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .options = {{.name = "at", .kind = OptionKind::integer, .start = "0", .min = 0, .max = 1e9},
                    {.name = "every", .kind = OptionKind::integer, .start = "0", .min = 0, .max = 1e9},
                    {.name = "what",
                     .kind = OptionKind::choice,
                     .start = "nan",
                     .choices = {"nan", "inf", "loud", "stuck_nan"}}},
        .make = make_node<Bomb>,
    };
    return type;
}

NodeTypes nodes_for_tests() {
    static const std::vector<NodeType> types = [] {
        std::vector<NodeType> list(all_nodes().begin(), all_nodes().end());
        list.push_back(bomb_type());
        return list;
    }();
    return types;
}

}  // namespace gainstage::test
