// NeuralAudio's LSTM in the size of `gainstage-lab bench --all`, with its usual tanh (errors up to 9e-4).
// README.md says how to build it.

#include <Eigen/Dense>

namespace Eigen::placeholders {
using Eigen::lastN;  // Eigen 3.5 has it in this namespace
}

#include <NeuralAudio/LSTM.h>

#include <string>

#include "peer.h"
#include "random_weights.hpp"

namespace {

constexpr int units = 16;
using Lstm = NeuralAudio::LSTMModelT<1, units>;

}  // namespace

void* gainstage_peer_make(const char* exhibit) {
    if (std::string(exhibit) != "LSTM 16") return nullptr;
    auto* const model = new Lstm;
    std::vector<float> weights = random_vector(4 * units * (1 + units) + 4 * units, 0.3f);
    weights.resize(weights.size() + 2 * units);  // h and c at the start
    for (const float x : random_vector(units + 1, 0.3f)) weights.push_back(x);
    model->SetNAMWeights(weights);
    return model;
}
void gainstage_peer_play(void* model, const float* in, float* out, int frames) {
    static_cast<Lstm*>(model)->Process(in, out, static_cast<std::size_t>(frames));
}
void gainstage_peer_destroy(void* model) {
    delete static_cast<Lstm*>(model);
}
