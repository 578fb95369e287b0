#pragma once
/// A compressor as an encoder and a decoder: Simionato & Fasciani, "Fully Conditioned and Low-Latency
/// Black-Box Modeling of Analog Compression", DAFx 2023.

#include <array>
#include <memory>

#include "nodes/kernels/vector_math.hpp"
#include "nodes/models/ed_lstm/ed_lstm_weights.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// Sound is processed in windows of w samples, counted from the start of the stream. An LSTM begins each
/// window with a state computed from the window before and from the controls at the window's first sample. It
/// steps through the window sample by sample. From its last state two dense layers compute the window's
/// output, which sounds one window later. So the latency is w, and a knob takes effect with the next window.
/// As published, nothing older than 2 w matters; a file may carry the cells from window to window
/// (ed_lstm_weights.hpp). Stereo: each channel has its own state. A stream that begins within a window
/// doesn't hear the rest of it, because the samples before are not known: for that long it sounds as at
/// silence.
class EdLstm final : public Node {
public:
    static const NodeType& type();

    EdLstm(const Setup&, std::shared_ptr<const EdLstmWeights>);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList&) override;
    int latency_samples() const noexcept override { return weights_->facts.latency_samples; }
    std::int64_t memory_samples() const noexcept override { return weights_->facts.memory_samples; }
    std::optional<std::int64_t> exact_memory_samples() const noexcept override;

private:
    /// Whole windows within a block are independent. Up to this many step together, so that the weights are
    /// read once for all of them; no number changes (layers/lstm_windows.hpp). Windows that carry their cells
    /// run one after the other.
    static constexpr int most_windows = 4;

    int windows_within(int frames) const noexcept GAINSTAGE_REALTIME;
    void begin_windows(const Block&, int first, int windows) noexcept GAINSTAGE_REALTIME;
    void begin(const EdLstmWeights::Begin&, const Block&, int first, int windows, AlignedFloats& rows,
               bool goes_on) noexcept GAINSTAGE_REALTIME;
    void step(const Block&, int first, int windows, int steps) noexcept GAINSTAGE_REALTIME;
    void play_and_keep(const Block&, int first, int frames) noexcept GAINSTAGE_REALTIME;
    void finish_windows(const Block&, int first, int windows) noexcept GAINSTAGE_REALTIME;

    // fixed after construction
    const std::shared_ptr<const EdLstmWeights> weights_;
    const int channels_;
    const VectorMath::Function sigmoid_;
    // audio thread
    AlignedFloats heard_;          ///< [channel][w], the present window's samples; before it, the last one's
    AlignedFloats sounding_;       ///< [channel][w], the last window's output
    AlignedFloats hidden_, cell_;  ///< [channel * windows + window] rows of the LSTM
    AlignedFloats carried_;        ///< [channel] rows: the last c of the last window; empty: not carried
    int position_ = 0;             ///< of the next sample within its window
    bool fresh_ = true;
    bool blind_ = false;  ///< this window's beginning was not heard
    // scratch within one call
    AlignedFloats next_hidden_, dense_, output_, controls_, conditions_;
};

}  // namespace gainstage
