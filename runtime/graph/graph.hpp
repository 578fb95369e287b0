#pragma once
/// A patch whose every name is understood: types found, settings checked, ports and widths known, cables
/// resolved. It is only data: no node is built, nothing runs.

#include <cstddef>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/graph/knob_list.hpp"
#include "runtime/model/model.hpp"
#include "runtime/node.hpp"
#include "runtime/patch/patch.hpp"
#include "runtime/prepared.hpp"

namespace gainstage {

struct GraphNode {
    std::string id;
    const NodeType* type = nullptr;
    Place place;
    Options options;  ///< complete
    std::shared_ptr<const Model> model;
    /// Of `model`, for the stream's rate. Null without a model, if the rate was not known, or if the file
    /// can't be prepared; building the node then reports why.
    std::shared_ptr<const Prepared> prepared;
    bool refuse_other_rates = false;    ///< `rate = "refuse"`
    KnobList params;                    ///< the type's own, then the model's controls
    std::vector<float> values;          ///< per param, from the patch or its default
    std::vector<float> smooth_ms;       ///< per param
    bool bypass = false, mute = false;  ///< as the patch writes them
    /// Where the knobs begin, bypass and mute behind them, if the patch begins with a scene that names one of
    /// them. Empty: where the patch writes them.
    std::vector<float> start = {};
    int channels = 1;                 ///< of `follow` ports
    std::vector<int> input_channels;  ///< per input port; 0: no cable
    std::vector<int> output_channels;

    int param_index(std::string_view name) const;  ///< -1: none
};

/// The nodes of a graph. Copies of a graph, and all that is built from it, share them: a node is written
/// while its patch is resolved, and only read afterwards. Any thread may read and copy.
class NodeList {
public:
    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = GraphNode;
        using difference_type = std::ptrdiff_t;
        using pointer = const GraphNode*;
        using reference = const GraphNode&;

        explicit Iterator(const std::shared_ptr<GraphNode>* at) : at_(at) {}
        reference operator*() const { return **at_; }
        pointer operator->() const { return at_->get(); }
        Iterator& operator++() { return ++at_, *this; }
        Iterator operator++(int) { return Iterator(at_++); }
        bool operator==(const Iterator&) const = default;

    private:
        const std::shared_ptr<GraphNode>* at_;
    };

    std::size_t size() const { return nodes_.size(); }
    const GraphNode& operator[](std::size_t n) const { return *nodes_[n]; }
    const GraphNode& at(std::size_t n) const { return *nodes_.at(n); }
    const GraphNode& back() const { return *nodes_.back(); }
    Iterator begin() const { return Iterator(nodes_.data()); }
    Iterator end() const { return Iterator(nodes_.data() + nodes_.size()); }

    std::shared_ptr<const GraphNode> shared(std::size_t n) const { return nodes_[n]; }

    /// The node to write to. If another list has it too, this one gets its own first.
    GraphNode& edit(std::size_t n);
    void resize(std::size_t count);
    void push_back(GraphNode node) { nodes_.push_back(std::make_shared<GraphNode>(std::move(node))); }

private:
    std::vector<std::shared_ptr<GraphNode>> nodes_;
};

struct GraphLink {
    int from = 0, from_port = 0, to = 0,
        to_port = 0;  ///< indices into Graph::nodes and the types' port lists
    Place place;
};

enum class TargetKind {
    parameter,
    bypass,
    mute,
    panic,
    scene,           ///< the scene that a program change numbers
    scene_named,     ///< `param`: index into Graph::scenes
    scene_next,      ///< behind the last comes the first
    scene_previous,  ///< before the first comes the last
    morph,           ///< `param`: index into Graph::morphs
};

/// What a mapping or an automation lane moves.
struct GraphTarget {
    TargetKind kind = TargetKind::parameter;
    int node = -1;               ///< of a knob, bypass or mute
    int param = -1;              ///< of a knob; see TargetKind for the others
    float min = 0.f, max = 1.f;  ///< whole range of the target
};

struct GraphMidi {
    PatchMidi entry;  ///< range filled in
    GraphTarget target;
    float smooth_ms = 20.f;
    int steps = 0;  ///< of the target
};

/// A knob of a scene, with its value there.
struct SceneValue {
    int node = 0, param = 0;  ///< `param`: index into KnobList::all()
    float value = 0.f;
};

struct GraphScene {
    std::string name;
    Place place;
    float morph_ms = -1.f;           ///< < 0: each knob takes its own time
    std::vector<SceneValue> values;  ///< by node and param; none twice
};

/// The two scenes between which a pedal goes.
struct GraphMorph {
    int from = 0, to = 0;  ///< indices into Graph::scenes
};

struct Graph {
    std::string name, file;
    float fade_ms = 25.f, ceiling_dbfs = 24.f;
    NodeList nodes;
    std::vector<GraphLink> links;
    std::vector<GraphMidi> midi;
    std::vector<GraphScene> scenes = {};  ///< in the file's order
    std::vector<GraphMorph> morphs = {};  ///< one for each mapping onto `morph`
    int start_scene = -1;                 ///< that it begins with; -1: none
    std::string patch_text;               ///< for the log of a take
    /// For the log of a take, where the patch was reached through a link: the folders of its models.
    std::string folder = {};
    std::vector<std::string> link_folders = {};
    /// Every file that it was made from: the patch, then the models; and those that it would be made from if
    /// they were there.
    std::vector<std::string> files;

    int node_index(std::string_view id) const;     ///< -1: none
    int scene_index(std::string_view name) const;  ///< -1: none
};

/// The patch begins with this scene, whatever it says itself. REQUIRES: the graph plays nowhere yet. Any
/// thread.
void begin_with(Graph&, int scene);

/// The highest channel of the device that the graph uses at this door, counted from 1; 0: none. Any thread.
int channels_used(const Graph&, Door);
/// All of them. Any thread.
std::set<int> door_channels(const Graph&, Door);

}  // namespace gainstage
