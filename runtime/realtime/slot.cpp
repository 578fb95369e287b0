#include "runtime/realtime/slot.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "runtime/model/hash.hpp"

namespace gainstage {

DryLine::DryLine(int channels, int latency, int max_frames) : latency_(latency) {
    if (latency == 0) return;
    const auto count = static_cast<std::size_t>(channels);
    ring_.assign(count, std::vector<float>(static_cast<std::size_t>(latency)));
    now_.assign(count, std::vector<float>(static_cast<std::size_t>(max_frames)));
}

void DryLine::reset() noexcept GAINSTAGE_REALTIME {
    for (auto& ring : ring_) std::fill(ring.begin(), ring.end(), 0.f);
    position_ = 0;
}

void DryLine::copy(const DryLine& twin) noexcept GAINSTAGE_REALTIME {
    for (std::size_t c = 0; c < ring_.size(); ++c)
        std::copy(twin.ring_[c].begin(), twin.ring_[c].end(), ring_[c].begin());
    position_ = twin.position_;
}

namespace {

int first_width(const std::vector<int>& channels) {
    return channels.empty() ? 0 : channels.front();
}

void add_starting_ramps(const GraphNode& node, std::vector<Ramp>& ramps) {
    for (const float value : node.start) ramps.push_back(settled(value));
    if (!node.start.empty()) return;
    for (const float value : node.values) ramps.push_back(settled(value));
    for (const bool is_on : {node.bypass, node.mute}) ramps.push_back(settled(is_on ? 1.f : 0.f));
}

std::vector<Ramp> two_lots_of_starting_ramps(const GraphNode& node) {
    std::vector<Ramp> ramps;
    ramps.reserve(2 * (node.values.size() + Slot::extra_count));
    add_starting_ramps(node, ramps);
    add_starting_ramps(node, ramps);
    return ramps;
}

/// The node is hashed once for all of its knobs.
std::vector<std::uint32_t> numbers_of(std::span<const ParamSpec> specs, std::string_view node) {
    Hash of_node;
    of_node.add(node);
    std::vector<std::uint32_t> numbers(specs.size());
    for (std::size_t p = 0; p < specs.size(); ++p) {
        Hash hash = of_node;
        hash.add(std::string_view(specs[p].name));
        numbers[p] = static_cast<std::uint32_t>(hash.value() ^ hash.value() >> 32);
    }
    return numbers;
}

}  // namespace

Slot::Slot(NodeKey key_, std::shared_ptr<const GraphNode> description_, std::unique_ptr<Node> node_,
           double rate_hz, int max_frames, int loop_latency)
    : key(key_),
      shared_description(std::move(description_)),
      description(*shared_description),
      node(std::move(node_)),
      memory(*node),
      breaker(description.type->closes_loops ? static_cast<LoopBreaker*>(node.get()) : nullptr),
      latency_samples(node->latency_samples()),
      loop_latency_samples(loop_latency),
      param_count(static_cast<int>(description.params.size())),
      specs(description.params.all()),
      knob_numbers(numbers_of(specs, description.id)),
      ramp_memory(two_lots_of_starting_ramps(description)),
      input_histories(description.type->architecture.empty() ? 0 : description.type->inputs.size()),
      ramps(std::span(ramp_memory).first(ramp_memory.size() / 2)),
      ramps_meanwhile(std::span(ramp_memory).last(ramps.size())),
      dry(first_width(description.output_channels), latency_samples, max_frames),
      ramp_samples(std::max(1, static_cast<int>(std::lround(Quarantine::ramp_s * rate_hz)))),
      readings(description.type->readings.size()) {
    for (std::atomic<float>& reading : readings) reading = std::numeric_limits<float>::quiet_NaN();
    update_plain();
}

std::vector<Ramp> starting_ramps(const GraphNode& node) {
    std::vector<Ramp> ramps;
    ramps.reserve(node.values.size() + Slot::extra_count);
    add_starting_ramps(node, ramps);
    return ramps;
}

Ramp within_range(const ParamSpec& spec, Ramp ramp) noexcept GAINSTAGE_REALTIME {
    ramp.from = nearest_value(spec, ramp.from);
    ramp.to = nearest_value(spec, ramp.to);
    if (spec.steps > 1) ramp.length = 0;
    return ramp;
}

int Slot::param_of(const GraphTarget& target) const noexcept GAINSTAGE_REALTIME {
    switch (target.kind) {
        case TargetKind::bypass:
            return param_of(bypass);
        case TargetKind::mute:
            return param_of(mute);
        default:
            return target.param;
    }
}

bool TripRecord::add(std::uint64_t stamp, double window_samples) noexcept GAINSTAGE_REALTIME {
    if (count == trips_to_latch) {
        for (std::size_t i = 1; i < stamps.size(); ++i) stamps[i - 1] = stamps[i];
        --count;
    }
    stamps[count++] = stamp;
    return count == trips_to_latch && static_cast<double>(stamp - stamps[0]) <= window_samples;
}

void Slot::trip(std::uint64_t stamp, TripCause cause, float ceiling,
                double latch_window_samples) noexcept GAINSTAGE_REALTIME {
    quarantine.tripped = true;
    quarantine.cause = cause;
    quarantine.ceiling = ceiling;
    quarantine.since = stamp;
    quarantine.latched = quarantine.record.add(stamp, latch_window_samples);
    plain_from = never;
    tripped_at.store(stamp, std::memory_order_release);
}

void Slot::lose() noexcept GAINSTAGE_REALTIME {
    std::copy(ramps.begin(), ramps.end(), ramps_meanwhile.begin());
    is_lost = true;
}

void Slot::update_plain() noexcept GAINSTAGE_REALTIME {
    if (is_lost) return;
    const Ramp& b = ramps[param_of(bypass)];
    const Ramp& m = ramps[param_of(mute)];
    const bool heard = !quarantine.tripped && b.to == 0.f && m.to == 0.f;
    plain_from = heard ? std::max(b.start + b.length, m.start + m.length) : never;
}

void Slot::reset() noexcept GAINSTAGE_REALTIME {
    if (is_lost) return;
    memory.reset();
    dry.reset();
    last_good.fill(0.f);
}

void Slot::copy_state(const Slot& twin) noexcept GAINSTAGE_REALTIME {
    if (is_lost || twin.is_lost) return;
    memory.copy(twin.memory);
    dry.copy(twin.dry);
    last_good = twin.last_good;
}

}  // namespace gainstage
