// RTNeural's models in the sizes of `gainstage-lab bench --all`; README.md says how to build it. With
// PEER_FAST, tanh and sigmoid are those of math_approx, by the same author, with errors up to 1e-3, instead
// of exact ones.

#include <RTNeural/RTNeural.h>
#ifdef PEER_FAST
#include <math_approx/math_approx.hpp>
#endif

#include <algorithm>
#include <memory>
#include <string>

#include "peer.h"
#include "random_weights.hpp"

namespace {

#ifdef PEER_FAST
constexpr int order = 5;  // of math_approx's polynomials

#if RTNEURAL_USE_EIGEN
struct Maths {
    template <class Rows>
    static auto tanh(const Rows& rows) {
        return rows.array().unaryExpr([](float x) { return math_approx::tanh<order>(x); }).eval();
    }
    template <class Rows>
    static auto sigmoid(const Rows& rows) {
        return rows.array().unaryExpr([](float x) { return math_approx::sigmoid<order>(x); }).eval();
    }
    template <class Rows>
    static auto exp(const Rows& rows) {
        return rows.array().exp();
    }
};
#else
struct Maths {
    template <class T>
    static T tanh(T x) {
        return math_approx::tanh<order>(x);
    }
    template <class T>
    static T sigmoid(T x) {
        return math_approx::sigmoid<order>(x);
    }
    template <class T>
    static T exp(T x) {
        using std::exp, xsimd::exp;
        return exp(x);
    }
};
#endif
#else
using Maths = RTNeural::DefaultMathsProvider;
#endif

struct Peer {
    virtual ~Peer() = default;
    virtual void play(const float* in, float* out, int frames) = 0;
};

/// One input is the sound, the others are knobs at rest.
template <class Model, int Inputs>
struct Played : Peer {
    Model model;
    alignas(64) float heard[16] = {};  // whole vectors are read

    Played() { std::fill(heard + 1, heard + Inputs, 0.5f); }
    void play(const float* in, float* out, int frames) override {
        for (int i = 0; i < frames; ++i) {
            heard[0] = in[i];
            out[i] = model.forward(heard);
        }
    }
};

template <class Layer>
void fill_dense(Layer& layer, int outputs, int inputs) {
    layer.setWeights(random_matrix(outputs, inputs, 0.18f));
    layer.setBias(random_vector(outputs, 0.1f).data());
}

constexpr auto at_its_rate = RTNeural::SampleRateCorrectionMode::None;

template <int Inputs, int Units>
using LstmModel =
    RTNeural::ModelT<float, Inputs, 1, RTNeural::LSTMLayerT<float, Inputs, Units, at_its_rate, Maths>,
                     RTNeural::DenseT<float, Units, 1>>;

template <int Inputs, int Units>
std::unique_ptr<Peer> lstm() {
    auto made = std::make_unique<Played<LstmModel<Inputs, Units>, Inputs>>();
    auto& layer = made->model.template get<0>();
    layer.setWVals(random_matrix(Inputs, 4 * Units, 0.3f));
    layer.setUVals(random_matrix(Units, 4 * Units, 0.3f));
    layer.setBVals(random_vector(4 * Units, 0.3f));
    fill_dense(made->model.template get<1>(), 1, Units);
    made->model.reset();
    return made;
}

template <int Units>
using GruModel = RTNeural::ModelT<float, 1, 1, RTNeural::GRULayerT<float, 1, Units, at_its_rate, Maths>,
                                  RTNeural::DenseT<float, Units, 1>>;

template <int Units>
std::unique_ptr<Peer> gru() {
    auto made = std::make_unique<Played<GruModel<Units>, 1>>();
    auto& layer = made->model.template get<0>();
    layer.setWVals(random_matrix(1, 3 * Units, 0.3f));
    layer.setUVals(random_matrix(Units, 3 * Units, 0.3f));
    layer.setBVals(random_matrix(2, 3 * Units, 0.3f));
    fill_dense(made->model.template get<1>(), 1, Units);
    made->model.reset();
    return made;
}

constexpr int channels = 32;
template <int Inputs, int Taps, int Dilation>
using Conv = RTNeural::Conv1DT<float, Inputs, channels, Taps, Dilation>;
using Prelu = RTNeural::PReLUActivationT<float, channels>;

/// Does less than our TCN: no FiLM and no residuals.
template <int Taps>
using TcnModel =
    RTNeural::ModelT<float, 1, 1, Conv<1, Taps, 1>, Prelu, Conv<channels, Taps, 10>, Prelu,
                     Conv<channels, Taps, 100>, Prelu, Conv<channels, Taps, 1000>, Prelu,
                     RTNeural::DenseT<float, channels, 1>, RTNeural::TanhActivationT<float, 1, Maths>>;

template <int At, class Model>
void fill_block(Model& model, int inputs, int taps) {
    std::vector<Matrix> weights(channels);
    for (Matrix& weight : weights) weight = random_matrix(inputs, taps, inputs > 1 ? 0.07f : 0.28f);
    model.template get<At>().setWeights(weights);
    model.template get<At>().setBias(random_vector(channels, 0.3f));
    model.template get<At + 1>().setAlphaVals(std::vector<float>(channels, 0.25f));
}

template <int Taps>
std::unique_ptr<Peer> tcn() {
    auto made = std::make_unique<Played<TcnModel<Taps>, 1>>();
    fill_block<0>(made->model, 1, Taps);
    fill_block<2>(made->model, channels, Taps);
    fill_block<4>(made->model, channels, Taps);
    fill_block<6>(made->model, channels, Taps);
    fill_dense(made->model.template get<8>(), 1, channels);
    made->model.reset();
    return made;
}

std::unique_ptr<Peer> made_for(const std::string& exhibit) {
    if (exhibit == "TCN 300 ms") return tcn<13>();
    if (exhibit == "TCN 100 ms") return tcn<5>();
    if (exhibit == "LSTM 32, 3 inputs") return lstm<3, 32>();
    if (exhibit == "LSTM 16") return lstm<1, 16>();
    if (exhibit == "GRU 32") return gru<32>();
    if (exhibit == "GRU 8") return gru<8>();
    return nullptr;
}

}  // namespace

void* gainstage_peer_make(const char* exhibit) {
    return made_for(exhibit).release();
}
void gainstage_peer_play(void* model, const float* in, float* out, int frames) {
    static_cast<Peer*>(model)->play(in, out, frames);
}
void gainstage_peer_destroy(void* model) {
    delete static_cast<Peer*>(model);
}
