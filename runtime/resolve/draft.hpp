#pragma once
/// A graph while it is being resolved, and the steps that complete it. Private to resolve/. Each step reports
/// what is wrong and goes on with the rest.

#include <string_view>
#include <unordered_map>

#include "runtime/problem_list.hpp"
#include "runtime/resolve/name_index.hpp"
#include "runtime/resolve/resolve.hpp"

namespace gainstage {

struct Draft {
    const Patch& patch;
    NodeTypes types;
    const ModelReader& read_model;
    double rate_hz;  ///< 0: not known yet
    PreparedModels& prepared;

    ProblemList problems;
    Graph graph = {};  ///< nodes: as many and in the same order as in the patch
    std::vector<bool> knobs_known =
        {};  ///< per node: its type and, if it takes one, its model were understood
    NameIndex node_by_id = {}, scene_by_name = {};
    std::unordered_map<std::string, std::shared_ptr<const Model>> models = {};  ///< read so far, by path
};

/// Types, models, options, knobs: everything that one node's table says.
void resolve_nodes(Draft&);
void resolve_settings(Draft&, int node);
/// `model` of one node; gives it the model's knobs. False: not understood, and reported.
bool resolve_model(Draft&, int node);
/// Cables between ports that exist, none twice, none missing.
void resolve_links(Draft&);
/// How many channels every port has.
void resolve_widths(Draft&);
/// Every loop passes a node that closes loops.
void check_loops(Draft&);
/// There is a way out, and no device channel is written twice.
void check_outputs(Draft&);
/// What each scene sets, and with which one the patch begins.
void resolve_scenes(Draft&);
/// What each mapping moves, over which range.
void resolve_midi(Draft&);

/// Gives the node these knobs, each at its default.
void take_knobs(GraphNode&, KnobList);
/// What find_target() finds, and in how many words.
inline constexpr std::string_view expected_target =
    "expected \"node.parameter\", \"node.bypass\", \"node.mute\" or \"panic\"";
/// find_target() for callers who know the index of the node that `name` begins with (-1: there is none), and
/// what else they take.
FoundTarget find_target_at(const Graph&, int node, std::string_view name, ProblemList& words,
                           std::string_view expected = expected_target);
/// What of the node may be moved, by name. REQUIRES: its type and its model are known.
Names target_names(const GraphNode&);
Names node_ids(const Graph&);
Names scene_names(const Graph&);
/// "node" of "node.parameter".
std::string_view node_of_target(std::string_view name);

/// Whether the node has the switch "bypass", "mute". REQUIRES: its type is known.
bool may_be_bypassed(const GraphNode&);
bool may_be_muted(const GraphNode&);

/// "nodes.ID.KEY"
std::string key_of(const GraphNode&, std::string_view key = {});
/// "node", or "node.port" where the node has several; as in `links`.
std::string port_text(const GraphNode&, const std::vector<PortSpec>& ports, int port);
/// "a -> b.port"
std::string cable_text(const Graph&, const GraphLink&);

}  // namespace gainstage
