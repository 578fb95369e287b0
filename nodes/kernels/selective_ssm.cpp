#include "nodes/kernels/selective_ssm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nodes/kernels/row_maths.hpp"

namespace gainstage {

namespace {

std::vector<float> padded_copy(const Tensor& tensor) {
    std::vector<float> out(static_cast<std::size_t>(padded(static_cast<int>(tensor.data.size()))));
    std::copy(tensor.data.begin(), tensor.data.end(), out.begin());
    return out;
}

void enlarge(std::vector<float>& rows, int floats) {
    rows.resize(std::max(rows.size(), static_cast<std::size_t>(floats)));
}

/// What one group of four inner channels is made of, over a tile.
struct Group {
    const float *decay, *skip;            ///< [state][4], [4]
    const float *input, *delta;           ///< rows of the group's channels
    const float *input_map, *output_map;  ///< rows of B and C
    float* out;                           ///< rows of the group's channels
    int row, map_row, states;
};

/// The recurrence, h in locals. Not remembering: each sample begins with h = 0.
template <bool Remembers>
void scan_group(const Group& g, float* hidden, int frames) noexcept {
    using Map = Eigen::Map<const FourChannels>;
    std::array<FourChannels, SelectiveSsm::max_states> h;
    for (int n = 0; n < g.states; ++n) h[n] = Map(hidden + 4 * n);
    const FourChannels skip = Map(g.skip);
    for (int k = 0; k < frames; ++k) {
        const FourChannels u = Map(g.input + k * g.row), delta = Map(g.delta + k * g.row);
        const FourChannels drive = delta * u;
        const float *b = g.input_map + k * g.map_row, *c = g.output_map + k * g.map_row;
        FourChannels even = skip * u, odd = FourChannels::Zero();
        for (int n = 0; n < g.states; ++n) {
            if constexpr (Remembers)
                h[n] = (delta * Map(g.decay + 4 * n)).exp() * h[n] + drive * b[n];
            else
                h[n] = drive * b[n];
            (n % 2 ? odd : even) += h[n] * c[n];
        }
        Eigen::Map<FourChannels>(g.out + k * g.row) = even + odd;
    }
    for (int n = 0; n < g.states; ++n) Eigen::Map<FourChannels>(hidden + 4 * n) = h[n];
}

}  // namespace

SelectiveSsm::SelectiveSsm(LayerReader& read, const std::string& prefix, int inputs, bool remembers)
    : inputs_(inputs), remembers_(remembers) {
    constexpr int any = LayerReader::any;
    const Tensor& a_log = read.tensor(prefix + ".a_log", {any, any}, max_inner);
    inner_ = rows_of(a_log);
    states_ = columns_of(a_log);
    if (states_ > max_states)
        throw ModelError(fmt::format("{}: tensor \"{}\" has {} columns; expected 1 to {}", read.model().file,
                                     a_log.name, states_, max_states));
    gated_ = read.has(prefix + ".in.weight");
    if (gated_) read_gate(read, prefix);
    const Tensor& dt = read.tensor(prefix + ".dt.weight", {inner_, any}, max_inner);
    rank_ = columns_of(dt);
    delta_ = read.dense(prefix + ".dt", inner_, rank_);
    project_ = read.dense_without_bias(prefix + ".x", rank_ + 2 * states_, gated_ ? inner_ : inputs);
    if (!gated_ && inner_ != inputs)
        throw ModelError(
            fmt::format("{}: tensor \"{}\" has {} rows; expected {}, as many as the layer's inputs, "
                        "where there is no \"{}.in.weight\"",
                        read.model().file, a_log.name, inner_, inputs, prefix));
    out_ = read.dense(prefix + ".out", any, inner_, max_channels);
    skip_ = padded_copy(read.tensor(prefix + ".skip", {inner_}));
    decay_.resize(static_cast<std::size_t>(fours_of(inner_) * states_));
    for (int d = 0; d < inner_; ++d)
        for (int n = 0; n < states_; ++n)
            decay_[static_cast<std::size_t>((d / 4 * states_ + n) * 4 + d % 4)] =
                -static_cast<float>(std::exp(double{a_log.data[static_cast<std::size_t>(d * states_ + n)]}));
    for (const float decay : decay_)
        if (!std::isfinite(decay))
            throw ModelError(
                fmt::format("{}: tensor \"{}\" holds a number whose exponential is beyond 32-bit range",
                            read.model().file, a_log.name));
}

void SelectiveSsm::read_gate(LayerReader& read, const std::string& prefix) {
    in_ = read.dense_without_bias(prefix + ".in", 2 * inner_, inputs_);
    const Tensor& conv = read.tensor(prefix + ".conv.weight", {inner_, LayerReader::any}, max_taps);
    conv_bias_ = padded_copy(read.tensor(prefix + ".conv.bias", {inner_}));
    const int all = columns_of(conv);
    taps_ = remembers_ ? all : 1;  // without a past only the newest tap hears anything
    conv_.resize(static_cast<std::size_t>(taps_ * inner_row()));
    for (int d = 0; d < inner_; ++d)
        for (int j = 0; j < taps_; ++j)
            conv_[static_cast<std::size_t>(j * inner_row() + d)] =
                conv.data[static_cast<std::size_t>(d * all + all - taps_ + j)];
}

SelectiveSsm::State SelectiveSsm::make_state() const {
    return {.hidden = std::vector<float>(static_cast<std::size_t>(fours_of(inner_) * states_)),
            .past = std::vector<float>(static_cast<std::size_t>((taps_ - 1) * gated_row()))};
}

void SelectiveSsm::fit(Scratch& scratch, int frames) const {
    enlarge(scratch.gated, (frames + taps_ - 1) * gated_row());
    enlarge(scratch.inner, frames * inner_row());
    enlarge(scratch.projected, frames * projected_row());
    enlarge(scratch.delta, frames * inner_row());
}

void SelectiveSsm::clear(State& state) noexcept {
    std::fill(state.hidden.begin(), state.hidden.end(), 0.f);
    std::fill(state.past.begin(), state.past.end(), 0.f);
}

/// scratch.inner = silu of the convolution; the gates in scratch.gated go through silu as well.
void SelectiveSsm::convolve(State& state, Scratch& scratch, int frames) const noexcept {
    const int row = gated_row(), history = (taps_ - 1) * row;
    float* const a = scratch.gated.data();
    std::copy_n(state.past.begin(), history, a);
    for (int k = 0; k < frames; ++k)
        for (int c = 0; c < inner_; c += 4) {
            FourChannels sum = Eigen::Map<const FourChannels>(conv_bias_.data() + c);
            for (int j = 0; j < taps_; ++j)
                sum += Eigen::Map<const FourChannels>(conv_.data() + j * inner_row() + c) *
                       Eigen::Map<const FourChannels>(a + (k + j) * row + c);
            Eigen::Map<FourChannels>(scratch.inner.data() + k * inner_row() + c) = silu(sum);
        }
    std::copy_n(a + frames * row, history, state.past.begin());
    each_four(a + history + inner_, row, inner_, frames, silu);
}

/// scratch.inner: from u to s.
void SelectiveSsm::scan(State& state, Scratch& scratch, int frames) const noexcept {
    const float* maps = scratch.projected.data() + rank_;
    for (int c = 0; c < inner_; c += 4) {
        const Group group{.decay = decay_.data() + c * states_,
                          .skip = skip_.data() + c,
                          .input = scratch.inner.data() + c,
                          .delta = scratch.delta.data() + c,
                          .input_map = maps,
                          .output_map = maps + states_,
                          .out = scratch.inner.data() + c,
                          .row = inner_row(),
                          .map_row = projected_row(),
                          .states = states_};
        (remembers_ ? scan_group<true> : scan_group<false>)(group, state.hidden.data() + c * states_, frames);
    }
}

void SelectiveSsm::run(State& state, const float* in, int in_stride, float* out, int out_stride, int frames,
                       Scratch& scratch) const noexcept {
    float* const s = scratch.inner.data();
    const int row = inner_row();
    const float* const gates = scratch.gated.data() + (taps_ - 1) * gated_row() + inner_;
    if (gated_) {
        in_.run(in, in_stride, scratch.gated.data() + (taps_ - 1) * gated_row(), gated_row(), frames);
        convolve(state, scratch, frames);
    } else {
        for (int k = 0; k < frames; ++k) {
            std::fill_n(s + k * row, row, 0.f);
            std::copy_n(in + k * in_stride, inner_, s + k * row);
        }
    }
    project_.run(s, row, scratch.projected.data(), projected_row(), frames);
    delta_.run(scratch.projected.data(), projected_row(), scratch.delta.data(), row, frames);
    each_four(scratch.delta.data(), row, inner_, frames, softplus);
    scan(state, scratch, frames);
    for (int k = 0; k < frames && gated_; ++k)
        for (int d = 0; d < inner_; ++d) s[k * row + d] *= gates[k * gated_row() + d];
    out_.run(s, row, out, out_stride, frames);
}

}  // namespace gainstage
