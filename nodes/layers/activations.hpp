#pragma once
/// Activation functions over rows of frames (rows.hpp).

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/nonblocking.hpp"

namespace gainstage {

enum class ActivationKind {
    identity,
    prelu,  ///< x above 0, a x below; a learned
    relu,   ///< x above 0, 0 below
    gelu,   ///< x (1 + erf(x / sqrt 2)) / 2: the exact one, not its approximation by tanh
    tanh,
    ptanh,  ///< a tanh x; a learned
    sigmoid,
};

/// The activation of this name: "Identity", "PReLU", "ReLU", "GELU" as PyTorch names its modules, or "tanh",
/// "PTanh", "sigmoid".
std::optional<ActivationKind> activation_named(std::string_view name) noexcept;

/// True if the activation has a learned number a.
constexpr bool learns(ActivationKind kind) noexcept {
    return kind == ActivationKind::prelu || kind == ActivationKind::ptanh;
}

/// One activation layer. Immutable once built; any number of threads.
class RowActivation {
public:
    /// Identity.
    RowActivation() = default;
    /// Control thread. `factors`: the learned a, one for all channels or one for each; empty if none is
    /// learned. REQUIRES: their number fits.
    RowActivation(ActivationKind, int channels, std::span<const float> factors = {});

    ActivationKind kind() const noexcept { return kind_; }
    /// The learned a, [padded(channels)]; null if none is learned.
    const float* factors() const noexcept { return factors_.data(); }

    /// Audio thread. In place, over `frames` rows of padded(channels) floats, one after another. The padding
    /// is computed too and stays finite. NaN stays NaN.
    void run(float* rows, int frames) const noexcept GAINSTAGE_REALTIME;

private:
    ActivationKind kind_ = ActivationKind::identity;
    std::vector<float> factors_;  ///< [padded(channels)]
};

}  // namespace gainstage
