#include "runtime/plan/timing.hpp"

#include <cmath>

#include "runtime/realtime/resampled.hpp"

namespace gainstage {

namespace {

/// Walks upstream from the outputs along the latest arrivals.
class SlowestWay {
public:
    explicit SlowestWay(const Arrangement& arrangement)
        : arrangement_(arrangement), on_it_(arrangement.slots.size(), false) {
        for (std::size_t n = 0; n < on_it_.size(); ++n)
            if (arrangement.graph.nodes[n].output_channels.empty()) add(static_cast<int>(n));
        for (std::size_t next = 0; next < found_.size(); ++next) go_upstream(found_[next]);
    }
    bool has(std::size_t node) const { return on_it_[node]; }

private:
    void add(int node) {
        if (on_it_[node]) return;
        on_it_[node] = true;
        found_.push_back(node);
    }
    /// A path that a delay holds back, to align it, is not the slowest way.
    bool is_waiting(int node) const { return arrangement_.graph.nodes[node].id.front() == '~'; }

    void go_upstream(int node) {
        // The latency of a loop is taken off the delay that closes it.
        if (arrangement_.slots[node]->loop_latency_samples > 0) return;
        for (const Source& source : arrangement_.feeds.all_of(node))
            if (!is_waiting(source.part)) add(source.part);
    }

    const Arrangement& arrangement_;
    std::vector<bool> on_it_;
    std::vector<int> found_;
};

}  // namespace

NodeTiming timing_of(const Slot& slot, double device_rate_hz) {
    const GraphNode& node = slot.description;
    NodeTiming timing{.node = node.id, .latency_samples = slot.latency_samples};
    timing.way = rate_way(node.prepared.get(), device_rate_hz);
    if (node.model) timing.model_rate_hz = node.model->sample_rate_hz;
    if (timing.way == RateWay::resampled) {
        const auto& resampled = static_cast<const Resampled&>(*slot.node);
        const double own_s = resampled.model_latency_samples() / resampled.model_rate_hz();
        timing.resampler_samples =
            slot.latency_samples - static_cast<int>(std::lround(own_s * device_rate_hz));
    }
    return timing;
}

std::vector<NodeTiming> timing_of(const Arrangement& arrangement, double device_rate_hz) {
    const SlowestWay way(arrangement);
    std::vector<NodeTiming> timings;
    for (std::size_t n = 0; n < arrangement.slots.size(); ++n) {
        if (arrangement.graph.nodes[n].id.front() == '~') continue;
        NodeTiming timing = timing_of(*arrangement.slots[n], device_rate_hz);
        timing.counts = way.has(n);
        if (timing.latency_samples > 0 || timing.way != RateWay::own) timings.push_back(std::move(timing));
    }
    return timings;
}

}  // namespace gainstage
