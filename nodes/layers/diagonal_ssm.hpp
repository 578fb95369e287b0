#pragma once
/// Diagonal state-space models in their recurrent form, one per channel: the S4D layer. Gu, Gupta, Goel, Re,
/// "On the parameterization and initialization of diagonal state space models", 2022.

#include <complex>
#include <memory>
#include <span>

#include "nodes/kernels/product.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

/// One mode of a channel; its conjugate twin is implied.
struct SsmMode {
    std::complex<double> pole;    ///< per sample, within the unit circle
    std::complex<double> weight;  ///< the mode's factor in the output: C B
};

/// For every channel, s_n = pole_n s_n + u and y = 2 Re sum_n weight_n s_n + direct u. Immutable once built;
/// any number of threads. The caller keeps the state.
class DiagonalSsm {
public:
    virtual ~DiagonalSsm() = default;

    /// Control thread. `bank`: modes of each channel, [channel][mode]; `direct`: one for each channel. The
    /// states are floats in delta form (diagonal_scan.hpp). They are doubles if a mode forgets less than
    /// least_forgotten a sample, or if floats are off by more than most_error: both are played and compared,
    /// which takes some milliseconds.
    static std::unique_ptr<const DiagonalSsm> make(std::span<const SsmMode> bank,
                                                   std::span<const float> direct);
    /// Share of the largest output.
    static constexpr double most_error = 4e-6;
    static constexpr double least_forgotten = 2e-4;

    /// Size of a state in floats; all 0 at rest.
    std::size_t state_size() const noexcept { return state_size_; }

    /// Audio thread. Rows of padded(channels) floats (rows.hpp). `in` and `out` don't overlap.
    virtual void run(float* state, const float* in, float* out,
                     int frames) const noexcept GAINSTAGE_REALTIME = 0;
    /// Audio thread. Writes the same to `sums`, and prelu(gain y + offset) + skip of it to `out`, which may
    /// be the skipped rows.
    virtual void run_affine_prelu(float* state, const float* in, float* sums, const AffinePrelu&, float* out,
                                  int frames) const noexcept GAINSTAGE_REALTIME = 0;

protected:
    std::size_t state_size_ = 0;  ///< fixed after construction
};

}  // namespace gainstage
