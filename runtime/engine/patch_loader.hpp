#pragma once
/// Patch file -> Graph, with the models that it names; files that did not change are not read again.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/resolve/resolve.hpp"

namespace gainstage {

/// A file's bytes as they were when a take used them.
struct Snapshot {
    std::uint64_t hash = 0;
    std::vector<std::byte> bytes;
};

class PatchLoader {
public:
    PatchLoader(NodeTypes types, double rate_hz) : types_(types), rate_hz_(rate_hz) {}

    /// Control thread. Reads the patch and every model that it names. Of many errors the first hundred are
    /// given.
    Resolved load(const std::string& patch_file);
    /// The same from a log: the patch's text, and its models' bytes by the path from which they were read.
    Resolved load_text(const std::string& text, const std::string& file,
                       const std::map<std::string, Snapshot>& models);

    /// The bytes behind a model of a graph that was loaded; null for one that this loader never read.
    const Snapshot* snapshot(const Model&) const;
    /// Forgets what was read from this file, so that the next load reads it again. Empty: everything.
    void forget(const std::string& file);

private:
    std::shared_ptr<const Model> read(const std::string& path);

    const NodeTypes types_;
    const double rate_hz_;
    struct Cached {
        std::shared_ptr<const Model> model;
        std::int64_t size = 0, modified_ns = 0;
    };
    std::map<std::string, Cached> models_;         // by path
    std::map<std::uint64_t, Snapshot> snapshots_;  // by content
};

}  // namespace gainstage
