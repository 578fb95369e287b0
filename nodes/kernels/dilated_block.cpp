#include "nodes/kernels/dilated_block.hpp"

#include "nodes/kernels/lanes.hpp"

namespace gainstage {

namespace {

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
    : shape_(shape), slope_(padded(shape.outputs)) {
    const int outputs = shape.outputs, inputs = shape.inputs;
    for (int tap = 0; tap < shape.taps; ++tap)
        taps_.emplace_back(outputs, inputs,
                           matrix_of(w.conv, outputs, inputs, w.conv_inputs, shape.taps, tap));
    for (int o = 0; o < outputs; ++o) slope_[o] = w.slope[w.slope.size() == 1 ? 0 : o];
    if (outputs == inputs && w.residual_inputs == 1 && inputs > 1) {
        residual_.resize(slope_.size());
        std::copy(w.residual.begin(), w.residual.end(), residual_.begin());
    } else {
        mixing_residual_ =
            Dense(outputs, inputs, matrix_of(w.residual, outputs, inputs, w.residual_inputs, 1, 0));
    }
}

void DilatedBlock::run(const RowRing& x, const Lines& lines, float* y, int frames) const noexcept {
    const int width = output_width();
    for (int tap = 0; tap < shape_.taps; ++tap)
        x.each((shape_.taps - 1 - tap) * shape_.dilation, frames,
               [&](const float* rows, int stride, int first, int count) {
                   if (tap == 0)
                       taps_[tap].run(rows, stride, y + first * width, width, count);
                   else
                       taps_[tap].add(rows, stride, y + first * width, width, count);
               });
    bend(lines, y, frames);
    add_residual(x, y, frames);
}

void DilatedBlock::bend(const Lines& lines, float* y, int frames) const noexcept {
    const int width = output_width();
    const auto lanes = [](const float* from) { return Eigen::Map<const Lanes>(from); };
    for (int c = 0; c < width; c += lane_count) {
        const Lanes gain = lanes(lines.from + c), gain_slope = lanes(lines.slope + c);
        const Lanes offset = lanes(lines.from + width + c), offset_slope = lanes(lines.slope + width + c);
        const Lanes slope = lanes(slope_.data() + c);
        for (int k = 0; k < frames; ++k) {
            const float at = lines.position + static_cast<float>(k);
            Eigen::Map<Lanes> row(y + k * width + c);
            const Lanes a = (gain + gain_slope * at) * row + (offset + offset_slope * at);
            row = a.max(0.f) + slope * a.min(0.f);
        }
    }
}

void DilatedBlock::add_residual(const RowRing& x, float* y, int frames) const noexcept {
    const int width = output_width();
    x.each(shape_.residual_delay, frames, [&](const float* rows, int stride, int first, int count) {
        if (residual_.empty()) {
            mixing_residual_.add(rows, stride, y + first * width, width, count);
            return;
        }
        for (int k = 0; k < count; ++k)
            for (int c = 0; c < width; c += lane_count)
                Eigen::Map<Lanes>(y + (first + k) * width + c) +=
                    Eigen::Map<const Lanes>(residual_.data() + c) *
                    Eigen::Map<const Lanes>(rows + k * stride + c);
    });
}

}  // namespace gainstage
