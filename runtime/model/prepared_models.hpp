#pragma once
/// Prepared weight files, shared by all who play them.

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/prepared.hpp"

namespace gainstage {

/// Any thread but the audio thread. Two threads that ask for the same file at once get one preparation.
///
/// A preparation lives as long as anyone holds it. The last few stay without a user, so that switching back
/// and forth between two files, or from song to song, prepares nothing.
class PreparedModels {
public:
    /// Limits on what stays without a user: preparations, and bytes of the weights in their files.
    static constexpr std::size_t most_kept = 4, most_kept_bytes = std::size_t{64} << 20;

    /// The file's preparation for a device at this rate. Files are identified by their content. REQUIRES:
    /// type.prepare and type.level. Throws ModelError.
    std::shared_ptr<const Prepared> get(const NodeType& type, const Model&, double sample_rate_hz);

private:
    struct Key {
        decltype(NodeType::prepare) prepare;  ///< identifies the family
        std::uint64_t content_hash;
        double sample_rate_hz;  ///< of its nodes
        std::string level;      ///< of vector instructions
        bool operator==(const Key&) const = default;
    };
    struct Known {
        Key key;
        std::weak_ptr<const Prepared> prepared;
    };
    struct Kept {
        std::shared_ptr<const Prepared> prepared;
        std::size_t bytes;
    };

    std::shared_ptr<const Prepared> find(const Key&) const;
    std::shared_ptr<const Prepared> find_for(Key, double model_rate_hz) const;
    void keep(const std::shared_ptr<const Prepared>&, const Model&);

    std::mutex mutex_;
    std::vector<Known> all_;
    std::list<Kept> kept_;  ///< the latest first
};

}  // namespace gainstage
