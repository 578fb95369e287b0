#pragma once
/// The selective state-space layer (S6) of Mamba: Gu & Dao, arXiv 2312.00752, section 3, run as a recurrence.

#include <string>

#include "nodes/kernels/row_maths.hpp"
#include "nodes/kernels/selective_scan.hpp"
#include "nodes/kernels/vector_math.hpp"
#include "nodes/layers/dense.hpp"
#include "nodes/layers/layer_reader.hpp"
#include "runtime/nonblocking.hpp"
#include "runtime/state_list.hpp"

namespace gainstage {

/// For rows x of `inputs` channels, D inner channels, N states each, rank R:
///
///     [a, g] = Win x                                                     (2 D, without bias)
///     u[t] = silu(sum_j conv[:, j] a[t - (taps - 1) + j] + conv_bias)    (depthwise, the last tap is newest)
///     [r, B, C] = Wx u        (R + N + N)        delta = softplus(Wdt r + bdt)               (D)
///     h[d][n] = exp(-delta[d] exp(a_log[d][n])) h[d][n] + delta[d] u[d] B[n]
///     s[d] = sum_n h[d][n] C[n] + skip[d] u[d]
///     y = Wout (s silu(g)) + bout
///
/// Tensors, after PREFIX: in.weight (2 D, inputs), conv.weight (D, taps), conv.bias (D), x.weight (R + 2 N,
/// D), dt.weight (D, R), dt.bias (D), a_log (D, N), skip (D), out.weight (outputs, D), out.bias (outputs). A
/// file without in.weight has no convolution and no gate: u = x, y = Wout s + bout. Immutable once built;
/// every channel of sound keeps its own State.
class SelectiveSsm {
public:
    /// Bounds on sizes.
    static constexpr int max_channels = 128, max_inner = 128, max_states = 64, max_taps = 16;

    struct State {
        AlignedFloats hidden;  ///< [state][padded(D)]
        AlignedFloats past;    ///< the last taps - 1 rows of a, [padded(2 D)] each, oldest first

        void list_state(StateList& list) { list.add(hidden, past); }
    };
    /// Rows of one tile, for any number of layers of these sizes.
    struct Scratch {
        AlignedFloats gated, inner, scanned, projected, delta;
    };

    SelectiveSsm() = default;
    /// Control thread. Throws a ModelError with the tensor. `remembers` = false: the layer as it was trained
    /// on sequences of one sample, where convolution and recurrence see nothing before the present.
    SelectiveSsm(LayerReader&, const std::string& prefix, int inputs, bool remembers);

    /// Control thread. Takes in the layer before it: from now on run() is fed what that is fed. REQUIRES:
    /// is_gated().
    void follow(const Dense& before) { in_ = before.then(in_); }
    /// Control thread. Takes in the layer behind it: from now on run() says what that says.
    void lead_to(const Dense& behind) { out_ = out_.then(behind); }

    /// Whether it begins and ends with a dense layer.
    bool is_gated() const noexcept { return gated_; }
    /// Whether the past matters to it.
    bool remembers() const noexcept { return remembers_; }
    const Dense& in() const noexcept { return in_; }
    const Dense& out() const noexcept { return out_; }
    int outputs() const noexcept { return out_.outputs(); }
    int inner() const noexcept { return inner_; }
    int states() const noexcept { return states_; }
    int taps() const noexcept { return taps_; }
    /// Floating-point operations per sample of the layer alone, as NodeType::operations counts them.
    double operations() const noexcept { return operations_; }

    /// Control thread. All past is zero.
    State make_state() const;
    void fit(Scratch&, int frames) const;
    /// Audio thread. REQUIRES: `scratch` fits `frames`. `in` and `out` may be the same.
    void run(State&, const float* in, int in_stride, float* out, int out_stride, int frames,
             Scratch& scratch) const noexcept GAINSTAGE_REALTIME;

private:
    void read_gate(LayerReader&, const std::string& prefix);
    double count_operations() const noexcept;
    void convolve(State&, Scratch&, int frames) const noexcept GAINSTAGE_REALTIME;
    void select(Scratch&, int frames) const noexcept GAINSTAGE_REALTIME;
    void scan(State&, Scratch&, int frames) const noexcept GAINSTAGE_REALTIME;
    int gated_row() const noexcept { return padded(2 * inner_); }
    int inner_row() const noexcept { return padded(inner_); }
    int projected_row() const noexcept { return padded(rank_ + 2 * states_); }

    double operations_ = 0.;
    int inputs_ = 0, inner_ = 0, states_ = 0, rank_ = 0, taps_ = 1;
    bool gated_ = false, remembers_ = true;
    Dense in_, project_, delta_, out_;
    AlignedFloats conv_;       ///< [tap][padded(D)]
    AlignedFloats conv_bias_;  ///< [padded(D)]
    AlignedFloats decay_;      ///< -exp(a_log) / ln 2, [state][padded(D)]
    AlignedFloats skip_;       ///< [padded(D)]
    const SelectiveScanKernels* scan_ = nullptr;
    const VectorMath* math_ = nullptr;
    const RowMaths* rows_ = nullptr;
};

}  // namespace gainstage
