#pragma once
/// The weights of an S6 file, prepared.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nodes/dsp/sliding_spectrum.hpp"
#include "nodes/layers/control_inputs.hpp"
#include "nodes/layers/dense.hpp"
#include "nodes/layers/gru_cell.hpp"
#include "nodes/layers/selective_ssm.hpp"
#include "runtime/prepared.hpp"

namespace gainstage {

/// Tensors of a file with `architecture` "s6". All sizes follow from their shapes; what is in brackets may be
/// absent. "c" is a number of channels, a different one each time.
///
///     input.weight (c, window), input.bias         of the last `window` samples, oldest first
///     ssm.0....                                    selective state space layer (layers/selective_ssm.hpp)
///     mix.0.weight (c, c), mix.0.bias              then config.activation = "gelu" (exact) | "tanh"
///     [features.weight (f, bins), .bias]           of the magnitudes of the spectrum of the same samples,
///                                                  padded with zeros to 2 bins - 1 >= window
///     film.weight (2 c, z1 + f), film.bias         gains, offsets from z1 controls and the features
///     film.glu.weight (2 c, c), film.glu.bias      gated linear unit: o * softsign(g)
///     [temporal.weight_ih (3 u, z2 + f), .weight_hh (3 u, u), .bias_ih, .bias_hh (3 u)]
///                                                  a GRU (layers/gru_cell.hpp; rows r, z, n) from the other
///                                                  z2 controls and the features: u / 2 gains, u / 2 offsets
///     [temporal.glu..., ssm.1..., mix.1...]        present with it, shaped as above
///     output.weight (1, c), output.bias            the gain, or with config.product = false the output
///
/// config.meaning = "recurrent": every state goes on from sample to sample. "as_trained": as the published
/// code ran it, a batch of config.batch (2400) consecutive samples as sequences of one. The state space
/// layers then remember nothing, and the GRU's state is that of one batch ago. config.window, if given, must
/// agree with input.weight.
struct S6Weights {
    /// Bounds on sizes, besides those of the kernels.
    static constexpr int max_window = 1024, max_bins = 1024, max_features = 32, max_channels = 128,
                         max_batch = 9600;

    /// Control thread. Throws ModelError if a tensor is missing or out of bounds.
    explicit S6Weights(const Model&);

    bool has_features() const noexcept { return !features_bias.empty(); }
    int feature_count() const noexcept { return static_cast<int>(features_bias.size()); }
    bool has_temporal() const noexcept { return cell.units() > 0; }

    PreparedFacts facts;
    ControlInputs controls;
    int window = 0;
    std::optional<Dense> input;               ///< none: the first layer took it in
    std::array<SelectiveSsm, 2> ssm;          ///< the second is unused without the GRU
    std::array<std::optional<Dense>, 2> mix;  ///< none: the state space layer took it in
    int stage_channels(int stage) const noexcept {
        return mix[stage] ? mix[stage]->outputs() : ssm[stage].outputs();
    }
    bool tanh_mix = false;

    SlidingSpectrum spectrum;
    AlignedFloats features;  ///< [feature][padded(bins)]
    std::vector<float> features_bias;

    int first_controls = 0, second_controls = 0;  ///< z1, z2
    Dense film, film_glu;
    GruCell cell;
    Dense temporal_glu;
    int lag_samples = 1;  ///< from which step back the GRU's state comes

    AlignedFloats output;  ///< of a row, zeros up to `row`
    float output_bias = 0.f;
    bool product = true;

    int row = 0;       ///< floats of the longest row between stages
    int wide_row = 0;  ///< and within one: outputs and gates side by side

private:
    void read_features(LayerReader&);
    void read_film(LayerReader&, bool remembers);
    void read_temporal(LayerReader&, int channels);
    void read_stage(LayerReader&, int stage, int channels, bool remembers);
    double count_operations() const;
    void join();
    void check_controls(const Model&) const;
};

}  // namespace gainstage
