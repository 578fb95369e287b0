#pragma once
/// Patch file -> Graph, with the models that it names; files that did not change are not read again.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/patch/read_patch.hpp"
#include "runtime/resolve/resolve.hpp"

namespace gainstage {

/// The bytes of weight files, by the path from which they were read.
using ModelBytes = std::map<std::string, std::shared_ptr<const std::vector<std::byte>>>;

/// A patch as a log holds it.
struct LoggedPatch {
    std::string file, text;
    std::string folder;  ///< this and the next: see Patch
    std::vector<std::string> link_folders;
    ModelBytes models;
};

class PatchLoader {
public:
    /// `rate_hz`: of the stream; 0: not known yet, so no model is prepared. `prepared`: shares preparations
    /// with other loaders; null: this loader has its own.
    PatchLoader(NodeTypes types, double rate_hz, std::shared_ptr<PreparedModels> prepared = nullptr)
        : types_(types),
          rate_hz_(rate_hz),
          prepared_(prepared ? std::move(prepared) : std::make_shared<PreparedModels>()) {}

    /// One thread at a time. Reads the patch and every model that it names. Gives the first hundred errors at
    /// most.
    Resolved load(const std::string& patch_file);
    /// The same from a log.
    Resolved load_text(const LoggedPatch&);

    /// Forgets what was read from this file, so that the next load reads it again. Empty: everything.
    void forget(const std::string& file);

private:
    Resolved resolve_with(ReadPatch, const ModelReader&);
    std::shared_ptr<const Model> read(const std::string& path);

    const NodeTypes types_;
    const double rate_hz_;
    const std::shared_ptr<PreparedModels> prepared_;
    struct Read {
        std::weak_ptr<const Model> model;  ///< expires when no graph uses it
        std::int64_t size = 0, modified_ns = 0;
    };
    std::map<std::string, Read> models_;  // by path
};

}  // namespace gainstage
