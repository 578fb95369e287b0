#pragma once
/// What an ED-LSTM file holds, ready to run.

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
///
/// config.state = "rebuilt" (as published; where it is absent): a window begins with the h and c above, so
/// that nothing older than 2 w samples is heard. "carried": c begins with what is above added to the c with
/// which the window before ended (0 at the start), so that gain can go on falling or recovering from window
/// to window; h is rebuilt all the same. config.window, where given, must agree with encoder.h.weight.
struct EdLstmWeights {
    /// Bounds on sizes.
    static constexpr int max_window = 512, max_units = 256;

    /// Control thread. Throws ModelError: what the file lacks, or what in it is beyond the bounds.
    explicit EdLstmWeights(const Model&);

    /// How one of h and c begins a window.
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
