#include "nodes/kernels/diagonal_ssm.hpp"

#include <cstring>
#include <vector>

#include "nodes/kernels/dense.hpp"

namespace gainstage {

namespace {

/// Two channels side by side.
using Two = double __attribute__((vector_size(16)));
using TwoFloats = float __attribute__((vector_size(8)));
constexpr int lanes = 2;

Two load_two(const float* from) noexcept {
    TwoFloats floats;
    std::memcpy(&floats, from, sizeof floats);
    return __builtin_convertvector(floats, Two);
}
Two load_two(const double* from) noexcept {
    Two two;
    std::memcpy(&two, from, sizeof two);
    return two;
}
void store_two(float* to, Two value) noexcept {
    const TwoFloats floats = __builtin_convertvector(value, TwoFloats);
    std::memcpy(to, &floats, sizeof floats);
}
void store_two(double* to, Two value) noexcept {
    std::memcpy(to, &value, sizeof value);
}

class Bank final : public DiagonalSsm {
public:
    Bank(std::span<const SsmMode> bank, std::span<const float> direct)
        : width_(padded(static_cast<int>(direct.size()))),
          modes_(static_cast<int>(bank.size() / direct.size())),
          coefficients_(static_cast<std::size_t>(width_ / lanes * modes_)),
          direct_(static_cast<std::size_t>(width_)) {
        state_size_ = 2 * static_cast<std::size_t>(width_ * modes_);
        std::copy(direct.begin(), direct.end(), direct_.begin());
        for (int c = 0; c < static_cast<int>(direct.size()); ++c)
            for (int n = 0; n < modes_; ++n) put(c, n, bank[static_cast<std::size_t>(c * modes_ + n)]);
    }

    void run(double* state, const float* in, float* out, int frames) const noexcept override {
        for (int c = 0; c < width_; c += lanes) {
            int n = 0;
            const auto pass = [&]<int Modes>() {
                const Coefficients* k = coefficients_.data() + c / lanes * modes_ + n;
                double* s = state + 2 * (c * modes_ + n * lanes);
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

private:
    struct Coefficients {
        Two re, im, weight_re, weight_im;
    };

    void put(int channel, int mode, const SsmMode& m) {
        Coefficients& k = coefficients_[static_cast<std::size_t>(channel / lanes * modes_ + mode)];
        const int lane = channel % lanes;
        k.re[lane] = m.pole.real();
        k.im[lane] = m.pole.imag();
        k.weight_re[lane] = 2. * m.weight.real();
        k.weight_im[lane] = 2. * m.weight.imag();
    }

    /// `Modes` of two channels, their states in registers. The first pass begins the sum of `out`.
    template <int Modes, bool First>
    void play(const Coefficients* k, double* state, const float* direct, const float* in, float* out,
              int frames) const noexcept {
        Two re[Modes], im[Modes];
        for (int n = 0; n < Modes; ++n) {
            re[n] = load_two(state + 2 * n * lanes);
            im[n] = load_two(state + (2 * n + 1) * lanes);
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
            store_two(state + 2 * n * lanes, re[n]);
            store_two(state + (2 * n + 1) * lanes, im[n]);
        }
    }

    // fixed after construction
    const int width_, modes_;
    std::vector<Coefficients> coefficients_;  ///< [vector of channels][mode]
    std::vector<float> direct_;
};

}  // namespace

std::unique_ptr<const DiagonalSsm> DiagonalSsm::make(std::span<const SsmMode> bank,
                                                     std::span<const float> direct) {
    return std::make_unique<Bank>(bank, direct);
}

}  // namespace gainstage
