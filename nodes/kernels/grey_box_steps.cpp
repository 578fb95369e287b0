#include "nodes/kernels/grey_box_steps.hpp"

#include "nodes/kernels/simd.hpp"
#include "nodes/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nodes/kernels/grey_box_steps.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "nodes/kernels/small_cells-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace gainstage::HWY_NAMESPACE {

using Samples = hn::CappedTag<float, 16>;
using Double = hn::CappedTag<double, 1>;
using DoubleV = hn::Vec<Double>;

HWY_INLINE constexpr int SampleLanes() {
    return static_cast<int>(hn::MaxLanes(Samples()));
}

struct CurveHere {
    const GainCurve& curve;

    HWY_INLINE hn::Vec<Samples> Line(int i, hn::Vec<Samples> position) const {
        const Samples d;
        return hn::MulAdd(hn::Set(d, curve.slope[i]), position, hn::Set(d, curve.from[i]));
    }
    /// Static gain of the louder of two amplitudes, for the frames from k on.
    template <bool Soft>
    HWY_INLINE hn::Vec<Samples> Of(hn::Vec<Samples> one, hn::Vec<Samples> other, int k) const {
        using V = hn::Vec<Samples>;
        const Samples d;
        const V floor = hn::Set(d, 1e-4f);
        const V loud = hn::Max(hn::Max(hn::Abs(one), hn::Abs(other)), floor);
        const V level = hn::Mul(hn::Set(d, 8.685889638065035f), Log(d, loud));  // 20 / ln(10)
        const V position = hn::Iota(d, curve.position + static_cast<float>(k));
        const V over = hn::Sub(level, Line(0, position)), zero = hn::Zero(d);
        if (!Soft) return hn::Mul(Line(1, position), hn::Max(over, zero));
        const V knee = Line(2, position), half = hn::Mul(hn::Set(d, 0.5f), knee);
        const V in_knee = hn::Min(hn::Max(hn::Add(over, half), zero), knee);
        const V twice = hn::Mul(hn::Set(d, 2.f), hn::Max(knee, hn::Set(d, 1e-6f)));
        const V bent = hn::Div(hn::Mul(in_knee, in_knee), twice);
        return hn::Mul(Line(1, position), hn::Add(bent, hn::Max(hn::Sub(over, half), zero)));
    }
    /// Writes the static gains of one whole vector of frames to gain[k] and on.
    template <bool Soft>
    HWY_INLINE void Store(const GreyBoxKey& key, int k, float* gain) const {
        const Samples d;
        hn::StoreU(Of<Soft>(hn::LoadU(d, key.one + k), hn::LoadU(d, key.other + k), k), d, gain + k);
    }
    /// Writes the static gains of the frames from k on, fewer than a vector. They are padded to a vector and
    /// take the same path.
    template <bool Soft>
    HWY_NOINLINE void StoreRest(const GreyBoxKey& key, int k, float* gain) const {
        const Samples d;
        HWY_ALIGN float one[16] = {}, other[16] = {};
        for (int j = 0; k + j < key.frames; ++j) one[j] = key.one[k + j], other[j] = key.other[k + j];
        hn::StoreU(Of<Soft>(hn::Load(d, one), hn::Load(d, other), k), d, gain + k);
    }
    /// Writes the static gains of all frames from k on.
    template <bool Soft>
    HWY_INLINE void StoreFrom(const GreyBoxKey& key, int k, float* gain) const {
        for (; k + SampleLanes() <= key.frames; k += SampleLanes()) Store<Soft>(key, k, gain);
        if (k < key.frames) StoreRest<Soft>(key, k, gain);
    }
};

/// A gain in units of 80 dB as a factor: 10^(80 gain / 20).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Factor(D d, V gain) {
    return Exp(d, hn::Mul(hn::Set(d, 9.210340371976184f), gain));  // 4 ln(10)
}

template <bool Soft>
HWY_INLINE void CurveOf(const GainCurve& curve, const GreyBoxKey& key, float* gain) {
    const CurveHere here{curve};
    here.StoreFrom<Soft>(key, 0, gain);
}

void Curve(const GainCurve& curve, const GreyBoxKey& key, float* gain) noexcept GAINSTAGE_REALTIME {
    if (curve.soft)
        CurveOf<true>(curve, key, gain);
    else
        CurveOf<false>(curve, key, gain);
}

/// Computes the attack step and the release step side by side, then picks one. Both are straight lines in s
/// that meet at s = g, so the smaller (or the larger) one is right on both sides.
template <bool AttackIsFaster>
struct SwitchingPole {
    DoubleV s, attack, release, keep_attack, keep_release;

    HWY_INLINE explicit SwitchingPole(const Switching& pole) {
        const Double d;
        s = hn::Set(d, *pole.smoothed);
        attack = hn::Set(d, pole.attack), keep_attack = hn::Set(d, 1. - pole.attack);
        release = hn::Set(d, pole.release), keep_release = hn::Set(d, 1. - pole.release);
    }
    HWY_INLINE float Step(float gain) {
        const Double d;
        const DoubleV g = hn::Set(d, static_cast<double>(gain));
        const DoubleV down = hn::MulAdd(keep_attack, s, hn::Mul(attack, g));
        const DoubleV up = hn::MulAdd(keep_release, s, hn::Mul(release, g));
        s = AttackIsFaster ? hn::Min(down, up) : hn::Max(down, up);
        return static_cast<float>(hn::GetLane(s));
    }
};

/// Computes the curve of 16 frames, then runs the pole over them. The processor looks far enough ahead to
/// compute the next curve while the pole runs.
template <bool Soft, bool AttackIsFaster>
HWY_INLINE void SwitchingOf(const GainCurve& curve, const GreyBoxKey& key, const Switching& switching,
                            float* gain) {
    const Samples d;
    const CurveHere here{curve};
    SwitchingPole<AttackIsFaster> pole(switching);
    constexpr int chunk = 16;
    int k = 0;
    for (; k + chunk <= key.frames; k += chunk) {
        for (int j = 0; j < chunk; j += SampleLanes()) here.Store<Soft>(key, k + j, gain);
        for (int j = 0; j < chunk; ++j) gain[k + j] = pole.Step(gain[k + j]);
    }
    here.StoreFrom<Soft>(key, k, gain);
    for (; k < key.frames; ++k) gain[k] = pole.Step(gain[k]);
    *switching.smoothed = hn::GetLane(pole.s);
    for (k = 0; k < key.frames; k += SampleLanes())
        hn::StoreU(Factor(d, hn::LoadU(d, gain + k)), d, gain + k);
}

template <bool Soft>
HWY_INLINE void SwitchingBySpeed(const GainCurve& curve, const GreyBoxKey& key, const Switching& switching,
                                 float* gain) {
    if (switching.attack >= switching.release)
        SwitchingOf<Soft, true>(curve, key, switching, gain);
    else
        SwitchingOf<Soft, false>(curve, key, switching, gain);
}

void SwitchingHere(const GainCurve& curve, const GreyBoxKey& key, const Switching& switching,
                   float* gain) noexcept GAINSTAGE_REALTIME {
    if (curve.soft)
        SwitchingBySpeed<true>(curve, key, switching, gain);
    else
        SwitchingBySpeed<false>(curve, key, switching, gain);
}

/// Smoothing coefficients for time constants of sigmoid(raw) seconds: b = 1 - exp(-(1 + e^-raw) / rate).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Coefficient(D d, V raw, float seconds_per_sample) {
    const V per_second = hn::Add(hn::Set(d, 1.f), Exp(d, hn::Neg(Held(d, raw, -80.f, 80.f))));
    return OneMinusExp(d, hn::Mul(per_second, hn::Set(d, seconds_per_sample)));
}

/// s += b (g - s)
HWY_INLINE float GlidingStep(DoubleV& s, float coefficient, float gain) {
    const Double d;
    const DoubleV b = hn::Set(d, static_cast<double>(coefficient));
    const DoubleV added = hn::Mul(b, hn::Set(d, static_cast<double>(gain)));
    s = hn::MulAdd(hn::Sub(hn::Set(d, 1.), b), s, added);
    return static_cast<float>(hn::GetLane(s));
}

/// Turns gain[k] from the static gain into a smoothed factor. Also computes values behind `frames`, up to a
/// whole vector of D.
template <class D>
HWY_INLINE void SmoothBy(D d, float seconds_per_sample, DoubleV& s, float* raw, float* gain, int frames) {
    const int lanes = static_cast<int>(hn::MaxLanes(d));
    for (int k = 0; k < frames; k += lanes)
        hn::StoreU(Coefficient(d, hn::LoadU(d, raw + k), seconds_per_sample), d, raw + k);
    for (int k = 0; k < frames; ++k) gain[k] = GlidingStep(s, raw[k], gain[k]);
    for (int k = 0; k < frames; k += lanes) hn::StoreU(Factor(d, hn::LoadU(d, gain + k)), d, gain + k);
}

HWY_INLINE float SecondsPerSample(const Gliding& g) {
    return static_cast<float>(1. / g.samples_per_second);
}

void Smooth(const Gliding& g, float* raw, float* gain, int frames) noexcept GAINSTAGE_REALTIME {
    DoubleV s = hn::Set(Double(), *g.smoothed);
    SmoothBy(Samples(), SecondsPerSample(g), s, raw, gain, frames);
    *g.smoothed = hn::GetLane(s);
}

/// Two chains of steps in one loop. While the make-up cell goes through one group of frames and waits for its
/// own previous steps, the detector's cell goes through the next group, twice as fast. Its gains are ready
/// when the make-up cell gets there.
template <class Detector, class Makeup>
void GlideAndMakeUp(const Gliding& g, float* raw, float* gain, int frames) noexcept GAINSTAGE_REALTIME {
    constexpr int group = 4;
    Detector detector(g.detector, g.detector_state);
    Makeup makeup(g.makeup, g.makeup_state);
    DoubleV s = hn::Set(Double(), *g.smoothed);
    const float seconds_per_sample = SecondsPerSample(g);
    for (int k = 0; k < frames + group; k += group) {
        for (int j = 0; j < 2 * group; ++j) {
            const int heard = k + j, made_up = k - group + j / 2;
            if (j < group && heard < frames) raw[heard] = detector.Step(gain[heard]);
            if (j == group && k < frames)
                SmoothBy(hn::CappedTag<float, group>(), seconds_per_sample, s, raw + k, gain + k,
                         HWY_MIN(group, frames - k));
            if (j % 2 == 0 || made_up < 0 || made_up >= frames) continue;
            const float turned = g.in[made_up] * gain[made_up];
            g.out[made_up] = turned + makeup.Step(turned);
        }
    }
    detector.Store(g.detector_state);
    makeup.Store(g.makeup_state);
    *g.smoothed = hn::GetLane(s);
}

const GreyBoxKernels* GreyBoxKernelsHere() {
    using Elman = SmallElman<4>;
    using Gru = SmallGru<4>;
    static constexpr GreyBoxKernels kernels{
        .curve = Curve,
        .switching = SwitchingHere,
        .smooth = Smooth,
        .glide_and_make_up = {{GlideAndMakeUp<Elman, Elman>, GlideAndMakeUp<Elman, Gru>},
                              {GlideAndMakeUp<Gru, Elman>, GlideAndMakeUp<Gru, Gru>}}};
    return &kernels;
}

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gainstage {

HWY_EXPORT(GreyBoxKernelsHere);

const GreyBoxKernels& grey_box_kernels() {
    simd_level();
    return *HWY_DYNAMIC_DISPATCH(GreyBoxKernelsHere)();
}

}  // namespace gainstage
#endif
