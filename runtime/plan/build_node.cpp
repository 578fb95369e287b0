#include "runtime/plan/build_node.hpp"

#include <fmt/format.h>

#include "runtime/realtime/resampled.hpp"

namespace gainstage {

namespace {

bool has_one_way_through(const NodeType& type) {
    return !type.closes_loops && type.inputs.size() == 1 && type.outputs.size() == 1 &&
           type.inputs[0].width == Width::follow && type.outputs[0].width == Width::follow;
}

std::unique_ptr<Node> build_resampled(const NodeType& type, const Prepared& prepared, const Setup& setup) {
    if (!has_one_way_through(type))
        throw SetupError(
            fmt::format("{}: type {} has other ports than one in and one out, so it can't be resampled from "
                        "the {:g} Hz at which the model was trained; run the device at that rate",
                        prepared.facts().file, type.name, prepared.facts().model_rate_hz));
    return std::make_unique<Resampled>(prepared, setup);
}

}  // namespace

RateWay rate_way(const Prepared* prepared, double device_rate_hz) noexcept {
    if (!prepared || same_rate(prepared->facts().model_rate_hz, device_rate_hz)) return RateWay::own;
    return prepared->facts().plays_at_any_rate ? RateWay::exact : RateWay::resampled;
}

std::shared_ptr<const Prepared> prepared_for(const GraphNode& node, double device_rate_hz) {
    if (!node.model) return nullptr;
    const auto fits = [&](const PreparedFacts& facts) {
        return !facts.plays_at_any_rate || same_rate(facts.sample_rate_hz, device_rate_hz);
    };
    if (node.prepared && fits(node.prepared->facts())) return node.prepared;
    return node.type->prepare(*node.model, device_rate_hz);
}

std::unique_ptr<Node> build_node(const NodeType& type, const Prepared* prepared, const Setup& setup) {
    if (!prepared) return type.make(setup);
    if (rate_way(prepared, setup.sample_rate_hz) == RateWay::resampled)
        return build_resampled(type, *prepared, setup);
    return prepared->make(setup);
}

}  // namespace gainstage
