#include "nodes/layers/dilated_block.hpp"

#include <array>
#include <vector>

#include "nodes/kernels/product.hpp"

namespace gainstage {

namespace {

/// Floats of weights that fit into the nearest cache while all frames of a tile pass them.
constexpr int cached_weights = 5'120;

/// One tap of a grouped convolution as a whole matrix (outputs, inputs), zero between the groups.
std::vector<float> matrix_of(std::span<const float> weight, int outputs, int inputs, int group_inputs,
                             int taps, int tap) {
    std::vector<float> matrix(outputs * inputs);
    const int group_outputs = outputs * group_inputs / inputs;
    for (int o = 0; o < outputs; ++o)
        for (int i = 0; i < group_inputs; ++i)
            matrix[o * inputs + o / group_outputs * group_inputs + i] =
                weight[(o * group_inputs + i) * taps + tap];
    return matrix;
}

}  // namespace

DilatedBlock::DilatedBlock(const Shape& shape, const Weights& w)
    : shape_(shape),
      kernels_(&product_kernels()),
      taps_at_once_(std::max(1, cached_weights / (shape.inputs * padded(shape.outputs)))),
      slope_(static_cast<std::size_t>(padded(shape.outputs))),
      no_bias_(slope_.size()) {
    const int outputs = shape.outputs, inputs = shape.inputs;
    for (int tap = 0; tap < shape.taps; ++tap) {
        const std::vector<float> matrix = matrix_of(w.conv, outputs, inputs, w.conv_inputs, shape.taps, tap);
        for (int i = 0; i < inputs; ++i)
            for (int o = 0; o < padded(outputs); ++o)
                taps_.push_back(o < outputs ? matrix[o * inputs + i] : 0.f);
    }
    for (int o = 0; o < outputs; ++o) slope_[o] = w.slope[w.slope.size() == 1 ? 0 : o];
    if (outputs == inputs && w.residual_inputs == 1 && inputs > 1) {
        residual_.resize(slope_.size());
        std::copy(w.residual.begin(), w.residual.end(), residual_.begin());
    } else {
        mixing_residual_ =
            Dense(outputs, inputs, matrix_of(w.residual, outputs, inputs, w.residual_inputs, 1, 0));
    }
}

void DilatedBlock::run(const RowRing& x, const Lines& lines, float* y,
                       int frames) const noexcept GAINSTAGE_REALTIME {
    for (int first = 0; first < frames;) {
        int count = frames - first;
        for (int tap = 0; tap < shape_.taps; ++tap)
            count = std::min(count, x.rows(tap * shape_.dilation, frames, first).count);
        if (!residual_.empty()) count = std::min(count, x.rows(shape_.residual_delay, frames, first).count);
        run_piece(x, lines, y, frames, first, count);
        first += count;
    }
    if (residual_.empty())
        x.each(shape_.residual_delay, frames, [&](const float* rows, int stride, int first, int count) {
            mixing_residual_.add(rows, stride, y + first * output_width(), output_width(), count);
        });
}

/// Computes `count` frames whose rows are evenly spaced for every tap.
void DilatedBlock::run_piece(const RowRing& x, const Lines& lines, float* y, int frames, int first,
                             int count) const noexcept {
    std::array<const float*, max_taps> rows;
    std::array<std::ptrdiff_t, max_taps> strides;
    for (int tap = 0; tap < shape_.taps; ++tap) {
        const RowRing::Rows at = x.rows((shape_.taps - 1 - tap) * shape_.dilation, frames, first);
        rows[tap] = at.first, strides[tap] = at.stride;
    }
    const int width = output_width();
    AffinePrelu after{.gain = lines.from,
                      .gain_slope = lines.slope,
                      .offset = lines.from + width,
                      .offset_slope = lines.slope + width,
                      .position = lines.position + static_cast<float>(first),
                      .glides = lines.glide,
                      .slope = slope_.data()};
    if (!residual_.empty()) {
        const RowRing::Rows skip = x.rows(shape_.residual_delay, frames, first);
        after.skip = skip.first, after.skip_stride = skip.stride, after.skip_gain = residual_.data();
    }
    Product product{.in = rows.data(),
                    .in_strides = strides.data(),
                    .weight = taps_.data(),
                    .bias = no_bias_.data(),
                    .out = y + first * width,
                    .taps = std::min(taps_at_once_, shape_.taps),
                    .inputs = shape_.inputs,
                    .width = width,
                    .out_stride = width,
                    .frames = count};
    for (int tap = 0;;) {
        tap += product.taps;
        if (tap == shape_.taps) break;
        kernels_->run(product);
        product.in += product.taps, product.in_strides += product.taps;
        product.weight += product.taps * shape_.inputs * width;
        product.taps = std::min(taps_at_once_, shape_.taps - tap);
        product.goes_on = true;
    }
    kernels_->affine_prelu(product, after);
}

}  // namespace gainstage
