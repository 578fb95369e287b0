#pragma once
/// The magnitudes of the spectrum of the last few samples, anew at every sample.

#include "nodes/kernels/aligned.hpp"
#include "nodes/kernels/slide.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

/// |X[b]| = |sum over the window of x[s] exp(-2 pi i b s / points)|, b = 0 .. bins - 1, points = 2 bins - 1
/// (rfft of the window, padded with zeros to `points`). Immutable tables, shared; each channel has a State.
///
/// The phase of a spectrum does not change its magnitudes, so s may be counted from anywhere. It is counted
/// from the start of the present stretch of `window` samples, and the sum is kept in two parts: what entered
/// in this stretch (grows by a product a sample) and what is left of the stretch before (shrinks by one).
/// At the end of a stretch the first becomes the second, turned to the new origin, and the first starts from
/// nothing. So a sample costs 4 multiply-adds a bin instead of 2 `window`, as a sliding DFT, but nothing is
/// older than two stretches: rounding does not pile up, and 2 window equal samples make states equal to the
/// bit. Error: that of a sum of 2 window terms.
class SlidingSpectrum {
public:
    struct State {
        AlignedFloats sums;  ///< [group of bins][entered re, im, left re, im][16]
        int position = 0;    ///< of the next sample within its stretch
    };

    SlidingSpectrum() = default;
    /// Control thread.
    SlidingSpectrum(int window, int bins);

    int bins() const noexcept { return bins_; }
    /// Control thread.
    State make_state() const;
    /// Audio thread. All past is zero; the next sample is the position-th of its stretch.
    static void clear(State&, int position) noexcept GAINSTAGE_REALTIME;

    /// Audio thread. `entering`[k] joins the window at frame k, `leaving`[k] (window samples earlier) leaves
    /// it. magnitudes[k][0 .. padded(bins)), the padding 0, in rows `stride` floats apart.
    void run(State&, const float* entering, const float* leaving, float* magnitudes, int stride,
             int frames) const noexcept GAINSTAGE_REALTIME;

private:
    void turn(State&) const noexcept GAINSTAGE_REALTIME;

    int window_ = 0, bins_ = 0, groups_ = 0;
    AlignedFloats waves_;            ///< [group][0 .. window][cos, sin][16]; 0 beyond the last bin
    SlideFunction slide_ = nullptr;  ///< of the level in use
};

}  // namespace gainstage
