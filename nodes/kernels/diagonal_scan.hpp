#pragma once
/// Diagonal state-space models in floats, once per level of instructions.

#include "nodes/kernels/product.hpp"

namespace gainstage {

/// A mode s = a s + u, y = w s of a channel in delta form, with m = im s / im a and r = re s - (1 - re a) m:
///
///     r = r + p r + q m + u     m = m + r (the old one)     y = c1 r + c2 m
///     p = 2 (re a - 1)   q = -|1 - a|^2   c1 = re w   c2 = re w (1 - re a) - im w im a
///
/// so that a pole near 1 keeps its distance from 1 in floats, and a step is six operations.
struct DiagonalScan {
    int row = 0, modes = 0;                                                ///< row: channels, padded
    const float *p = nullptr, *q = nullptr, *c1 = nullptr, *c2 = nullptr;  ///< [mode][row]
    const float* direct = nullptr;                                         ///< [row]: y begins with direct u
    float* state = nullptr;                                                ///< [mode][r, m][row]
    const float* in = nullptr;                                             ///< rows side by side
    float* sums = nullptr;  ///< likewise, for what is not done yet
    float* out = nullptr;   ///< likewise; may be `sums`, or what is skipped to
    int frames = 0;
};

struct DiagonalScanKernels {
    void (*run)(const DiagonalScan&) noexcept;
    /// What becomes of y is as after a product.
    void (*run_affine_prelu)(const DiagonalScan&, const AffinePrelu&) noexcept;
    /// That alone, y being `sums`.
    void (*affine_prelu)(const DiagonalScan&, const AffinePrelu&) noexcept;
};

/// Of the level in use. Control thread; keep the reference. Throws SimdError.
const DiagonalScanKernels& diagonal_scan_kernels();

}  // namespace gainstage
