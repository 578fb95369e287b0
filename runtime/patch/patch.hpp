#pragma once
/// What the player wrote, as plain values. Node types, names and ranges are checked later, in resolve/.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "runtime/not_trivial.hpp"
#include "runtime/problem.hpp"

namespace gainstage {

/// A setting as written: the type of the TOML value is kept.
struct Setting {
    std::string key;
    Place place;
    std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>, NotTrivial> value;
};

struct PatchNode {
    std::string id;
    Place place;
    std::string type;
    Place type_place;
    std::vector<Setting> settings;  ///< everything but `type`, in the file's order
};

/// One cable. `port` is empty where the player wrote only the node.
struct PatchLink {
    std::string from_node, from_port, to_node, to_port;
    Place place, to_place = {};  ///< of its two ends
};

/// What a scene says of one node.
struct PatchSceneNode {
    std::string id;
    Place place;
    std::vector<Setting> settings;
};

/// A [scenes.NAME] table.
struct PatchScene {
    std::string name;
    Place place;
    double morph_ms = -1.;              ///< 0..60000; < 0: each knob takes its own time
    std::vector<PatchSceneNode> nodes;  ///< in the file's order
};

enum class MidiSource { cc, cc14, nrpn, pitchbend, note, program };
enum class MidiMode {
    absolute,
    relative_2c,
    relative_offset64,
    relative_signbit,
    toggle,
    momentary,
    trigger
};
/// Which half of a 14-bit value its control sends first.
enum class MidiOrder { msb_first, lsb_first, recognised };
enum class MidiCurve { linear, log, exp, s };
enum class MidiTakeover { jump, pickup, scale };

/// A [[midi]] entry, defaults filled in.
struct PatchMidi {
    int channel = 0;  ///< 1..16; 0: omni
    MidiSource source = MidiSource::cc;
    int number = 0;  ///< controller, NRPN or note; 0 for pitch bend and program change
    MidiOrder order = MidiOrder::recognised;  ///< of cc14 and nrpn
    MidiMode mode = MidiMode::absolute;
    /// "node.parameter", "node.bypass", "node.mute", "panic", "scene", "scene.NAME", "morph"
    std::string target;
    std::string from = {}, to = {};  ///< of the target "morph": names of scenes
    bool has_range = false;
    double min = 0.,
           max = 0.;  ///< in the target's units; min > max inverts; without: the target's whole range
    MidiCurve curve = MidiCurve::linear;
    MidiTakeover takeover = MidiTakeover::pickup;
    double smooth_ms = -1.;  ///< < 0: as the target says
    Place place, target_place, range_place, from_place = {}, to_place = {};
};

struct Patch {
    bool readable = true;  ///< false: no TOML, or of a later format; there is nothing to resolve
    std::string file;      ///< as given, for messages
    std::string folder;    ///< model paths are relative to it: the file's, behind every link
    /// And where nothing is there, to these: of the links that led to the file, the nearest to it first.
    std::vector<std::string> link_folders;
    std::string text;  ///< the whole file, for the log of a take
    std::string name;
    double fade_ms = 25.;          ///< length of the cross-fade of an edit, 1..1000
    double ceiling_dbfs = 24.;     ///< a model, or a node in a loop, that rises above it goes into quarantine
    std::vector<PatchNode> nodes;  ///< in the file's order
    std::vector<PatchLink> links;  ///< in the file's order: sums are added in it
    std::vector<PatchMidi> midi;
    std::vector<PatchScene> scenes;  ///< in the file's order
    std::string start = {};          ///< the scene that it begins with; empty: none
    Place start_place = {};
};

}  // namespace gainstage
