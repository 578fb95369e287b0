#pragma once
/// What the audio thread runs: a flat list of steps over buffers that exist already.

#include <memory>
#include <vector>

#include "runtime/realtime/device_past.hpp"
#include "runtime/realtime/midi_map.hpp"
#include "runtime/realtime/scene_table.hpp"
#include "runtime/realtime/straight_way.hpp"
#include "runtime/realtime/tasks.hpp"

namespace gainstage {

enum class StepKind : std::uint8_t {
    process,   ///< run a node
    emit,      ///< a delay in a loop: write what comes out
    absorb,    ///< a delay in a loop: take in what went in
    sum,       ///< outputs[0] = all sources added, in the patch's order
    fade,      ///< outputs[0] = from sources[0] to sources[1] along the fade's curve
    remember,  ///< keep sources[0] in a history
    recall,    ///< outputs[0] = a history at the present time (warming only)
    loop,      ///< the next `length` steps run in pieces no longer than the loop's shortest delay
};

/// One line of the list. It fills a cache line and holds all that the plain path of a node needs.
struct alignas(64) Step {
    StepKind kind = StepKind::process;
    bool watched = true;       ///< check the output (off only in `bench`)
    bool has_latency = false;  ///< the node's dry line must be fed
    bool is_plain = false;     ///< a node with one output of one channel and no latency
    bool is_off = false;       ///< its slot is lost: writes silence, touches nothing else; of a loop: one of
                               ///< its delays
    std::uint16_t input_count = 0, output_count = 0;  ///< of sum: its sources
    union {
        std::int32_t length = 0;    ///< loop: steps inside
        std::int32_t ceiling_bits;  ///< process, emit: the bits of the loudest good sample
    };
    Node* node = nullptr;
    union {
        Slot* slot = nullptr;              ///< process, emit, absorb
        History* history;                  ///< remember, recall
        const std::vector<Slot*>* delays;  ///< loop: those that close it
    };
    const PortBuffer* inputs = nullptr;  ///< of the node; sources of sum, fade, remember
    const PortBuffer* outputs = nullptr;
    const Ramp* params = nullptr;
    std::atomic<float>* readings = nullptr;
};
static_assert(sizeof(Step) == 64);

/// The target of a mapping: the node's slot, and during a fade the leaving slot of the same name.
struct TargetSlot {
    Slot* slot = nullptr;
    Slot* leaving = nullptr;
    std::vector<int>
        leaving_param;  ///< per param of `slot` (extras included), its index in `leaving`; -1: none
};

/// A raised cosine from 0 to 1: the weight of the new sound, sample by sample.
using FadeCurve = std::vector<float>;

/// Only the sound in its buffers changes after it was built. The control thread builds and frees it.
struct Plan {
    std::vector<Step> steps;
    std::vector<PortBuffer> ports;  ///< storage of the steps' inputs and outputs
    std::vector<std::unique_ptr<std::vector<Slot*>>> loops;
    std::vector<float> memory;                        ///< sound
    std::vector<std::shared_ptr<Slot>> slots;         ///< every slot that the steps run
    std::vector<std::shared_ptr<History>> histories;  ///< every one that is recalled
    DevicePast device_past;                           ///< what it keeps of the device
    int node_steps = 0;
    bool watched = true;  ///< as its steps say

    const FadeCurve* fade = nullptr;  ///< of the fade steps
    std::unique_ptr<Tasks> tasks;     ///< its steps as parts for several threads; null: one does it all
};

/// What belongs to a patch, whichever plan runs it.
struct Score {
    std::vector<TargetSlot> targets;  ///< per node of the graph
    std::vector<int> target_of_key;   ///< NodeKey -> index into targets, -1: not in this patch
    std::unique_ptr<MidiMap> midi;
    std::shared_ptr<const SceneTable> scenes;
    SceneState scene;        ///< audio thread: where they stand
    StraightRoute straight;  ///< where the inputs go while the master bypasses the patch
};

/// Audio thread (or the thread that warms).
void run_plan(const Plan&, Piece&) noexcept GAINSTAGE_REALTIME;
/// The same for steps [begin, end); a loop that begins there is run whole. Returns the next step. Any thread
/// that has these steps to itself.
int run_steps(const Plan&, Piece&, int begin, int end) noexcept GAINSTAGE_REALTIME;

/// A counter that is cheap to read: time-stamp counter or the architecture's virtual timer.
std::uint64_t read_ticks() noexcept GAINSTAGE_REALTIME;
/// Ticks per second, measured once against the steady clock. Control thread.
double ticks_per_second();

}  // namespace gainstage
