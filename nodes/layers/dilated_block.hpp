#pragma once
/// One block of a temporal convolutional network.

#include <algorithm>
#include <cstdint>
#include <span>

#include "nodes/kernels/aligned.hpp"
#include "nodes/layers/dense.hpp"
#include "nodes/layers/row_ring.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

/// Steinmetz & Reiss, "Efficient neural networks for real-time modeling of analog dynamic range compression",
/// AES 152nd Convention, 2022; with k taps, dilation d and residual delay r,
///
///     a[t] = sum over j of W_j x[t - (k - 1 - j) d]
///     y[t] = prelu(gain[t] a[t] + offset[t]) + R x[t - r]
///
/// where gain and offset are what normalisation and conditioning come to. Immutable once built; all
/// taps are one product for a whole tile, whose sums stay in registers until y is done; each channel of sound
/// keeps its own ring of x.
class DilatedBlock {
public:
    /// A bound on Shape::taps.
    static constexpr int max_taps = 256;

    struct Shape {
        int inputs, outputs, taps, dilation, residual_delay;

        /// How far back x matters.
        std::int64_t history() const noexcept {
            return std::max<std::int64_t>(std::int64_t{taps - 1} * dilation, residual_delay);
        }
        /// Floats of a row of x as its ring keeps it: mono lies side by side.
        int input_width() const noexcept { return inputs == 1 ? 1 : padded(inputs); }
    };
    /// As PyTorch keeps them. A convolution may be of groups: so many inputs meet their own outputs only.
    struct Weights {
        std::span<const float> conv;               ///< (outputs, conv_inputs, taps), the last tap the newest
        std::span<const float> slope;              ///< (outputs) or (1)
        std::span<const float> residual;           ///< (outputs, residual_inputs)
        int conv_inputs = 1, residual_inputs = 1;  ///< of a group
    };
    /// gain and offset of a frame: [gain: padded(outputs)][offset: as many], on lines over the tile.
    struct Lines {
        const float *from, *slope;
        float position;  ///< of the tile's first frame: its values are from + slope * position
        bool glide;      ///< else slope is 0
    };

    /// Control thread. REQUIRES: the sizes fit.
    DilatedBlock(const Shape&, const Weights&);

    const Shape& shape() const noexcept { return shape_; }
    int output_width() const noexcept { return padded(shape_.outputs); }

    /// Audio thread. y of the last `frames` rows written to `x`, rows of output_width() side by side.
    void run(const RowRing& x, const Lines&, float* y, int frames) const noexcept GAINSTAGE_REALTIME;

private:
    void run_piece(const RowRing& x, const Lines&, float* y, int frames, int first, int count) const noexcept;

    Shape shape_;
    const ProductKernels* kernels_;  ///< of the level in use
    int taps_at_once_;               ///< whose weights fit the nearest cache
    AlignedFloats taps_;             ///< [tap, the oldest first][input][padded(outputs)]
    AlignedFloats slope_, no_bias_;
    AlignedFloats residual_;  ///< channel by channel, where each output has its own input
    Dense mixing_residual_;   ///< else
};

}  // namespace gainstage
