#pragma once
/// The scenes of a patch at work: which knobs belong to them, and where each scene sends them.

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/graph/graph.hpp"
#include "runtime/realtime/slot.hpp"

namespace gainstage {

/// Where the scenes of a patch stand.
struct SceneState {
    std::int32_t scene = -1;  ///< the one that was chosen last; -1: none, so the knobs are as in [nodes]
    std::int32_t morph = -1;  ///< the pedal that has the knobs, by its index; -1: the scene has them
    float position = 0.f;     ///< of the pedal, 0..1, along its curve
    bool is_upper = false;    ///< of the pedal: switches are as in its second scene
    bool operator==(const SceneState&) const = default;
};

/// A scene is chosen, or the pedal moves: all knobs of the scenes move at one sample.
struct SceneCue {
    static constexpr std::uint32_t own_length = ~std::uint32_t{0};

    std::uint64_t at = 0;               ///< stream sample
    std::uint32_t table = 0;            ///< number of the table that it belongs to
    SceneState state;                   ///< of a scene: `scene` alone
    std::uint32_t length = own_length;  ///< samples that the ramps take; own_length: as each knob says
    bool by_midi = false;               ///< a MIDI message chose the scene
};

/// The name of a scene as a number. Any thread.
std::uint64_t number_of_scene(std::string_view name);

/// Fixed once it is made; any thread reads it. Choosing a scene costs one step for each knob that the scenes
/// own, and one for each that the scene names.
class SceneTable {
public:
    /// A knob that some scene names.
    struct Knob {
        NodeKey key = 0;
        std::uint32_t number = 0;  ///< of its name, see Slot::knob_numbers
        std::int32_t node = 0;     ///< index into the graph and into Score::targets
        std::int32_t param = 0;    ///< index into the ramps of the slot
        float base = 0.f;          ///< value in [nodes]: of scenes that don't name it
        std::uint32_t smooth = 0;  ///< samples that it takes by itself
        bool has_steps = false;    ///< it jumps from value to value
        bool is_switch = false;    ///< it has steps, or is a bypass or a mute: no morph
        bool by_ratio = false;     ///< a morph goes by equal ratios
    };

    /// No scenes.
    SceneTable() = default;
    /// `number`: no other table of the engine has it. `slots`: of the graph's nodes.
    SceneTable(const Graph&, std::span<const std::shared_ptr<Slot>> slots, double rate_hz,
               std::uint32_t number);

    std::uint32_t number() const noexcept GAINSTAGE_REALTIME { return number_; }
    int scene_count() const noexcept GAINSTAGE_REALTIME { return static_cast<int>(scenes_.size()); }
    int knob_count() const noexcept GAINSTAGE_REALTIME { return static_cast<int>(knobs_.size()); }
    /// All knobs, by node.
    std::span<const Knob> knobs() const noexcept GAINSTAGE_REALTIME { return knobs_; }
    /// How the patch begins.
    SceneState start() const noexcept GAINSTAGE_REALTIME { return {.scene = start_}; }

    /// The index of the scene with this name; -1: none.
    int scene_of(std::uint64_t name) const noexcept GAINSTAGE_REALTIME;
    /// The two scenes of a pedal.
    const GraphMorph& morph(int index) const noexcept GAINSTAGE_REALTIME { return morphs_[index]; }
    /// Of a scene that is chosen now. `length`: samples for the ramps; own_length: as the scene says.
    SceneCue cue(int scene, std::uint64_t now, std::uint32_t length) const noexcept GAINSTAGE_REALTIME;

    /// The index of the knob; -1: no scene names it.
    int knob_of(NodeKey, std::uint32_t number) const noexcept GAINSTAGE_REALTIME;
    /// The knobs of a node: their first index, and how many.
    std::pair<int, int> knobs_of(NodeKey) const noexcept GAINSTAGE_REALTIME;
    /// Where a knob stands in this state.
    float value(int knob, const SceneState&) const noexcept GAINSTAGE_REALTIME;

    /// The state in this table that stands for one of another table: scenes are known by their names.
    /// `theirs` becomes the state to compare with: where the scene is gone from this table, none, for its
    /// knobs stay where they are.
    SceneState adopt(const SceneTable& other, SceneState& theirs) const noexcept GAINSTAGE_REALTIME;

private:
    struct Value {
        std::int32_t knob = 0;
        float value = 0.f;
    };
    struct Scene {
        std::uint64_t name = 0;
        std::uint32_t first = 0, count = 0;  // of its values
        std::uint32_t length = 0;            // of its morph, in samples
    };

    void add_knobs(const Graph&, std::span<const std::shared_ptr<Slot>>, double rate_hz);
    void add_scenes(const Graph&, double rate_hz);
    float value_in(int knob, int scene) const noexcept GAINSTAGE_REALTIME;
    int morph_like(const SceneTable& other, int morph) const noexcept GAINSTAGE_REALTIME;
    int scene_like(const SceneTable& other, int scene) const noexcept GAINSTAGE_REALTIME;

    std::uint32_t number_ = 0;
    std::int32_t start_ = -1;
    std::vector<Knob> knobs_;    // by key, then by param
    std::vector<Value> values_;  // scene by scene; of each scene by knob
    std::vector<Scene> scenes_;
    std::vector<GraphMorph> morphs_;
    std::vector<std::pair<std::uint64_t, std::int32_t>> by_name_;  // names, and whose they are
};

// A cue as a move of the knobs' trail, which is one entry whatever number of knobs it moves. It is marked by
// keys that no node has.
inline constexpr NodeKey scene_key = every_node - 1, midi_scene_key = every_node - 2,
                         lower_morph_key = every_node - 3, upper_morph_key = every_node - 4;
/// Whether a move of the trail is a cue. Any thread.
inline bool is_cue(NodeKey key) noexcept GAINSTAGE_REALTIME {
    return key >= upper_morph_key && key <= scene_key;
}
NodeKey key_of(const SceneCue&) noexcept GAINSTAGE_REALTIME;
std::int32_t param_of(const SceneCue&) noexcept GAINSTAGE_REALTIME;
Ramp ramp_of(const SceneCue&) noexcept GAINSTAGE_REALTIME;
/// REQUIRES: is_cue(key).
SceneCue cue_of(NodeKey key, std::int32_t param, const Ramp&) noexcept GAINSTAGE_REALTIME;

/// The ramp on which a knob follows a cue to `to`. False: it rests there already, and stays as it is. Any
/// thread.
bool move_by_cue(Ramp&, float to, bool has_steps, const SceneTable::Knob&,
                 const SceneCue&) noexcept GAINSTAGE_REALTIME;
/// The same for an instance whose knob takes other values than the scene's, perhaps.
inline bool move_by_cue(Ramp& ramp, const ParamSpec& spec, float value, const SceneTable::Knob& knob,
                        const SceneCue& cue) noexcept GAINSTAGE_REALTIME {
    return move_by_cue(ramp, nearest_value(spec, value), spec.steps > 1, knob, cue);
}

/// The state after a cue. Any thread.
SceneState after(const SceneState&, const SceneCue&) noexcept GAINSTAGE_REALTIME;

}  // namespace gainstage
