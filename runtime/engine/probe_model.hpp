#pragma once
/// How a model behaves when nobody asks it to compress: how loud it plays at several levels, what it emits at
/// silence, whether it ever falls silent.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "runtime/model/model.hpp"
#include "runtime/node.hpp"
#include "runtime/resolve/resolve.hpp"

namespace gainstage {

/// A patch that plays the model alone, mono, its knobs where the file has them unless `knobs` (lines of TOML)
/// say otherwise. Throws ModelError where no node type plays its architecture.
std::string patch_around(const Model&, NodeTypes, const std::string& knobs = "");

/// The graph of that patch, at the model's own rate. `prepared`: as resolve() takes it. Throws ModelError
/// where the file can't be played.
Graph graph_around(const std::shared_ptr<const Model>&, NodeTypes, const std::string& knobs = "",
                   PreparedModels* prepared = nullptr);

struct ModelProbe {
    struct Level {
        double in_dbfs = 0.;    ///< peak of a tone of 220 Hz
        double gain_db = 0.;    ///< RMS out over RMS in, after the first half
        bool blows_up = false;  ///< not finite, or above the engine's ceiling: no gain then
    };
    std::vector<Level> levels;          ///< from soft to loud, knobs at their defaults
    double dc_dbfs = 0.;                ///< mean of what it emits at silence from the start; -200: none
    double hum_dbfs = 0.;               ///< RMS of the rest of that
    double thump_dbfs = 0.;             ///< how far its first second at silence rises above the DC
    double after_dbfs = 0.;             ///< RMS without DC, its memory after a loud tone has ended
    std::vector<std::string> unsafe;    ///< corners of the knobs at which a loud tone blows it up
    std::vector<std::string> warnings;  ///< whole sentences, for what a player should know
};

/// What a player hears of a model while nobody plays: a thump at the start, an offset, noise. Whole
/// sentences; a second of sound, or as much as can be played within `patience`. `settings`: of the node,
/// lines of TOML. `prepared`: as resolve() takes it. Control thread.
std::vector<std::string> warnings_at_silence(const std::shared_ptr<const Model>&, NodeTypes,
                                             std::chrono::seconds patience = std::chrono::seconds(5),
                                             const std::string& settings = "",
                                             PreparedModels* prepared = nullptr);

/// Control thread; some seconds of sound, so up to a second or two of time for the largest models.
/// `prepared`: as resolve() takes it.
ModelProbe probe_model(const std::shared_ptr<const Model>&, NodeTypes, PreparedModels* prepared = nullptr);

}  // namespace gainstage
