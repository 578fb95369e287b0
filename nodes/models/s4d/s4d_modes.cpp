#include "nodes/models/s4d/s4d_modes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "nodes/layers/discretise.hpp"
#include "nodes/layers/model_config.hpp"

namespace gainstage {

namespace {

Discretisation discretisation_of(const Model& model) {
    return is_second(model, "discretisation", "zoh", "bilinear") ? Discretisation::bilinear
                                                                 : Discretisation::zoh;
}

std::complex<double> complex_at(const Tensor& tensor, std::size_t i) {
    return {double{tensor.data[2 * i]}, double{tensor.data[2 * i + 1]}};
}

/// A block's modes as the file has them.
struct SsmTensors {
    const Tensor &log_dt, &log_a_real, &a_imag, &c, &d;
    const Tensor* b;

    std::size_t modes() const { return static_cast<std::size_t>(columns_of(log_a_real)); }
    ContinuousMode mode(std::size_t i) const {
        const std::size_t dt = columns_of(log_dt) == 1 ? i / modes() : i;
        return {.a = {-std::exp(double{log_a_real.data[i]}), double{a_imag.data[i]}},
                .b = b ? complex_at(*b, i) : 1.,
                .c = complex_at(c, i),
                .dt = std::exp(double{log_dt.data[dt]})};
    }
};

SsmTensors read_ssm(LayerReader& read, const std::string& prefix, int channels) {
    const Tensor& log_a_real = read.tensor(prefix + "log_a_real", {channels, any_size}, most_modes);
    const int modes = columns_of(log_a_real);
    const Tensor& log_dt = read.tensor(prefix + "log_dt", {channels, any_size}, modes);
    if (columns_of(log_dt) != 1 && columns_of(log_dt) != modes)
        refuse(read.model(), "tensor \"{}\" has {} columns; expected 1 or {}", log_dt.name,
               columns_of(log_dt), modes);
    return {.log_dt = log_dt,
            .log_a_real = log_a_real,
            .a_imag = read.tensor(prefix + "a_imag", {channels, modes}),
            .c = read.tensor(prefix + "c", {channels, modes, 2}),
            .d = read.tensor(prefix + "d", {channels}),
            .b = read.has(prefix + "b") ? &read.tensor(prefix + "b", {channels, modes, 2}) : nullptr};
}

}  // namespace

std::unique_ptr<const DiagonalSsm> read_modes(LayerReader& read, const std::string& prefix, int channels,
                                              double step, double& forgets) {
    const SsmTensors tensors = read_ssm(read, prefix, channels);
    const Model& model = read.model();
    const Discretisation method = discretisation_of(model);
    std::vector<SsmMode> bank;
    forgets = 0.;
    for (std::size_t i = 0; i < tensors.log_a_real.data.size(); ++i) {
        const ContinuousMode continuous = tensors.mode(i);
        const SsmMode mode = discretised(continuous, method, step);
        if (!(continuous.a.real() < 0.) || !std::isfinite(std::abs(continuous.a)) ||
            !std::isfinite(std::abs(mode.pole)) || !std::isfinite(std::abs(mode.weight)))
            refuse(model,
                   "tensors \"{}\" and \"{}\", channel {}, mode {}: the pole is no stable one; expected one "
                   "that decays and numbers that a double holds",
                   tensors.log_a_real.name, tensors.log_dt.name, i / tensors.modes(), i % tensors.modes());
        const double decay = -std::log(std::abs(mode.pole));
        forgets = std::max(forgets, decay > 0. ? 1. / decay : std::numeric_limits<double>::infinity());
        bank.push_back(mode);
    }
    return DiagonalSsm::make(bank, tensors.d.data);
}

}  // namespace gainstage
