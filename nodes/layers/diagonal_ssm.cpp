#include "nodes/layers/diagonal_ssm.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "nodes/kernels/diagonal_scan.hpp"
#include "nodes/layers/dense.hpp"
#include "runtime/numbers.hpp"

namespace gainstage {

namespace {

/// Two channels side by side.
using Two = double __attribute__((vector_size(16)));
using TwoFloats = float __attribute__((vector_size(8)));
constexpr int lanes = 2;
constexpr int tile = 64;  ///< of the comparison of floats with doubles

Two load_two(const float* from) noexcept {
    TwoFloats floats;
    std::memcpy(&floats, from, sizeof floats);
    return __builtin_convertvector(floats, Two);
}
/// Loads the doubles of a state, which lies in memory for floats.
Two load_state(const float* from) noexcept {
    Two two;
    std::memcpy(&two, from, sizeof two);
    return two;
}
void store_two(float* to, Two value) noexcept {
    const TwoFloats floats = __builtin_convertvector(value, TwoFloats);
    std::memcpy(to, &floats, sizeof floats);
}
void store_state(float* to, Two value) noexcept {
    std::memcpy(to, &value, sizeof value);
}

/// The bank in doubles: in plain floats a pole that remembers long is off by per cents.
class DoubleBank final : public DiagonalSsm {
public:
    DoubleBank(std::span<const SsmMode> bank, std::span<const float> direct)
        : width_(padded(static_cast<int>(direct.size()))),
          modes_(static_cast<int>(bank.size() / direct.size())),
          coefficients_(static_cast<std::size_t>(width_ / lanes * modes_)),
          direct_(static_cast<std::size_t>(width_)) {
        state_size_ = 4 * static_cast<std::size_t>(width_ * modes_);
        std::copy(direct.begin(), direct.end(), direct_.begin());
        for (int c = 0; c < static_cast<int>(direct.size()); ++c)
            for (int n = 0; n < modes_; ++n) put(c, n, bank[c * modes_ + n]);
    }

    void run(float* state, const float* in, float* out, int frames) const noexcept override {
        for (int c = 0; c < width_; c += lanes) {
            int n = 0;
            const auto pass = [&]<int Modes>() {
                const Coefficients* k = coefficients_.data() + c / lanes * modes_ + n;
                float* s = state + 4 * (c * modes_ + n * lanes);
                if (n == 0)
                    play<Modes, true>(k, s, direct_.data() + c, in + c, out + c, frames);
                else
                    play<Modes, false>(k, s, direct_.data() + c, in + c, out + c, frames);
                n += Modes;
            };
            while (modes_ - n >= 4) pass.template operator()<4>();
            if (modes_ - n >= 2) pass.template operator()<2>();
            if (modes_ - n >= 1) pass.template operator()<1>();
        }
    }

    void run_affine_prelu(float* state, const float* in, float* sums, const AffinePrelu& after, float* out,
                          int frames) const noexcept override {
        run(state, in, sums, frames);
        kernels_->affine_prelu({.row = width_, .sums = sums, .out = out, .frames = frames}, after);
    }

private:
    struct Coefficients {
        Two re, im, weight_re, weight_im;
    };

    void put(int channel, int mode, const SsmMode& m) {
        Coefficients& k = coefficients_[channel / lanes * modes_ + mode];
        const int lane = channel % lanes;
        k.re[lane] = m.pole.real();
        k.im[lane] = m.pole.imag();
        k.weight_re[lane] = 2. * m.weight.real();
        k.weight_im[lane] = 2. * m.weight.imag();
    }

    /// Runs `Modes` modes of two channels with their states in registers. The first pass begins the sum of
    /// `out`.
    template <int Modes, bool First>
    void play(const Coefficients* k, float* state, const float* direct, const float* in, float* out,
              int frames) const noexcept {
        Two re[Modes], im[Modes];
        for (int n = 0; n < Modes; ++n) {
            re[n] = load_state(state + 4 * n * lanes);
            im[n] = load_state(state + (4 * n + 2) * lanes);
        }
        const Two d = load_two(direct);
        for (int f = 0; f < frames; ++f) {
            const Two u = load_two(in + f * width_);
            Two y = First ? d * u : load_two(out + f * width_);
            for (int n = 0; n < Modes; ++n) {
                const Two next = k[n].re * re[n] - k[n].im * im[n] + u;
                im[n] = k[n].re * im[n] + k[n].im * re[n];
                re[n] = next;
                y += k[n].weight_re * re[n] - k[n].weight_im * im[n];
            }
            store_two(out + f * width_, y);
        }
        for (int n = 0; n < Modes; ++n) {
            store_state(state + 4 * n * lanes, re[n]);
            store_state(state + (4 * n + 2) * lanes, im[n]);
        }
    }

    // fixed after construction
    const DiagonalScanKernels* kernels_ = &diagonal_scan_kernels();
    const int width_, modes_;
    std::vector<Coefficients> coefficients_;  ///< [vector of channels][mode]
    std::vector<float> direct_;
};

/// The bank in floats, in delta form.
class FloatBank final : public DiagonalSsm {
public:
    FloatBank(std::span<const SsmMode> bank, std::span<const float> direct)
        : width_(padded(static_cast<int>(direct.size()))),
          modes_(static_cast<int>(bank.size() / direct.size())),
          direct_(static_cast<std::size_t>(width_)) {
        for (AlignedFloats* numbers : {&p_, &q_, &c1_, &c2_})
            numbers->resize(static_cast<std::size_t>(width_ * modes_));
        state_size_ = 2 * p_.size();
        std::copy(direct.begin(), direct.end(), direct_.begin());
        for (int c = 0; c < static_cast<int>(direct.size()); ++c)
            for (int n = 0; n < modes_; ++n)
                put(static_cast<std::size_t>(n * width_ + c), bank[c * modes_ + n]);
    }

    void run(float* state, const float* in, float* out, int frames) const noexcept override {
        kernels_->run(scan(state, in, out, out, frames));
    }
    void run_affine_prelu(float* state, const float* in, float* sums, const AffinePrelu& after, float* out,
                          int frames) const noexcept override {
        kernels_->run_affine_prelu(scan(state, in, sums, out, frames), after);
    }

private:
    void put(std::size_t at, const SsmMode& m) {
        const double to_one = 1. - m.pole.real();
        const std::complex<double> weight = 2. * m.weight;
        p_[at] = static_cast<float>(-2. * to_one);
        q_[at] = static_cast<float>(-std::norm(1. - m.pole));
        c1_[at] = static_cast<float>(weight.real());
        c2_[at] = static_cast<float>(weight.real() * to_one - weight.imag() * m.pole.imag());
    }
    DiagonalScan scan(float* state, const float* in, float* sums, float* out, int frames) const noexcept {
        return {.row = width_,
                .modes = modes_,
                .p = p_.data(),
                .q = q_.data(),
                .c1 = c1_.data(),
                .c2 = c2_.data(),
                .direct = direct_.data(),
                .state = state,
                .in = in,
                .sums = sums,
                .out = out,
                .frames = frames};
    }

    // fixed after construction
    const DiagonalScanKernels* kernels_ = &diagonal_scan_kernels();
    const int width_, modes_;
    AlignedFloats p_, q_, c1_, c2_;  ///< [mode][width_]
    AlignedFloats direct_;
};

/// Largest difference of two banks over `tiles` tiles of noise with a constant in it, relative to the largest
/// output of a channel. All channels hear the same noise: each is a filter of its own.
double distance(const DiagonalSsm& one, const DiagonalSsm& other, int channels, int tiles) {
    const int width = padded(channels);
    AlignedFloats state(one.state_size()), other_state(other.state_size());
    AlignedFloats in(tile * width), y(in.size()), z(in.size()), largest(width), apart(width);
    std::mt19937 random{1};
    std::uniform_real_distribution<float> value{-0.5f, 1.f};
    for (int t = 0; t < tiles; ++t) {
        for (int k = 0; k < tile; ++k) std::fill_n(in.data() + k * width, width, value(random));
        one.run(state.data(), in.data(), y.data(), tile);
        other.run(other_state.data(), in.data(), z.data(), tile);
        for (int k = 0; k < tile; ++k) {
            const float *mine = y.data() + k * width, *theirs = z.data() + k * width;
            for (int c = 0; c < width; ++c) {
                const float size = std::abs(theirs[c]), error = std::abs(mine[c] - theirs[c]);
                largest[c] = largest[c] < size ? size : largest[c];
                apart[c] = apart[c] < error ? error : apart[c];
            }
        }
    }
    double worst = 0.;
    for (int c = 0; c < channels; ++c)
        if (largest[c] > 0.f) worst = std::max(worst, double{apart[c]} / double{largest[c]});
    return worst;
}

/// How much a sample takes from the slowest mode.
double least_decay(std::span<const SsmMode> bank) {
    double least = 1.;
    for (const SsmMode& mode : bank) least = std::min(least, 1. - std::abs(mode.pole));
    return least;
}

/// Long enough for the slowest mode to fill: 16,384 frames at the least decay that floats are tried for.
int tiles_to_fill(double decay) {
    constexpr double time_constants = 3.3;
    constexpr int most = 1 << 20;  // a mode that never decays: half an hour
    return whole_within(std::ceil(time_constants / decay / tile), 32, most);
}

}  // namespace

std::unique_ptr<const DiagonalSsm> DiagonalSsm::make(std::span<const SsmMode> bank,
                                                     std::span<const float> direct) {
    auto exact = std::make_unique<DoubleBank>(bank, direct);
    const double decay = least_decay(bank);
    if (decay < least_forgotten) return exact;
    auto fast = std::make_unique<FloatBank>(bank, direct);
    const int channels = static_cast<int>(direct.size());
    if (distance(*fast, *exact, channels, tiles_to_fill(decay)) <= most_error) return fast;
    return exact;
}

}  // namespace gainstage
