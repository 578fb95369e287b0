#pragma once
/// Reads the modes of an S4D layer from a model file.

#include <memory>
#include <string>

#include "nodes/layers/diagonal_ssm.hpp"
#include "nodes/layers/layer_reader.hpp"

namespace gainstage {

/// In a channel; bounds memory and work.
inline constexpr int most_modes = 64;

/// Control thread. Reads PREFIX.log_dt, .log_a_real, .a_imag, .b, .c, .d (s4d_weights.hpp) and turns them
/// into recurrences; `step`: samples of the training rate in one of ours. `forgets`: receives the slowest
/// pole's time constant in samples. Throws ModelError that names the tensor: missing, of the wrong shape, or
/// not the numbers of a stable pole.
std::unique_ptr<const DiagonalSsm> read_modes(LayerReader&, const std::string& prefix, int channels,
                                              double step, double& forgets);

}  // namespace gainstage
