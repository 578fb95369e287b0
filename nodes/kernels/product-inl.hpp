/// The tile that sums a product in registers. For kernels that are compiled once per SIMD level: include it
/// inside the loop of hwy/foreach_target.h.

#include <hwy/highway.h>

#if defined(GAINSTAGE_PRODUCT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef GAINSTAGE_PRODUCT_INL
#undef GAINSTAGE_PRODUCT_INL
#else
#define GAINSTAGE_PRODUCT_INL
#endif

#include "nodes/kernels/product.hpp"
#include "nodes/kernels/simd_targets.hpp"

HWY_BEFORE_NAMESPACE();
namespace gainstage::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Vectors of up to 16 channels: rows are padded to 16.
using Channels = hn::CappedTag<float, 16>;
using Sum = hn::Vec<Channels>;

HWY_INLINE constexpr int Width() {
    return static_cast<int>(hn::MaxLanes(Channels()));
}

/// Rows of a tile: enough chains of sums to hide the latency of an addition, and no more than the registers
/// can hold.
HWY_INLINE constexpr int TileRows() {
    return Width() == 16 ? 8 : Width() == 8 ? 6 : 4;
}

/// The sums of `Rows` frames and `Vectors` vectors of outputs from column `o` on; they live in registers.
template <int Rows, int Vectors>
using Sums = Sum[Rows][Vectors];

/// Where the sums begin: with the bias, or with bias + out where it Adds.
template <bool Adds, int Rows, int Vectors>
HWY_INLINE void Begin(const Product& p, std::ptrdiff_t frame, int o, Sums<Rows, Vectors>& sum) {
    const Channels d;
    GAINSTAGE_UNROLL
    for (int f = 0; f < Rows; ++f) {
        GAINSTAGE_UNROLL
        for (int v = 0; v < Vectors; ++v) sum[f][v] = hn::LoadU(d, p.bias + o + v * Width());
    }
    if (!Adds) return;
    GAINSTAGE_UNROLL
    for (int f = 0; f < Rows; ++f) {
        const float* out = p.out + (frame + f) * p.out_stride + o;
        GAINSTAGE_UNROLL
        for (int v = 0; v < Vectors; ++v) sum[f][v] = hn::Add(sum[f][v], hn::LoadU(d, out + v * Width()));
    }
}

/// g++ takes a minute where AddressSanitizer watches every tile in one function.
#ifdef __SANITIZE_ADDRESS__
#define GAINSTAGE_TILE HWY_NOINLINE
#else
#define GAINSTAGE_TILE HWY_INLINE
#endif

/// Sums `Rows` frames by `Vectors` vectors of outputs from column `o` on. Each weight is loaded once for all
/// these frames. Each sum is one chain in the order of taps and inputs, so it does not depend on Rows.
/// `finish.At(column)` reads once what all frames share, and its `Of(f, sum)` stores the finished sum.
template <bool Adds, int Rows, int Vectors, class Finish>
GAINSTAGE_TILE void Tile(const Product& p, std::ptrdiff_t frame, int o, const Finish& finish) {
    const Channels d;
    Sums<Rows, Vectors> sum;
    Begin<Adds, Rows, Vectors>(p, frame, o, sum);
    const float* weight = p.weight + o;
    for (int t = 0; t < p.taps; ++t) {
        const std::ptrdiff_t stride = p.in_strides[t];
        const float* in = p.in[t] + frame * stride;
        for (int i = 0; i < p.inputs; ++i) {
            Sum w[Vectors];
            GAINSTAGE_UNROLL
            for (int v = 0; v < Vectors; ++v) w[v] = hn::LoadU(d, weight + v * Width());
            GAINSTAGE_UNROLL
            for (int f = 0; f < Rows; ++f) {
                const Sum x = hn::Set(d, in[f * stride + i]);
                GAINSTAGE_UNROLL
                for (int v = 0; v < Vectors; ++v) sum[f][v] = hn::MulAdd(x, w[v], sum[f][v]);
            }
            weight += p.width;
        }
    }
    GAINSTAGE_UNROLL
    for (int v = 0; v < Vectors; ++v) {
        const auto column = finish.At(o + v * Width());
        GAINSTAGE_UNROLL
        for (int f = 0; f < Rows; ++f) column.Of(frame + f, sum[f][v]);
    }
}

template <bool Adds, int Vectors, class Finish>
HWY_INLINE void TileColumn(const Product& p, int o, const Finish& finish) {
    int f = 0;
    for (; f + TileRows() <= p.frames; f += TileRows()) Tile<Adds, TileRows(), Vectors>(p, f, o, finish);
    if (TileRows() > 4 && f + 4 <= p.frames) {
        Tile<Adds, 4, Vectors>(p, f, o, finish);
        f += 4;
    }
    if (f + 2 <= p.frames) {
        Tile<Adds, 2, Vectors>(p, f, o, finish);
        f += 2;
    }
    if (f < p.frames) Tile<Adds, 1, Vectors>(p, f, o, finish);
}

/// One or two frames take wide tiles instead of high ones, so that there are enough chains. Returns the first
/// column that is left.
template <bool Adds, int Rows, class Finish>
HWY_INLINE int WideTiles(const Product& p, const Finish& finish) {
    constexpr int vectors = 8 / Rows;
    int o = 0;
    for (; o + vectors * Width() <= p.width; o += vectors * Width())
        Tile<Adds, Rows, vectors>(p, 0, o, finish);
    return o;
}

/// The whole product, one column of tiles after another.
template <bool Adds, class Finish>
HWY_INLINE void Multiply(const Product& p, const Finish& finish) {
    int o = 0;
    if (p.frames == 1) o = WideTiles<Adds, 1>(p, finish);
    if (p.frames == 2) o = WideTiles<Adds, 2>(p, finish);
    for (; o + 2 * Width() <= p.width; o += 2 * Width()) TileColumn<Adds, 2>(p, o, finish);
    for (; o < p.width; o += Width()) TileColumn<Adds, 1>(p, o, finish);
}

/// Writes one vector of outputs, row by row.
struct OutColumn {
    float* out;
    std::ptrdiff_t stride;

    HWY_INLINE OutColumn(const Product& p, int o) : out(p.out + o), stride(p.out_stride) {}
    HWY_INLINE void Put(std::ptrdiff_t f, Sum y) const { hn::StoreU(y, Channels(), out + f * stride); }
};

struct ToOut {
    struct Column : OutColumn {
        HWY_INLINE Column(const Product& p, int o) : OutColumn(p, o) {}
        HWY_INLINE void Of(std::ptrdiff_t f, Sum sum) const { Put(f, sum); }
    };
    const Product& p;
    HWY_INLINE Column At(int o) const { return {p, o}; }
};

/// x where it is above 0, else slope x.
HWY_INLINE Sum Prelu(Sum x, Sum slope) {
    const Sum zero = hn::Zero(Channels());
    return hn::MulAdd(slope, hn::Min(zero, x), hn::Max(zero, x));
}

struct PreluToOut {
    struct Column : OutColumn {
        Sum factor;
        HWY_INLINE Column(const PreluToOut& all, int o)
            : OutColumn(all.p, o), factor(hn::LoadU(Channels(), all.slope + o)) {}
        HWY_INLINE void Of(std::ptrdiff_t f, Sum sum) const { Put(f, Prelu(sum, factor)); }
    };
    const Product& p;
    const float* slope;
    HWY_INLINE Column At(int o) const { return {*this, o}; }
};

/// Applies AffinePrelu to the sums of one vector of outputs.
template <bool Skips, bool Glides>
struct Bend {
    Sum gain, offset, slope;
    Sum gain_slope, offset_slope;  ///< 0 unless Glides
    Sum skip_gain;                 ///< 0 unless Skips
    const float* skip;
    std::ptrdiff_t skip_stride;
    float position;

    HWY_INLINE Bend(const AffinePrelu& a, int o)
        : gain(hn::LoadU(Channels(), a.gain + o)),
          offset(hn::LoadU(Channels(), a.offset + o)),
          slope(hn::LoadU(Channels(), a.slope + o)),
          skip(Skips ? a.skip + o : nullptr),
          skip_stride(a.skip_stride),
          position(a.position) {
        const Channels d;
        gain_slope = Glides ? hn::LoadU(d, a.gain_slope + o) : hn::Zero(d);
        offset_slope = Glides ? hn::LoadU(d, a.offset_slope + o) : hn::Zero(d);
        skip_gain = Skips ? hn::LoadU(d, a.skip_gain + o) : hn::Zero(d);
    }
    HWY_INLINE Sum Of(std::ptrdiff_t f, Sum sum) const {
        const Channels d;
        Sum scale = gain, shift = offset;
        if (Glides) {
            const Sum at = hn::Set(d, position + static_cast<float>(f));
            scale = hn::MulAdd(gain_slope, at, gain), shift = hn::MulAdd(offset_slope, at, offset);
        }
        const Sum y = Prelu(hn::MulAdd(scale, sum, shift), slope);
        return Skips ? hn::MulAdd(skip_gain, hn::LoadU(d, skip + f * skip_stride), y) : y;
    }
};

template <bool Skips, bool Glides>
struct AffinePreluToOut {
    struct Column : OutColumn {
        Bend<Skips, Glides> bend;
        HWY_INLINE Column(const AffinePreluToOut& all, int o) : OutColumn(all.p, o), bend(all.a, o) {}
        HWY_INLINE void Of(std::ptrdiff_t f, Sum sum) const { Put(f, bend.Of(f, sum)); }
    };
    const Product& p;
    const AffinePrelu& a;
    HWY_INLINE Column At(int o) const { return {*this, o}; }
};

/// Finishes sums that lie in `out` already.
template <class Finish>
HWY_INLINE void FinishOut(const Product& p, const Finish& finish) {
    for (int o = 0; o < p.width; o += Width()) {
        const auto column = finish.At(o);
        for (std::ptrdiff_t f = 0; f < p.frames; ++f)
            column.Of(f, hn::LoadU(Channels(), p.out + f * p.out_stride + o));
    }
}

}  // namespace gainstage::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
