#pragma once
/// The [[midi]] table of a plan at work: controller moves become knob moves, in stream time.

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/graph/graph.hpp"
#include "runtime/nonblocking.hpp"
#include "runtime/realtime/midi_decoder.hpp"
#include "runtime/realtime/midi_mapping.hpp"
#include "runtime/realtime/midi_message.hpp"

namespace gainstage {

/// Moves every target that listens to a control. The control thread builds it with its plan; then only the
/// audio thread uses it. It allocates nothing, and a message costs one step for each mapping that listens to
/// its control.
class MidiMap {
public:
    explicit MidiMap(const std::vector<GraphMidi>&);

    /// The events of a message, from the decoder of the port that it came in by.
    void receive(std::span<const MidiEvent>, MidiHost&) noexcept GAINSTAGE_REALTIME;

    /// Takes over from the table of the plan before: what controllers said, and which mappings (same source,
    /// same target name) hold their knob. Linear in the number of mappings.
    void adopt(const MidiMap& old) noexcept GAINSTAGE_REALTIME;

private:
    std::span<const std::uint32_t> listeners(const MidiEvent&) const noexcept GAINSTAGE_REALTIME;
    void build_index(const std::vector<GraphMidi>&);

    std::vector<MidiMapping> mappings_;     ///< in the patch's order
    std::vector<std::uint32_t> by_id_;      ///< indices of mappings, sorted by id
    std::vector<std::uint32_t> first_;      ///< per control: where its listeners begin
    std::vector<std::uint32_t> listeners_;  ///< indices of mappings, grouped by control
};

}  // namespace gainstage
