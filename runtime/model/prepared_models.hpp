#pragma once
/// Weight files made ready, shared by all who play them.

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/prepared.hpp"

namespace gainstage {

/// One for a process is best: what a song plays is then ready for the next one. Any thread but the audio
/// thread; a file that two ask for at once is prepared once.
///
/// A preparation lives as long as anyone holds it. The last few that were asked for stay without a user, so
/// that a change back and forth between two files, or from song to song, prepares nothing.
class PreparedModels {
public:
    /// What stays without a user, at most; in bytes of weights as the file has them.
    static constexpr std::size_t most_kept = 4, most_kept_bytes = std::size_t{64} << 20;

    /// The file's preparation for this device rate, by `type`. Files are told apart by their content.
    /// REQUIRES: type.prepare. Throws ModelError.
    std::shared_ptr<const Prepared> get(const NodeType& type, const Model&, double sample_rate_hz);

private:
    struct Key {
        decltype(NodeType::prepare) prepare;  ///< by which family
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
