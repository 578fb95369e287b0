#include "nodes/kernels/vector_math.hpp"

#include "nodes/kernels/simd.hpp"
#include "nodes/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nodes/kernels/vector_math.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "nodes/kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace gainstage::HWY_NAMESPACE {

using D = hn::ScalableTag<float>;

/// The last elements, fewer than a vector, are padded to a vector and take the same path.
template <class F>
HWY_INLINE void Each(const float* in, float* out, int count) noexcept GAINSTAGE_REALTIME {
    const D d;
    const int lanes = static_cast<int>(hn::Lanes(d));
    int i = 0;
    for (; i + lanes <= count; i += lanes) hn::StoreU(F::Of(d, hn::LoadU(d, in + i)), d, out + i);
    if (i == count) return;
    HWY_ALIGN float rest[HWY_MAX(hn::MaxLanes(D()), size_t{1})];
    for (int k = 0; k < lanes; ++k) rest[k] = in[i + k < count ? i + k : i];
    hn::Store(F::Of(d, hn::Load(d, rest)), d, rest);
    for (int k = 0; i + k < count; ++k) out[i + k] = rest[k];
}

#define GAINSTAGE_EACH(Name)                                                             \
    struct Name##Of {                                                                    \
        static HWY_INLINE hn::Vec<D> Of(D d, hn::Vec<D> x) { return Name(d, x); }        \
    };                                                                                   \
    void Name##Row(const float* in, float* out, int count) noexcept GAINSTAGE_REALTIME { \
        Each<Name##Of>(in, out, count);                                                  \
    }

GAINSTAGE_EACH(Exp)
GAINSTAGE_EACH(OneMinusExp)
GAINSTAGE_EACH(Exp2OfNegative)
GAINSTAGE_EACH(Tanh)
GAINSTAGE_EACH(Sigmoid)
GAINSTAGE_EACH(Silu)
GAINSTAGE_EACH(Log)
GAINSTAGE_EACH(Log2)
GAINSTAGE_EACH(Softplus)
GAINSTAGE_EACH(Erf)
GAINSTAGE_EACH(Gelu)
#undef GAINSTAGE_EACH

const VectorMath* VectorMathHere() {
    static const VectorMath math{.level = hwy::TargetName(HWY_TARGET),
                                 .exp = ExpRow,
                                 .one_minus_exp = OneMinusExpRow,
                                 .exp2_of_negative = Exp2OfNegativeRow,
                                 .tanh = TanhRow,
                                 .sigmoid = SigmoidRow,
                                 .silu = SiluRow,
                                 .log = LogRow,
                                 .log2 = Log2Row,
                                 .softplus = SoftplusRow,
                                 .erf = ErfRow,
                                 .gelu = GeluRow};
    return &math;
}

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gainstage {

HWY_EXPORT(VectorMathHere);

const VectorMath& vector_math() {
    simd_level();
    return *HWY_DYNAMIC_DISPATCH(VectorMathHere)();
}

}  // namespace gainstage
#endif
