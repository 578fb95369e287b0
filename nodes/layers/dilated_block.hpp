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
/// where gain and offset combine normalisation and conditioning. Immutable once built. All taps are one
/// product for a whole tile, whose sums stay in registers until y is done. Each channel of sound has its own
/// ring of x.
class DilatedBlock {
public:
    /// Upper bound of Shape::taps.
    static constexpr int max_taps = 256;

    struct Shape {
        int inputs, outputs, taps, dilation, residual_delay;

        /// Rows of x that are needed before the present one.
        std::int64_t history() const noexcept {
            return std::max<std::int64_t>(std::int64_t{taps - 1} * dilation, residual_delay);
        }
        /// Floats of a row of x in its ring. Mono rows are not padded.
        int input_width() const noexcept { return inputs == 1 ? 1 : padded(inputs); }
    };
    /// In PyTorch's layout. A convolution may have groups: the inputs of a group only reach the outputs of
    /// that group.
    struct Weights {
        std::span<const float> conv;               ///< (outputs, conv_inputs, taps), the last tap the newest
        std::span<const float> slope;              ///< (outputs) or (1)
        std::span<const float> residual;           ///< (outputs, residual_inputs)
        int conv_inputs = 1, residual_inputs = 1;  ///< of a group
    };
    /// Gain and offset of each frame, [gain: padded(outputs)][offset: padded(outputs)], as straight lines
    /// over the tile.
    struct Lines {
        const float *from, *slope;
        float position;  ///< of the tile's first frame, where the values are from + slope * position
        bool glide;      ///< false: slope is 0
    };

    /// Control thread. REQUIRES: the sizes fit.
    DilatedBlock(const Shape&, const Weights&);

    const Shape& shape() const noexcept { return shape_; }
    int output_width() const noexcept { return padded(shape_.outputs); }

    /// Audio thread. Computes y for the last `frames` rows written to `x`. Rows of `y` have output_width()
    /// floats and follow one another.
    void run(const RowRing& x, const Lines&, float* y, int frames) const noexcept GAINSTAGE_REALTIME;

private:
    void run_piece(const RowRing& x, const Lines&, float* y, int frames, int first, int count) const noexcept;

    Shape shape_;
    const ProductKernels* kernels_;  ///< for the SIMD level in use
    int taps_at_once_;               ///< taps whose weights fit into the nearest cache together
    AlignedFloats taps_;             ///< [tap, the oldest first][input][padded(outputs)]
    AlignedFloats slope_, no_bias_;
    AlignedFloats residual_;  ///< channel by channel, if each output has its own input
    Dense mixing_residual_;   ///< for all other residuals
};

}  // namespace gainstage
