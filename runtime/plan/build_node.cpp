#include "runtime/plan/build_node.hpp"

#include <fmt/format.h>

#include <cmath>

#include "runtime/model/model.hpp"
#include "runtime/realtime/resampled.hpp"

namespace gainstage {

namespace {

bool has_one_way_through(const NodeType& type) {
    return !type.closes_loops && type.inputs.size() == 1 && type.outputs.size() == 1 &&
           type.inputs[0].width == Width::follow && type.outputs[0].width == Width::follow;
}

std::unique_ptr<Node> build_resampled(const NodeType& type, const Setup& setup) {
    const double model_rate_hz = setup.model->sample_rate_hz;
    if (!has_one_way_through(type))
        throw SetupError(
            fmt::format("{}: type {} has other ports than one in and one out, so it can't be resampled from "
                        "the {:g} Hz at which the model was trained; run the device at that rate",
                        setup.model->file, type.name, model_rate_hz));
    return std::make_unique<Resampled>(type, setup, model_rate_hz);
}

}  // namespace

RateWay rate_way(const NodeType& type, const Model* model, double device_rate_hz) {
    if (!model || std::abs(model->sample_rate_hz - device_rate_hz) < 0.5) return RateWay::own;
    return type.any_rate && type.any_rate(*model) ? RateWay::exact : RateWay::resampled;
}

std::unique_ptr<Node> build_node(const NodeType& type, const Setup& setup) {
    if (rate_way(type, setup.model.get(), setup.sample_rate_hz) == RateWay::resampled)
        return build_resampled(type, setup);
    return type.make(setup);
}

}  // namespace gainstage
