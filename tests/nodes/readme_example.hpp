// The examples of nodes/README.md, word for word: readme_example_test.cpp compares them.

#include "nodes/layers/control_inputs.hpp"
#include "nodes/layers/layer_reader.hpp"
#include "nodes/layers/model_config.hpp"
#include "nodes/layers/operations.hpp"
#include "runtime/node.hpp"
#include "runtime/prepared.hpp"

namespace gainstage {

/// Takes the edge off: a one-pole lowpass.
class Soften final : public Node {
public:
    static const NodeType& type() {
        static const NodeType type{.name = "soften",
                                   .summary = "Takes the edge off",
                                   .inputs = {{.name = "in"}},
                                   .outputs = {{.name = "out"}},
                                   .params = {{.name = "edge", .min = 0.01f, .max = 1.f, .start = 0.2f}},
                                   .make = make_node<Soften>};
        return type;
    }
    explicit Soften(const Setup& setup) : channels_(setup.channels) {}
    void process(const Block& block) noexcept GAINSTAGE_REALTIME override {
        for (int c = 0; c < channels_; ++c)
            for (int k = 0; k < block.frames; ++k) {
                float& last = last_[c];
                last += (block.in(0, c)[k] - last) * block.param(0).at(block.time + k);
                block.out(0, c)[k] = last;
            }
    }
    void list_state(StateList& list) override { list.add(last_); }
    std::int64_t memory_samples() const noexcept override { return 917; }  // 0.99^917 is -80 dB

private:
    const int channels_;                      // fixed after construction
    std::array<float, max_channels> last_{};  // state, audio thread
};

struct TapeWeights {
    explicit TapeWeights(const Model& model) : facts(facts_of(model)), controls(model) {
        LayerReader read(model);  // checks every size, and throws ModelError that names the tensor
        dense = read.dense("dense", any_size, 1 + controls.size(), 256);
        facts.memory_samples = 1;
        facts.operations = operations::dense(dense.outputs(), dense.inputs());
        facts.notes = model.notes_on_extra(read.used());
    }
    PreparedFacts facts;     // rate, latency, memory, price, notes for the player
    ControlInputs controls;  // from the file's knobs to what the network hears
    Dense dense;
};

}  // namespace gainstage
