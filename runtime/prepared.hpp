#pragma once
/// A weight file made ready for one sample rate: what all instances of its node share.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/node.hpp"

namespace gainstage {

/// What a preparation knows of its file. Constant once it is made.
struct PreparedFacts {
    std::string file;            ///< for messages
    double model_rate_hz = 0.;   ///< at which it was trained
    double sample_rate_hz = 0.;  ///< of its nodes: the rate asked for, or the model's where it knows no other
    bool plays_at_any_rate = false;   ///< by itself, exactly; else it needs a resampler at another rate
    int latency_samples = 0;          ///< as Node::latency_samples()
    std::int64_t memory_samples = 0;  ///< as Node::memory_samples()
    /// The price: floating-point operations per sample at rest. A tanh, an exponential or a logarithm counts
    /// as 30 (Wright & Valimaki 2022).
    double operations = 0.;
    std::vector<std::string> notes = {};  ///< for the player: "extra tensor ignored: ..."
};

/// Weights in the layout that the kernels read. Made by NodeType::prepare; immutable; any number of threads.
/// A node instance holds a shared_ptr to it and owns nothing but its state and scratch: a second instance
/// needs no second set of weights. The last to let go frees it: the control thread, as it frees the nodes.
///
/// A family that wants another layout of the same weights (channels in pairs, say) keeps it beside the first
/// one: a member of its weights that the first build() which needs it fills in, under std::call_once. All
/// instances share it, and it is freed with the rest.
class Prepared : public std::enable_shared_from_this<Prepared> {
public:
    Prepared(const Prepared&) = delete;
    Prepared& operator=(const Prepared&) = delete;
    virtual ~Prepared();

    virtual const PreparedFacts& facts() const noexcept = 0;

    /// Control thread. A new instance. Throws SetupError where the setup has another rate than the facts.
    std::unique_ptr<Node> make(const Setup&) const;

    /// How often files were prepared in this process, and how many preparations are alive. Any thread.
    struct Counts {
        std::uint64_t made = 0, alive = 0;
    };
    static Counts counts() noexcept;

protected:
    Prepared() noexcept;

private:
    virtual std::unique_ptr<Node> build(const Setup&) const = 0;
};

}  // namespace gainstage
