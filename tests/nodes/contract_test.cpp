#include "tests/nodes/contract.hpp"

#include <array>

#include "tests/support/catch.hpp"

namespace gainstage::test::contract_test {

namespace {

/// A delay of 10 samples that may break a promise.
class Forgetful final : public Node {
public:
    explicit Forgetful(const Setup& setup) : what_(setup.options.get<std::string>("what")) {}
    void process(const Block& block) noexcept override {
        for (int k = 0; k < block.frames; ++k) {
            block.out(0)[k] = std::exchange(ring_[now_], block.in(0)[k]);
            now_ = (now_ + 1) % length;
        }
    }
    void list_state(StateList& list) override {
        list.add(now_);
        if (what_ != "unnamed") list.add(ring_);
    }
    std::int64_t memory_samples() const noexcept override { return length; }
    std::optional<std::int64_t> exact_memory_samples() const noexcept override {
        return what_ == "hasty" ? length - 1 : length;
    }

private:
    static constexpr int length = 10;
    const std::string what_;
    std::array<float, length> ring_{};
    int now_ = 0;
};

std::string broken_by(const std::string& what) {
    static const NodeType type{.name = "forgetful",
                               .summary = "breaks a promise",
                               .inputs = {{.name = "in"}},
                               .outputs = {{.name = "out"}},
                               .options = {{.name = "what",
                                            .kind = OptionKind::choice,
                                            .start = "nothing",
                                            .choices = {"nothing", "hasty", "unnamed"}}},
                               .make = make_node<Forgetful>};
    return broken_promise(type, {.options = {{"what", what}}}, {mono(white_noise(1000, 1))});
}

}  // namespace

TEST_CASE("contract: a node that leaves memory out of its list, or forgets too late, is found out") {
    CHECK(broken_by("nothing") == "");
    CHECK(broken_by("unnamed").starts_with("after reset"));
    CHECK(broken_by("hasty").starts_with("after 9 equal samples"));
}

}  // namespace gainstage::test::contract_test
