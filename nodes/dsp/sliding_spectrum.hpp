#pragma once
/// The magnitude spectrum of the last few samples, updated at every sample.

#include "nodes/kernels/aligned.hpp"
#include "nodes/kernels/slide.hpp"
#include "runtime/nonblocking.hpp"
#include "runtime/state_list.hpp"

namespace gainstage {

/// |X[b]| = |sum over the window of x[s] exp(-2 pi i b s / points)|, b = 0 .. bins - 1, points = 2 bins - 1
/// (rfft of the window, padded with zeros to `points`). The tables are immutable and shared; each channel has
/// a State.
///
/// A shift of the origin of s changes the phases only, not the magnitudes. So s is counted from the start of
/// the current stretch of `window` samples, and the sum is kept in two parts: the samples that entered in
/// this stretch (one product more at each sample) and those that remain of the stretch before (one product
/// less). At the end of a stretch the first part becomes the second, turned to the new origin, and the first
/// starts from zero. So a sample costs 4 multiply-adds a bin instead of 2 `window`, as in a sliding DFT. But
/// no term is older than two stretches: rounding errors do not pile up, and after 2 window equal samples two
/// states are equal to the bit. The error is that of a sum of 2 window terms.
class SlidingSpectrum {
public:
    struct State {
        AlignedFloats sums;  ///< [group of bins][entered re, im, remaining re, im][16]
        int position = 0;    ///< of the next sample within its stretch

        void list_state(StateList& list) { list.add(sums, position); }
    };

    SlidingSpectrum() = default;
    /// Control thread.
    SlidingSpectrum(int window, int bins);

    int bins() const noexcept { return bins_; }
    /// Control thread.
    State make_state() const;
    /// Audio thread. Sets the past to zero. The next sample is the position-th of its stretch.
    static void clear(State&, int position) noexcept GAINSTAGE_REALTIME;

    /// Audio thread. `entering`[k] joins the window at frame k; `leaving`[k], the sample `window` samples
    /// earlier, leaves it. Writes magnitudes[k][0 .. padded(bins)) in rows `stride` floats apart; the padding
    /// is 0.
    void run(State&, const float* entering, const float* leaving, float* magnitudes, int stride,
             int frames) const noexcept GAINSTAGE_REALTIME;

private:
    void turn(State&) const noexcept GAINSTAGE_REALTIME;

    int window_ = 0, bins_ = 0, groups_ = 0;
    AlignedFloats waves_;            ///< [group][0 .. window][cos, sin][16]; 0 beyond the last bin
    SlideFunction slide_ = nullptr;  ///< for the SIMD level in use
};

}  // namespace gainstage
