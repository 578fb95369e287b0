#include "nodes/layers/selective_ssm.hpp"
#include "nodes/layers/operations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace gainstage {

namespace {

AlignedFloats padded_copy(const Tensor& tensor) {
    AlignedFloats out(padded(static_cast<int>(tensor.data.size())));
    std::copy(tensor.data.begin(), tensor.data.end(), out.begin());
    return out;
}

void enlarge(AlignedFloats& rows, int floats) {
    rows.resize(std::max(rows.size(), static_cast<std::size_t>(floats)));
}

}  // namespace

SelectiveSsm::SelectiveSsm(LayerReader& read, const std::string& prefix, int inputs, bool remembers)
    : inputs_(inputs),
      remembers_(remembers),
      scan_(&selective_scan_kernels()),
      math_(&vector_math()),
      rows_(&row_maths()) {
    const Tensor& a_log = read.tensor(prefix + ".a_log", {any_size, any_size}, max_inner);
    inner_ = rows_of(a_log);
    states_ = columns_of(a_log);
    if (states_ > max_states)
        throw ModelError(fmt::format("{}: tensor \"{}\" has {} columns; expected 1 to {}", read.model().file,
                                     a_log.name, states_, max_states));
    gated_ = read.has(prefix + ".in.weight");
    if (gated_) read_gate(read, prefix);
    const Tensor& dt = read.tensor(prefix + ".dt.weight", {inner_, any_size}, max_inner);
    rank_ = columns_of(dt);
    delta_ = read.dense(prefix + ".dt", inner_, rank_);
    project_ = read.dense_without_bias(prefix + ".x", rank_ + 2 * states_, gated_ ? inner_ : inputs);
    if (!gated_ && inner_ != inputs)
        throw ModelError(
            fmt::format("{}: tensor \"{}\" has {} rows; expected {}, as many as the layer's inputs, "
                        "where there is no \"{}.in.weight\"",
                        read.model().file, a_log.name, inner_, inputs, prefix));
    out_ = read.dense(prefix + ".out", any_size, inner_, max_channels);
    skip_ = padded_copy(read.tensor(prefix + ".skip", {inner_}));
    decay_.resize(states_ * inner_row());
    for (int d = 0; d < inner_; ++d)
        for (int n = 0; n < states_; ++n)
            decay_[n * inner_row() + d] =
                -static_cast<float>(std::numbers::log2e * std::exp(double{a_log.data[d * states_ + n]}));
    for (const float decay : decay_)
        if (!std::isfinite(decay))
            throw ModelError(
                fmt::format("{}: tensor \"{}\" holds a number whose exponential is beyond 32-bit range",
                            read.model().file, a_log.name));
    operations_ = count_operations();
}

void SelectiveSsm::read_gate(LayerReader& read, const std::string& prefix) {
    in_ = read.dense_without_bias(prefix + ".in", 2 * inner_, inputs_);
    const Tensor& conv = read.tensor(prefix + ".conv.weight", {inner_, any_size}, max_taps);
    conv_bias_ = padded_copy(read.tensor(prefix + ".conv.bias", {inner_}));
    const int all = columns_of(conv);
    taps_ = remembers_ ? all : 1;  // without a past only the newest tap hears anything
    conv_.resize(taps_ * inner_row());
    for (int d = 0; d < inner_; ++d)
        for (int j = 0; j < taps_; ++j) conv_[j * inner_row() + d] = conv.data[d * all + all - taps_ + j];
}

SelectiveSsm::State SelectiveSsm::make_state() const {
    return {.hidden = AlignedFloats(states_ * inner_row()), .past = AlignedFloats((taps_ - 1) * gated_row())};
}

void SelectiveSsm::fit(Scratch& scratch, int frames) const {
    enlarge(scratch.gated, (frames + taps_ - 1) * gated_row() + row_margin);
    enlarge(scratch.inner, frames * inner_row());
    enlarge(scratch.scanned, frames * inner_row());
    enlarge(scratch.projected, frames * projected_row());
    enlarge(scratch.delta, frames * inner_row());
}

/// scratch.inner = silu of the convolution.
void SelectiveSsm::convolve(State& state, Scratch& scratch, int frames) const noexcept GAINSTAGE_REALTIME {
    const int row = gated_row(), history = (taps_ - 1) * row;
    float* const a = scratch.gated.data();
    std::copy_n(state.past.begin(), history, a);
    rows_->convolve_silu(a, row, conv_.data(), conv_bias_.data(), taps_, scratch.inner.data(), inner_row(),
                         inner_, frames);
    std::copy_n(a + frames * row, history, state.past.begin());
}

/// scratch.projected, scratch.delta: the step, B and C of each frame.
void SelectiveSsm::select(Scratch& scratch, int frames) const noexcept GAINSTAGE_REALTIME {
    const int row = inner_row();
    project_.run(scratch.inner.data(), row, scratch.projected.data(), projected_row(), frames);
    delta_.run(scratch.projected.data(), projected_row(), scratch.delta.data(), row, frames);
    math_->softplus(scratch.delta.data(), scratch.delta.data(), frames * row);
}

/// scratch.scanned: s.
void SelectiveSsm::scan(State& state, Scratch& scratch, int frames) const noexcept GAINSTAGE_REALTIME {
    const float* const maps = scratch.projected.data() + rank_;
    const SelectiveScan scan{.decay = decay_.data(),
                             .skip = skip_.data(),
                             .in = scratch.inner.data(),
                             .delta = scratch.delta.data(),
                             .b = maps,
                             .c = maps + states_,
                             .hidden = state.hidden.data(),
                             .out = scratch.scanned.data(),
                             .channels = inner_,
                             .states = states_,
                             .row = inner_row(),
                             .map_row = projected_row(),
                             .frames = frames};
    (remembers_ ? scan_->run : scan_->run_forgetting)(scan);
}

void SelectiveSsm::run(State& state, const float* in, int in_stride, float* out, int out_stride, int frames,
                       Scratch& scratch) const noexcept GAINSTAGE_REALTIME {
    const int row = inner_row(), history = (taps_ - 1) * gated_row();
    if (gated_) {
        in_.run(in, in_stride, scratch.gated.data() + history, gated_row(), frames);
        convolve(state, scratch, frames);
    } else {
        for (int k = 0; k < frames; ++k)
            std::copy_n(in + k * in_stride, inner_, scratch.inner.data() + k * row);
    }
    select(scratch, frames);
    scan(state, scratch, frames);
    float* const s = scratch.scanned.data();
    const float* const gates = scratch.gated.data() + history + inner_;
    if (gated_) rows_->gate_silu(s, row, gates, gated_row(), inner_, frames);
    out_.run(s, row, out, out_stride, frames);
}

double SelectiveSsm::count_operations() const noexcept {
    constexpr double transcendental = operations::transcendental;
    const double d = inner_, n = states_, r = rank_;
    double count = operations::dense(r + 2. * n, d) + operations::dense(d, r) + 2. * transcendental * d;
    count += d * n * (transcendental + 6.) + 3. * d + operations::dense(out_.outputs(), d);
    if (in_.outputs() > 0)
        count += operations::dense(2. * d, inputs_) + 2. * d * taps_ + 2. * d * (transcendental + 2.);
    return count;
}

}  // namespace gainstage
