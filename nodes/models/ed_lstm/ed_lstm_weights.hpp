#pragma once
/// The weights of an ED-LSTM file, prepared.

#include <cstdint>
#include <string>
#include <vector>

#include "nodes/layers/control_inputs.hpp"
#include "nodes/layers/dense.hpp"
#include "nodes/layers/layer_reader.hpp"
#include "nodes/layers/lstm_windows.hpp"
#include "runtime/prepared.hpp"

namespace gainstage {

/// Tensors of a file with `architecture` "ed_lstm"; w (samples of a window) and u (units) follow from their
/// shapes:
///
///     encoder.h.weight (u, w), encoder.h.bias (u)      of the window before, oldest sample first, plus
///     condition.h.weight (u, controls), condition.h.bias    (absent where the file declares no control)
///                                                      make the h with which the LSTM begins a window;
///     encoder.c..., condition.c...                     likewise its c
///     lstm.weight_ih (4 u, 1), lstm.weight_hh (4 u, u), lstm.bias (4 u)     layers/lstm_cell.hpp; w steps,
///                                                      one for each sample of the window
///     dense.weight (d, u), dense.bias                  sigmoid
///     output.weight (w, d), output.bias                the window's output
/// config.state = "rebuilt" (default; as published): a window begins with the h and c above, so nothing older
/// than 2 w samples is heard. "carried": the c above is added to the last c of the window before (0 at the
/// start), so the gain can go on falling or recovering from window to window; h is rebuilt as before.
/// config.window, if given, must agree with encoder.h.weight.
struct EdLstmWeights {
    /// Bounds on sizes.
    static constexpr int max_window = 512, max_units = 256;

    /// Control thread. Throws ModelError if a tensor is missing or out of bounds.
    explicit EdLstmWeights(const Model&);

    /// The layers from which h or c begins a window.
    struct Begin {
        Dense encoder, condition;
    };

    PreparedFacts facts;
    ControlInputs controls;
    int window = 0, units = 0;
    bool carries_cell = false;
    Begin hidden, cell;
    LstmWindows lstm;
    Dense dense, output;

private:
    std::int64_t memory_of(const Model&) const;
    Begin read_begin(LayerReader&, const std::string& name) const;
    void read_lstm(LayerReader&);
    std::string note_on_memory() const;
    double count_operations() const;
};

}  // namespace gainstage
