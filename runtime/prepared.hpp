#pragma once
/// A weight file, prepared for one sample rate and shared by all instances of its node.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/node.hpp"
#include "runtime/rest.hpp"

namespace gainstage {

/// Facts about a weight file, for the rate of its preparation.
struct PreparedFacts {
    std::string file;                 ///< for messages
    double model_rate_hz = 0.;        ///< at which it was trained
    double sample_rate_hz = 0.;       ///< of its nodes: the device's, or the model's if it plays at no other
    bool plays_at_any_rate = false;   ///< without a resampler
    int latency_samples = 0;          ///< as Node::latency_samples()
    std::int64_t memory_samples = 0;  ///< as Node::memory_samples()
    /// Floating-point operations per sample at rest. A tanh, an exponential or a logarithm counts as 30
    /// (Wright & Valimaki 2022).
    double operations = 0.;
    std::vector<std::string> notes = {};  ///< for the player: "extra tensor ignored: ..."
};

/// The weights in the layout that the kernels read. NodeType::prepare makes it. Immutable; any number of
/// threads. A node instance holds a shared_ptr to it and owns only its state and scratch, so a second
/// instance needs no second set of weights. Nodes are freed on the control thread, and so is this.
///
/// For a second layout of the same weights (channels in pairs, for example) a family adds a member beside the
/// first layout. The first build() that needs it fills it in, under std::call_once. All instances share it.
class Prepared : public std::enable_shared_from_this<Prepared> {
public:
    Prepared(const Prepared&) = delete;
    Prepared& operator=(const Prepared&) = delete;
    virtual ~Prepared();

    virtual const PreparedFacts& facts() const noexcept = 0;

    /// Control thread. A new instance. Throws SetupError if the setup has another rate than the facts.
    std::unique_ptr<Node> make(const Setup&) const;

    /// Any thread.
    RestMemo& rests() const noexcept { return rests_; }

    /// Preparations that this process has made so far, and those alive now. Any thread.
    struct Counts {
        std::uint64_t made = 0, alive = 0;
    };
    static Counts counts() noexcept;

protected:
    Prepared() noexcept;

private:
    virtual std::unique_ptr<Node> build(const Setup&) const = 0;

    mutable RestMemo rests_;
};

}  // namespace gainstage
