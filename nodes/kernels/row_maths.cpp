#include "nodes/kernels/row_maths.hpp"

#include "nodes/kernels/simd.hpp"
#include "nodes/kernels/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nodes/kernels/row_maths.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "nodes/kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace gainstage::HWY_NAMESPACE {

using Floats = hn::CappedTag<float, 16>;

HWY_INLINE constexpr int ChannelLanes() {
    return static_cast<int>(hn::MaxLanes(Floats()));
}

void Modulate(float* rows, int stride, const float* gains, const float* offsets, int film_stride,
              int channels, int frames) noexcept GAINSTAGE_REALTIME {
    const Floats d;
    for (int k = 0; k < frames; ++k, rows += stride, gains += film_stride, offsets += film_stride)
        for (int c = 0; c < channels; c += ChannelLanes())
            hn::StoreU(hn::MulAdd(hn::LoadU(d, gains + c), hn::LoadU(d, rows + c), hn::LoadU(d, offsets + c)),
                       d, rows + c);
}

void GateSoftsign(const float* in, int in_stride, float* out, int out_stride, int channels,
                  int frames) noexcept GAINSTAGE_REALTIME {
    const Floats d;
    const auto one = hn::Set(d, 1.f);
    for (int k = 0; k < frames; ++k, in += in_stride, out += out_stride)
        for (int c = 0; c < channels; c += ChannelLanes()) {
            const auto gate = hn::LoadU(d, in + channels + c);
            const auto share = hn::Div(gate, hn::Add(one, hn::Abs(gate)));
            hn::StoreU(hn::Mul(hn::LoadU(d, in + c), share), d, out + c);
        }
}

void GateSilu(float* rows, int stride, const float* gates, int gate_stride, int channels,
              int frames) noexcept GAINSTAGE_REALTIME {
    const Floats d;
    for (int k = 0; k < frames; ++k, rows += stride, gates += gate_stride)
        for (int c = 0; c < channels; c += ChannelLanes())
            hn::StoreU(hn::Mul(hn::LoadU(d, rows + c), Silu(d, hn::LoadU(d, gates + c))), d, rows + c);
}

void ConvolveSilu(const float* in, int in_stride, const float* weight, const float* bias, int taps,
                  float* out, int out_stride, int channels, int frames) noexcept GAINSTAGE_REALTIME {
    const Floats d;
    const int width = (channels + 15) / 16 * 16;
    for (int k = 0; k < frames; ++k, in += in_stride, out += out_stride)
        for (int c = 0; c < channels; c += ChannelLanes()) {
            auto sum = hn::LoadU(d, bias + c);
            for (int j = 0; j < taps; ++j)
                sum = hn::MulAdd(hn::LoadU(d, weight + j * width + c), hn::LoadU(d, in + j * in_stride + c),
                                 sum);
            hn::StoreU(Silu(d, sum), d, out + c);
        }
}

const RowMaths* RowMathsHere() {
    static constexpr RowMaths maths{.modulate = Modulate,
                                    .gate_softsign = GateSoftsign,
                                    .gate_silu = GateSilu,
                                    .convolve_silu = ConvolveSilu};
    return &maths;
}

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gainstage {

HWY_EXPORT(RowMathsHere);

const RowMaths& row_maths() {
    simd_level();
    return *HWY_DYNAMIC_DISPATCH(RowMathsHere)();
}

}  // namespace gainstage
#endif
