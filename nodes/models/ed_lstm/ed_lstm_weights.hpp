#pragma once
/// What an ED-LSTM file holds, ready to run.

#include <cstdint>
#include <string>
#include <vector>

#include "nodes/layers/dense.hpp"
#include "nodes/layers/lstm_windows.hpp"

namespace gainstage {

class LayerReader;
class Model;

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
    /// What a carried state is taken to remember where the file does not say, and at most.
    static constexpr double longest_memory_seconds = 10.;

    /// Control thread. Throws ModelError (what the file lacks), SetupError (another sample rate).
    EdLstmWeights(const Model&, double sample_rate_hz);

    /// How one of h and c begins a window.
    struct Begin {
        Dense encoder, condition;
    };

    int window = 0, units = 0, controls = 0;
    bool carries_cell = false;
    std::int64_t memory_samples = 0;
    Begin hidden, cell;
    LstmWindows lstm;
    Dense dense, output;
    std::vector<std::string> tensors;  ///< names of those read

private:
    std::int64_t memory_of(const Model&) const;
    Begin read_begin(LayerReader&, const std::string& name) const;
    void read_lstm(LayerReader&);
};

/// For NodeType::notes: what a rebuilt state cannot do, and tensors that mean nothing to an ED-LSTM.
std::vector<std::string> notes_on_ed_lstm(const Model&);

/// For NodeType::operations.
double operations_of_ed_lstm(const Model&);

}  // namespace gainstage
