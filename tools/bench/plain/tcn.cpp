#include <cmath>
#include <vector>

#include "tools/bench/plain/plain.hpp"

namespace gainstage::plain {

namespace {

/// Columns are frames. The past lies before the block and is moved to the start when the buffer is full.
class Tcn final : public Twin {
public:
    explicit Tcn(const Model& model)
        : output_(matrix(model, "output.weight")), output_bias_(vector(model, "output.bias")[0]) {
        int dilation = 1;
        for (int n = 0; model.find("blocks." + std::to_string(n) + ".conv.weight"); ++n) {
            const std::string prefix = "blocks." + std::to_string(n) + ".";
            const Tensor& conv = tensor(model, prefix + "conv.weight");
            const auto outputs = conv.shape[0], inputs = conv.shape[1], taps = conv.shape[2];
            Block block;
            for (std::int64_t k = 0; k < taps; ++k) {
                Matrix tap(outputs, inputs);
                for (std::int64_t o = 0; o < outputs; ++o)
                    for (std::int64_t i = 0; i < inputs; ++i)
                        tap(o, i) = conv.data[(o * inputs + i) * taps + k];
                block.taps.push_back(std::move(tap));
            }
            block.dilation = dilation;
            dilation *= static_cast<int>(model.number("dilation_growth", 10.));
            const Vector film = vector(model, prefix + "film.bias");
            block.gain = film.head(outputs), block.offset = film.tail(outputs);
            block.slope = vector(model, prefix + "slope");
            block.residual = matrix(model, prefix + "residual.weight");
            block.past = static_cast<int>(taps - 1) * block.dilation;
            block.history = Matrix::Zero(inputs, block.past + room);
            block.at = block.past;
            blocks_.push_back(std::move(block));
        }
    }

    void play(const float* in, float* out, int frames) override {
        Matrix x = Eigen::Map<const Eigen::RowVectorXf>(in, frames);
        for (Block& b : blocks_) {
            if (b.at + frames > b.history.cols()) {
                b.history.leftCols(b.past) = b.history.middleCols(b.at - b.past, b.past).eval();
                b.at = b.past;
            }
            b.history.middleCols(b.at, frames) = x;
            Matrix y = Matrix::Zero(b.taps[0].rows(), frames);
            for (int k = 0, taps = static_cast<int>(b.taps.size()); k < taps; ++k)
                y.noalias() += b.taps[k] * b.history.middleCols(b.at - (taps - 1 - k) * b.dilation, frames);
            y = (b.gain.asDiagonal() * y).colwise() + b.offset;
            y = y.cwiseMax(0.f) + b.slope.asDiagonal() * y.cwiseMin(0.f);
            const auto delayed = b.history.middleCols(b.at - 1, frames);
            if (delayed.rows() == 1)
                y += b.residual * delayed;
            else
                y += b.residual.col(0).asDiagonal() * delayed;
            b.at += frames;
            x = std::move(y);
        }
        Eigen::Map<Eigen::RowVectorXf>(out, frames) = ((output_ * x).array() + output_bias_).tanh().matrix();
    }

private:
    static constexpr int room = 8'192;
    struct Block {
        std::vector<Matrix> taps;
        Vector gain, offset, slope;
        Matrix residual, history;
        int dilation = 1, past = 0, at = 0;
    };
    std::vector<Block> blocks_;
    Matrix output_;
    float output_bias_;
};

}  // namespace

std::unique_ptr<Twin> make_tcn(const Model& model) {
    return std::make_unique<Tcn>(model);
}

}  // namespace gainstage::plain
