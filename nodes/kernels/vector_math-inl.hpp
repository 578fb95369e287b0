/// Elementary functions over whole vectors. For kernels that are compiled once per SIMD level: include it
/// inside the loop of hwy/foreach_target.h, after hwy/highway.h.
///
/// The rational and polynomial minimax fits are our own (iterated least squares at 25 digits, coefficients
/// rounded to floats). tests/nodes/kernels/vector_math_test.cpp measures the largest errors that are stated
/// here against doubles, on every level. NaN in gives NaN out.

#include <hwy/highway.h>

#if defined(GAINSTAGE_VECTOR_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef GAINSTAGE_VECTOR_MATH_INL
#undef GAINSTAGE_VECTOR_MATH_INL
#else
#define GAINSTAGE_VECTOR_MATH_INL
#endif

HWY_BEFORE_NAMESPACE();
namespace gainstage::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// x clamped to low..high; NaN stays NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Held(D d, V x, float low, float high) {
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
    x = hn::IfThenElse(hn::Gt(x, hn::Set(d, high)), hn::Set(d, high), x);
    return hn::IfThenElse(hn::Lt(x, hn::Set(d, low)), hn::Set(d, low), x);
#else
    // if one operand is NaN, these instructions return the second one
    return hn::Max(hn::Set(d, low), hn::Min(hn::Set(d, high), x));
#endif
}

/// x clamped to at most `high`; NaN stays NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V HeldBelow(D d, V x, float high) {
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
    return hn::IfThenElse(hn::Gt(x, hn::Set(d, high)), hn::Set(d, high), x);
#else
    return hn::Min(hn::Set(d, high), x);
#endif
}

/// Adding this to a number below 2^22 rounds it to a whole number, which then stands in the lowest bits.
inline constexpr float rounder = 12582912.f;

/// p 2^n for n = rounded - rounder in -126..127 and p near 1.
template <class D, class V>
HWY_INLINE V Scaled(D d, V p, V rounded) {
    const hn::RebindToSigned<D> di;
    return hn::BitCast(d, hn::Add(hn::BitCast(di, p), hn::ShiftLeft<23>(hn::BitCast(di, rounded))));
}

/// e^r - 1 for the remainder r = x - n ln 2, with n = rounded - rounder.
template <class D, class V>
HWY_INLINE V ExpOfRest(D d, V x, V rounded) {
    const V whole = hn::Sub(rounded, hn::Set(d, rounder));
    // ln 2 in two parts; the first has so few bits that its multiples are exact
    V r = hn::NegMulAdd(whole, hn::Set(d, 0.693359375f), x);
    r = hn::NegMulAdd(whole, hn::Set(d, -2.12194440e-4f), r);
    V p = hn::Set(d, 1.3814609e-3f);
    p = hn::MulAdd(p, r, hn::Set(d, 8.368711e-3f));
    p = hn::MulAdd(p, r, hn::Set(d, 4.166839e-2f));
    p = hn::MulAdd(p, r, hn::Set(d, 1.6666521e-1f));
    p = hn::MulAdd(p, r, hn::Set(d, 4.9999994e-1f));
    return hn::MulAdd(p, hn::Mul(r, r), r);
}

/// e^x, relative error 2e-7. x is clamped to -87.3..88.3: the result is never infinite and never below 1e-38.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Exp(D d, V x) {
    x = Held(d, x, -87.3f, 88.3f);
    const V n = hn::MulAdd(x, hn::Set(d, 1.44269504f), hn::Set(d, rounder));
    return Scaled(d, hn::Add(ExpOfRest(d, x, n), hn::Set(d, 1.f)), n);
}

/// 1 - e^-x for x >= 0, relative error 3e-7.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V OneMinusExp(D d, V x) {
    x = Held(d, hn::Neg(x), -87.3f, 0.f);
    const V n = hn::MulAdd(x, hn::Set(d, 1.44269504f), hn::Set(d, rounder));
    const V one = hn::Set(d, 1.f), scale = Scaled(d, one, n);
    // 1 - 2^n (1 + p): where n is 0 this is -p, and no bits are lost next to 1
    return hn::NegMulAdd(scale, ExpOfRest(d, x, n), hn::Sub(one, scale));
}

/// 2^f for f in -0.5..0.5, relative error 2e-7.
template <class D, class V>
HWY_INLINE V Exp2OfFraction(D d, V f) {
    V p = hn::Set(d, 1.32764666e-3f);
    p = hn::MulAdd(p, f, hn::Set(d, 9.67554189e-3f));
    p = hn::MulAdd(p, f, hn::Set(d, 5.55071346e-2f));
    p = hn::MulAdd(p, f, hn::Set(d, 2.40221202e-1f));
    p = hn::MulAdd(p, f, hn::Set(d, 6.93146944e-1f));
    return hn::MulAdd(p, f, hn::Set(d, 1.f));
}

/// 2^x for x <= 0, absolute error 2e-7; at most 2e-38 for x below -126.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Exp2OfNegative(D d, V x) {
#if HWY_TARGET <= HWY_AVX3
    if constexpr (sizeof(V) == 64) {  // one instruction scales, at any exponent
        const V whole = hn::Round(x);
        return V{_mm512_scalef_ps(Exp2OfFraction(d, hn::Sub(x, whole)).raw, whole.raw)};
    }
#endif
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
    x = hn::IfThenElse(hn::Lt(x, hn::Set(d, -126.f)), hn::Set(d, -126.f), x);
#else
    x = hn::Max(hn::Set(d, -126.f), x);
#endif
    const V n = hn::Add(x, hn::Set(d, rounder));
    return Scaled(d, Exp2OfFraction(d, hn::Sub(x, hn::Sub(n, hn::Set(d, rounder)))), n);
}

/// tanh x = x (low + x^4 high) / below, with x clamped to where tanh x is not yet 1. Two chains of operations
/// run side by side.
template <class V>
struct TanhQuotient {
    V x, x4, low, high, below;
};

/// The parts of `size` times tanh x.
template <class D, class V>
HWY_INLINE TanhQuotient<V> QuotientOfTanh(D d, V x, float size) {
    constexpr float end = 8.7f;
    // the square does not wait for the clamped x
    const V x2 = HeldBelow(d, hn::Mul(x, x), end * end), x4 = hn::Mul(x2, x2);
    const V high = hn::MulAdd(x2, hn::Set(d, size * 2.09938826e-5f), hn::Set(d, size * 3.51874717e-3f));
    const V q01 = hn::MulAdd(x2, hn::Set(d, 4.67337906e-1f), hn::Set(d, 1.f));
    const V q23 = hn::MulAdd(x2, hn::Set(d, 3.32365307e-4f), hn::Set(d, 2.59649064e-2f));
    return {.x = Held(d, x, -end, end),
            .x4 = x4,
            .low = hn::MulAdd(x2, hn::Set(d, size * 1.34004697e-1f), hn::Set(d, size)),
            .high = hn::MulAdd(x4, hn::Set(d, size * 1.38976981e-8f), high),
            .below = hn::MulAdd(x4, hn::MulAdd(x4, hn::Set(d, 7.99655538e-7f), q23), q01)};
}

/// `size` times tanh x in as few operations as possible: absolute error 3e-7, relative 4e-7. The factor costs
/// nothing.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Tanh(D d, V x, float size = 1.f) {
    const auto t = QuotientOfTanh(d, x, size);
    return hn::Div(hn::Mul(hn::MulAdd(t.x4, t.high, t.low), t.x), t.below);
}

/// factor times tanh x. It rounds once more than Tanh, but the path from x to the result is shorter: for
/// recurrences that wait for it.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V TimesTanh(D d, V factor, V x) {
    const auto t = QuotientOfTanh(d, x, 1.f);
    const V fx = hn::Mul(factor, t.x);
    return hn::Div(hn::MulAdd(hn::Mul(fx, t.x4), t.high, hn::Mul(fx, t.low)), t.below);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V QuickTanh(D d, V x) {
    return TimesTanh(d, hn::Set(d, 1.f), x);
}

/// 1 / (1 + e^-x), relative error 3e-7.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Sigmoid(D d, V x) {
    const V one = hn::Set(d, 1.f);
    return hn::Div(one, hn::Add(one, Exp(d, hn::Neg(x))));
}

/// x / (1 + e^-x), relative error 4e-7.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Silu(D d, V x) {
    return hn::Div(x, hn::Add(hn::Set(d, 1.f), Exp(d, hn::Neg(x))));
}

/// Splits x = 2^k (1 + f), with 1 + f in sqrt(1/2)..sqrt(2). Returns ln(1 + f) and sets k.
template <class D, class V>
HWY_INLINE V LogOfMantissa(D d, V x, V& k) {
    const hn::RebindToSigned<D> di;
    const auto bits = hn::BitCast(di, x);
    const auto exponent = hn::ShiftRight<23>(hn::Sub(bits, hn::Set(di, 0x3f3504f3)));
    k = hn::ConvertTo(d, exponent);
    const V f = hn::Sub(hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<23>(exponent))), hn::Set(d, 1.f));
    const V s = hn::Div(f, hn::Add(f, hn::Set(d, 2.f))), z = hn::Mul(s, s);
    V r = hn::Set(d, 2.f * 1.49700597e-1f);
    r = hn::MulAdd(r, z, hn::Set(d, 2.f * 1.99871302e-1f));
    r = hn::MulAdd(r, z, hn::Set(d, 2.f * 3.33334118e-1f));
    r = hn::Mul(r, z);
    // ln(1 + f) = f - (f^2/2 - s (f^2/2 + r)): the part that is rounded is small next to f
    const V half_square = hn::Mul(hn::Set(d, 0.5f), hn::Mul(f, f));
    return hn::Sub(f, hn::NegMulAdd(s, hn::Add(half_square, r), half_square));
}

/// ln x for normal x above 0: relative error 2e-7, next to x = 1 too.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Log(D d, V x) {
    V k;
    const V log = LogOfMantissa(d, x, k);
    return hn::MulAdd(k, hn::Set(d, 0.693359375f), hn::MulAdd(k, hn::Set(d, -2.12194440e-4f), log));
}

/// log2 x, likewise.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Log2(D d, V x) {
    V k;
    const V log = LogOfMantissa(d, x, k);
    return hn::MulAdd(log, hn::Set(d, 1.44269504f), k);
}

/// ln(1 + e^x), relative error 4e-7: ln(1 + y) = 2 artanh(y / (2 + y)).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Softplus(D d, V x) {
    const V y = Exp(d, hn::Neg(hn::Abs(x)));
    const V s = hn::Div(y, hn::Add(y, hn::Set(d, 2.f))), z = hn::Mul(s, s);
    V p = hn::Set(d, 1.40926629e-1f);
    p = hn::MulAdd(p, z, hn::Set(d, 1.39796212e-1f));
    p = hn::MulAdd(p, z, hn::Set(d, 2.00124949e-1f));
    p = hn::MulAdd(p, z, hn::Set(d, 3.33331555e-1f));
    p = hn::MulAdd(hn::Mul(p, z), s, s);
    return hn::MulAdd(hn::Set(d, 2.f), p, hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Zero(d), x));
}

/// erf x, absolute error 4e-7.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Erf(D d, V x) {
    x = Held(d, x, -3.9f, 3.9f);
    const V x2 = hn::Mul(x, x);
    V p = hn::Set(d, 2.06646268e-6f), q = hn::Set(d, 3.82699473e-5f);
    p = hn::MulAdd(p, x2, hn::Set(d, 2.85062910e-4f));
    q = hn::MulAdd(q, x2, hn::Set(d, 1.15738588e-3f));
    p = hn::MulAdd(p, x2, hn::Set(d, 3.73838795e-3f));
    q = hn::MulAdd(q, x2, hn::Set(d, 1.49143618e-2f));
    p = hn::MulAdd(p, x2, hn::Set(d, 5.26682138e-2f));
    q = hn::MulAdd(q, x2, hn::Set(d, 1.13819368e-1f));
    p = hn::MulAdd(p, x2, hn::Set(d, 1.89667821e-1f));
    q = hn::MulAdd(q, x2, hn::Set(d, 5.01421511e-1f));
    p = hn::MulAdd(p, x2, hn::Set(d, 1.12837911f));
    q = hn::MulAdd(q, x2, hn::Set(d, 1.f));
    return hn::Div(hn::Mul(x, p), q);
}

/// x Phi(x) = x (1 + erf(x / sqrt 2)) / 2, the exact GELU: absolute error 8e-7 and, above 0, 2e-7 of x.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Gelu(D d, V x) {
    const V half = hn::Mul(hn::Set(d, 0.5f), x);
    const V gelu = hn::MulAdd(half, Erf(d, hn::Mul(x, hn::Set(d, 0.707106781f))), half);
    return hn::IfThenElse(hn::Gt(hn::Abs(x), hn::Set(d, 5.4f)), hn::Max(hn::Zero(d), x), gelu);
}

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
