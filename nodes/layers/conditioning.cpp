#include "nodes/layers/conditioning.hpp"

#include <algorithm>
#include <cmath>

#include "nodes/layers/model_config.hpp"

namespace gainstage {

namespace {

/// BatchNorm is one more gain and offset before FiLM's: scale x + shift.
class Norm {
public:
    Norm(LayerReader& read, const std::string& prefix, int channels, const Tensor* bias, double epsilon)
        : bias_(bias), epsilon_(epsilon) {
        if (!read.has(prefix + ".norm.mean") && !read.has(prefix + ".norm.variance")) return;
        mean_ = &read.tensor(prefix + ".norm.mean", {channels});
        variance_ = &read.tensor(prefix + ".norm.variance", {channels});
        for (const float variance : variance_->data)
            if (!(variance >= 0.f))
                refuse(read.model(), "tensor \"{}\" holds {}; expected variances of 0 and above",
                       variance_->name, variance);
    }
    double scale(int channel) const {
        return variance_ ? 1. / std::sqrt(double{variance_->data[channel]} + epsilon_) : 1.;
    }
    double shift(int channel) const {
        const double bias = bias_ ? double{bias_->data[channel]} : 0.;
        return (bias - (mean_ ? double{mean_->data[channel]} : 0.)) * scale(channel);
    }

private:
    const Tensor *bias_, *mean_ = nullptr, *variance_ = nullptr;
    const double epsilon_;
};

}  // namespace

Conditioning::Conditioning(LayerReader& read) : inputs_(read.model()) {
    if (controls() == 0 || !read.has("conditioning.0.weight")) return;
    network_.emplace(read, "conditioning", controls(), Activation::relu);
}

void Conditioning::add_block(LayerReader& read, const std::string& prefix, int channels, const Tensor* bias,
                             double epsilon) {
    const bool heeds_knobs = controls() > 0;
    const int inputs = width(), padded_channels = padded(channels);
    const Tensor* const film_weight =
        heeds_knobs ? &read.tensor(prefix + ".film.weight", {2 * channels, inputs}) : nullptr;
    const Tensor* const film_bias = heeds_knobs || read.has(prefix + ".film.bias")
                                        ? &read.tensor(prefix + ".film.bias", {2 * channels})
                                        : nullptr;
    const Norm norm(read, prefix, channels, bias, epsilon);
    const int gains = static_cast<int>(bias_.size()), offsets = gains + padded_channels;
    bias_.resize(bias_.size() + 2 * padded_channels);
    weight_.resize(bias_.size() * inputs);
    for (int c = 0; c < channels; ++c) {
        const double scale = norm.scale(c), shift = norm.shift(c);
        const auto fold = [&](double gain, double offset, float& to_gain, float& to_offset) {
            to_gain = static_cast<float>(gain * scale);
            to_offset = static_cast<float>(gain * shift + offset);
        };
        fold(film_bias ? double{film_bias->data[c]} : 1.,
             film_bias ? double{film_bias->data[channels + c]} : 0., bias_[gains + c], bias_[offsets + c]);
        for (int i = 0; film_weight && i < inputs; ++i)
            fold(double{film_weight->data[c * inputs + i]},
                 double{film_weight->data[(channels + c) * inputs + i]}, weight_[(gains + c) * inputs + i],
                 weight_[(offsets + c) * inputs + i]);
    }
}

void Conditioning::finish() {
    film_ = Dense(static_cast<int>(bias_.size()), width(), weight_, bias_);
    weight_ = {};
    bias_ = {};
}

Conditioning::Scratch Conditioning::make_scratch() const {
    return {.heard = std::vector<float>(controls()),
            .vector = std::vector<float>(width()),
            .network = network_ ? network_->make_scratch() : Mlp::Scratch{}};
}

void Conditioning::evaluate(const float* knobs, float* values,
                            Scratch& scratch) const noexcept GAINSTAGE_REALTIME {
    if (network_) {
        inputs_.hear(knobs, scratch.heard.data());
        network_->evaluate(scratch.heard.data(), scratch.vector.data(), scratch.network);
        for (float& value : scratch.vector) value = std::max(value, 0.f);
    } else {
        inputs_.hear(knobs, scratch.vector.data());
    }
    film_.run(scratch.vector.data(), 0, values, 0, 1);
}

}  // namespace gainstage
