#pragma once
/// Diagonal state-space models in floats, compiled once per SIMD level.

#include "nodes/kernels/product.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

/// One mode of a channel, s = a s + u and y = w s, in delta form with m = im s / im a and
/// r = re s - (1 - re a) m:
///
///     r = r + p r + q m + u     m = m + r (the old one)     y = c1 r + c2 m
///     p = 2 (re a - 1)   q = -|1 - a|^2   c1 = re w   c2 = re w (1 - re a) - im w im a
///
/// In this form a pole near 1 keeps its distance from 1 in floats, and a step takes six operations.
struct DiagonalScan {
    int row = 0, modes = 0;                                                ///< row: channels, padded
    const float *p = nullptr, *q = nullptr, *c1 = nullptr, *c2 = nullptr;  ///< [mode][row]
    const float* direct = nullptr;  ///< [row]: the sum of y begins with direct u
    float* state = nullptr;         ///< [mode][r, m][row]
    const float* in = nullptr;      ///< [frame][row]
    float* sums = nullptr;          ///< [frame][row]: sums of the groups of modes done so far
    float* out = nullptr;           ///< [frame][row]; may be `sums`, or the `skip` of AffinePrelu
    int frames = 0;
};

struct DiagonalScanKernels {
    void (*run)(const DiagonalScan&) noexcept GAINSTAGE_REALTIME;
    /// The same, with AffinePrelu applied to y.
    void (*run_affine_prelu)(const DiagonalScan&, const AffinePrelu&) noexcept GAINSTAGE_REALTIME;
    /// AffinePrelu alone, applied to the y in `sums`.
    void (*affine_prelu)(const DiagonalScan&, const AffinePrelu&) noexcept GAINSTAGE_REALTIME;
};

/// For the SIMD level in use. Control thread; keep the reference. Throws SimdError.
const DiagonalScanKernels& diagonal_scan_kernels();

}  // namespace gainstage
