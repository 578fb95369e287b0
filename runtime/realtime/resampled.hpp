#pragma once
/// Plays a model that knows only one sample rate in a stream of another rate.

#include <array>
#include <memory>
#include <vector>

#include "runtime/node.hpp"
#include "runtime/prepared.hpp"
#include "runtime/realtime/rate_converter.hpp"

namespace gainstage {

/// For the engine this is an ordinary node with latency. Inside, the model's own node runs at its training
/// rate between two resamplers. Model sample m is due at stream sample m * device / model, counted from the
/// start of the stream, so its time, its control grid and its knobs' ramps follow from the stream's time
/// alone. The latency (resampler, node, resampler) is a whole number of device samples; the phase of the
/// second resampler makes up the missing fraction.
class Resampled final : public Node {
public:
    /// Control thread. REQUIRES: the type has one input and one output, both as wide as the node; `setup` is
    /// the device's. Throws SetupError for rates whose ratio has a term above largest_term, and what the
    /// node's own constructor throws.
    Resampled(const Prepared&, const Setup& setup);

    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList&) override;
    void after_load() noexcept GAINSTAGE_REALTIME override;
    int latency_samples() const noexcept override { return latency_; }
    std::int64_t memory_samples() const noexcept override { return memory_; }
    std::optional<std::int64_t> exact_memory_samples() const noexcept override { return exact_memory_; }

    double model_rate_hz() const noexcept { return model_rate_hz_; }
    /// The latency of the model's own node, at its own rate.
    int model_latency_samples() const noexcept { return inner_->latency_samples(); }

    /// The largest number in a ratio of two rates in lowest terms (44.1 to 192 kHz is 147:640). The
    /// resampler's memory and the time of a new start grow with it.
    static constexpr int largest_term = 1280;

private:
    /// The rates without a common factor.
    struct Ratio {
        int device, model;
    };
    /// Control thread. Throws SetupError, as the constructor says.
    static Ratio ratio_of(double device_hz, double model_hz);

    std::uint64_t first_model_sample(std::uint64_t time) const noexcept GAINSTAGE_REALTIME;
    Ramp at_model_rate(Ramp) const noexcept GAINSTAGE_REALTIME;
    void set_latency();
    void start(std::uint64_t time) noexcept GAINSTAGE_REALTIME;
    void play(const Block&, int first, int frames) noexcept GAINSTAGE_REALTIME;
    void run_model(const Block&, std::uint64_t time, int frames) noexcept GAINSTAGE_REALTIME;

    // fixed after construction
    const double model_rate_hz_;
    const Ratio ratio_;
    const int channels_, piece_frames_;
    std::unique_ptr<Node> inner_;
    int latency_ = 0;
    std::int64_t memory_ = 0;
    std::optional<std::int64_t> exact_memory_;
    std::int64_t out_ahead_ = 0, in_ahead_ = 0;  ///< of the second resampler's counts before the stream's
    // audio thread
    RateConverter to_model_, to_device_;
    std::uint64_t next_time_;  ///< the stream sample that comes next
    // scratch within one call
    std::vector<Ramp> ramps_;
    std::array<std::vector<float>, max_channels> heard_, played_;
    PortBuffer in_, out_;
};

}  // namespace gainstage
