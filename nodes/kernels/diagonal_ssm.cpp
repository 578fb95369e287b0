#include "nodes/kernels/diagonal_ssm.hpp"

#include <cstring>
#include <vector>

#include "nodes/kernels/dense.hpp"

namespace gainstage {

namespace {

// Channels side by side, 16 bytes wide, in either precision. (Compilers have no vector types of a
// template's.)
struct InDouble {
    using Real = double;
    using Vector = double __attribute__((vector_size(16)));
    using Floats = float __attribute__((vector_size(8)));
};
struct InFloat {
    using Real = float;
    using Vector = float __attribute__((vector_size(16)));
    using Floats = Vector;
};

template <class Precision>
class Bank final : public DiagonalSsm {
    using Real = typename Precision::Real;
    using Vector = typename Precision::Vector;
    using Floats = typename Precision::Floats;
    static constexpr int lanes = sizeof(Vector) / sizeof(Real);

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
    static Vector load(const float* from) noexcept {
        Floats floats;
        std::memcpy(&floats, from, sizeof floats);
        return __builtin_convertvector(floats, Vector);
    }
    static void store(float* to, Vector value) noexcept {
        const Floats floats = __builtin_convertvector(value, Floats);
        std::memcpy(to, &floats, sizeof floats);
    }

    struct Coefficients {
        Vector re, im, weight_re, weight_im;
    };

    void put(int channel, int mode, const SsmMode& m) {
        Coefficients& k = coefficients_[static_cast<std::size_t>(channel / lanes * modes_ + mode)];
        const int lane = channel % lanes;
        k.re[lane] = static_cast<Real>(m.pole.real());
        k.im[lane] = static_cast<Real>(m.pole.imag());
        k.weight_re[lane] = static_cast<Real>(2. * m.weight.real());
        k.weight_im[lane] = static_cast<Real>(2. * m.weight.imag());
    }

    /// `Modes` of a vector of channels, their states in registers. The first pass begins the sum of `out`.
    template <int Modes, bool First>
    void play(const Coefficients* k, double* state, const float* direct, const float* in, float* out,
              int frames) const noexcept {
        Vector re[Modes], im[Modes];
        for (int n = 0; n < Modes; ++n)
            for (int lane = 0; lane < lanes; ++lane) {
                re[n][lane] = static_cast<Real>(state[2 * n * lanes + lane]);
                im[n][lane] = static_cast<Real>(state[(2 * n + 1) * lanes + lane]);
            }
        const Vector d = load(direct);
        for (int f = 0; f < frames; ++f) {
            const Vector u = load(in + f * width_);
            Vector y = First ? d * u : load(out + f * width_);
            for (int n = 0; n < Modes; ++n) {
                const Vector next = k[n].re * re[n] - k[n].im * im[n] + u;
                im[n] = k[n].re * im[n] + k[n].im * re[n];
                re[n] = next;
                y += k[n].weight_re * re[n] - k[n].weight_im * im[n];
            }
            store(out + f * width_, y);
        }
        for (int n = 0; n < Modes; ++n)
            for (int lane = 0; lane < lanes; ++lane) {
                state[2 * n * lanes + lane] = double{re[n][lane]};
                state[(2 * n + 1) * lanes + lane] = double{im[n][lane]};
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
    return std::make_unique<Bank<InDouble>>(bank, direct);
}

}  // namespace gainstage
