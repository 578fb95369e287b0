#pragma once
/// How work is counted: one multiplication, addition or comparison is one operation.

namespace gainstage::operations {

/// The price of a tanh, sigmoid, exponential, logarithm, root or error function: Wright & Valimaki, DAFx
/// 2022, table 1.
inline constexpr double transcendental = 30.;

/// W x + b.
constexpr double dense(double outputs, double inputs) {
    return 2. * outputs * inputs;
}
/// A gain and an offset for each channel: normalisation and FiLM, folded.
constexpr double affine(double channels) {
    return 2. * channels;
}

}  // namespace gainstage::operations
