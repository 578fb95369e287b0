#pragma once
/// Sends out sound: one or two channels of the interface, or of the file being rendered.

#include "nodes/dsp/clip_guard.hpp"
#include "nodes/dsp/dc_watch.hpp"
#include "runtime/node.hpp"
#include "runtime/output_watch.hpp"

namespace gainstage {

/// Adds to the device's channels, which the engine has zeroed. Mono into two channels feeds both. Channels
/// that the device lacks are skipped.
///
/// The guard `clip_safe` is the last thing before the loudspeakers. What is no number is played as silence.
/// Above 0 dBFS one gain for all channels falls at once, so that this output adds no sample above 0 dBFS, and
/// is exactly 1 again after 100 ms. Below 0 dBFS every bit passes. With `off` all passes and nothing is
/// watched.
///
/// `mute` fades it out and in over 20 ms.
///
/// A new instance begins with a gain of 1 and needs no past: a peak finds it ready.
class Output final : public Node {
public:
    static const NodeType& type();

    explicit Output(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList& list) override { list.add(guard_); }
    std::optional<std::int64_t> exact_memory_samples() const noexcept override;
    OutputWatch* output_watch() noexcept override { return is_guarded_ ? &watch_ : nullptr; }

private:
    void play_plain(const Block&) noexcept;
    void play_closely(const Block&) noexcept;
    void watch_dc(const Block&, int channel) noexcept;

    const std::vector<int> channels_;  ///< counted from 1, as the patch does
    const bool is_guarded_;
    ClipGuard guard_;
    std::vector<DcWatch> dc_;  ///< per channel
    OutputWatch watch_;
};

}  // namespace gainstage
